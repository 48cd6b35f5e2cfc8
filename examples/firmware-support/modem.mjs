// @ts-check
/**
 * A modem for mail: what a board says on its UART becomes steps of an SmtpClient, and its events become what the board
 * hears. One line of the board is one step; each is answered by one line, `OK` or `ERR code text`, and the next is
 * taken up after that. It knows no board, no time and no transport.
 *
 *     line            step                    its answer comes at
 *     CONNECT         connect()               CONNECTED
 *     FROM address    sendSender(address)     SENDER_ACK
 *     TO address      sendRecipient(address)  RECIPIENT_ACK
 *     DATA subject    sendBom({ subject })    BOM_ACK
 *     text            sendBody(text)          as soon as it was taken
 *     .               sendEom()               EOM_ACK
 *     QUIT            disconnect()            DISCONNECTED
 *     # for the log   none                    no time
 *
 * Text that begins with . or # has a dot before it; a text that is refused takes the message back with it.
 * What is out of order is refused by the client itself, and so are addresses that are none.
 */
import { printable, SmtpUsageError } from 'smtpump';

const good = ['CONNECTED', 'SENDER_ACK', 'RECIPIENT_ACK', 'BOM_ACK', 'EOM_ACK'];

export class Modem {
  /** @type {number[]} what has come of a line */
  #octets = [];
  /** @type {string[]} lines that wait for their turn */
  #lines = [];
  /** The line that is not answered yet. @type {string | undefined} */
  #asked;

  /**
   * @param {import('smtpump').SmtpClient} client
   * @param {(text: string) => void} say a line to the board
   * @param {(text: string) => void} [log] a line of the board
   */
  constructor(client, say, log = () => {}) {
    this.client = client;
    this.say = say;
    this.log = log;
    client.on('event', (event) => this.#hear(event));
  }

  /** The board waits for an answer. */
  get busy() {
    return this.#asked !== undefined;
  }

  /** Takes an octet that the board has sent. @param {number} octet */
  receive(octet) {
    if (octet !== 0x0a) return void this.#octets.push(octet);
    const line = Buffer.from(this.#octets).toString().replace(/\r$/, '');
    this.#octets = [];
    this.log(line);
    if (line.startsWith('#')) return;
    this.#lines.push(line);
    if (!this.busy) this.#next();
  }

  #next() {
    this.#asked = this.#lines.shift();
    if (this.#asked !== undefined) this.#try(this.#asked);
  }

  /** @param {string} line */
  #try(line) {
    try {
      this.#take(line);
    } catch (error) {
      if (!(error instanceof SmtpUsageError)) throw error;
      if (this.client.state === 'body') this.client.reset();
      this.#answer(`ERR ${error.code} ${printable(error.message)}`);
    }
  }

  /** @param {string} line */
  #take(line) {
    const { client } = this;
    if (client.state === 'body') {
      if (line === '.') return client.sendEom();
      // a client that is full takes nothing: DRAIN comes, and it is tried again
      const taken = client.sendBody(`${line.replace(/^\./, '')}\r\n`);
      return taken > 0 ? this.#answer('OK') : undefined;
    }
    const [verb = '', argument = ''] = line.split(/ (.*)/);
    if (verb === 'CONNECT') client.connect();
    else if (verb === 'FROM') client.sendSender(argument);
    else if (verb === 'TO') client.sendRecipient(argument);
    else if (verb === 'DATA') client.sendBom({ subject: argument });
    else if (verb === 'QUIT') client.disconnect();
    else this.#answer('ERR EINVAL no such command');
  }

  /** @param {import('smtpump').SmtpEvent} event */
  #hear(event) {
    if (this.#asked === undefined) return;
    if (event.name === 'DRAIN') this.#try(this.#asked);
    else if (event.name === 'DISCONNECTED' && this.#asked !== 'QUIT') this.#fail(event.reason);
    else if (good.includes(event.name) || event.name === 'DISCONNECTED') this.#answer('OK');
    else if ('error' in event) this.#fail(event.error);
  }

  /** @param {import('smtpump').SmtpError | undefined} error */
  #fail(error) {
    this.#answer(`ERR ${error?.code ?? 'ESHUTDOWN'} ${printable(error?.message ?? '')}`.trimEnd());
  }

  /** @param {string} text */
  #answer(text) {
    this.#asked = undefined;
    this.say(text);
    this.#next();
  }
}
