/**
 * The far end of a line, by hand: what the client writes becomes a list of commands that wait for their answers, and
 * each answer is given when the test says so. It minds what no client may say (RFC 5321 §4.1.4), and knows no clock.
 */
import type { Transport, TransportEvent } from '../../src/transport/transport.ts';

export class HandServer {
  /** Commands that wait for their answer, oldest first; `.` is the end of content, by LMTP once a recipient. */
  readonly due: string[] = [];
  /** Between 354 and the end of the content. */
  inContent = false;
  /** Ends of content that were answered with yes. */
  delivered = 0;
  closed = false;
  /** What no client may say. */
  readonly wrongs: string[] = [];
  /** MAIL was accepted, with so many recipients since. */
  recipients: number | undefined;
  readonly lmtp: boolean;
  #text = '';
  #arrivals: TransportEvent[] = [];

  constructor(lmtp: boolean) {
    this.lmtp = lmtp;
  }

  readonly transport: Transport = {
    open: () => this.#arrivals.push({ type: 'open' }),
    secure: () => {},
    close: () => {
      this.closed = true;
      this.#arrivals = [];
    },
    poll: () => this.#arrivals.shift(),
    onReady: undefined,
    write: (bytes) => {
      this.#text += Buffer.from(bytes).toString('latin1');
      this.#read();
      return true;
    },
  };

  say(text: string): void {
    this.#arrivals.push({ type: 'bytes', bytes: Buffer.from(`${text}\r\n`) });
  }

  lose(): void {
    this.#arrivals.push({ type: 'lost', during: 'line' });
  }

  /** May a server say yes to the oldest command? It may say no to all. */
  get mayAgree(): boolean {
    const [verb] = this.due;
    // 354 for nobody, or without a sender, is what some servers say
    if (verb === 'RCPT') return this.recipients !== undefined;
    return verb !== '.' || (this.recipients ?? 0) > 0;
  }

  /** May a server say no to it? To RSET and QUIT none does. */
  get mayRefuse(): boolean {
    return !['RSET', 'QUIT'].includes(this.due[0] ?? '');
  }

  answer(yes: boolean): void {
    const verb = this.due.shift();
    if (verb === undefined) throw new Error('nothing is due');
    if (yes) this.#carryOut(verb);
    this.say(yes ? (verb === 'DATA' ? '354 go on' : '250 yes') : '550 no');
    if (verb === '.' && this.due[0] !== '.') this.recipients = undefined;
    if (verb === 'QUIT') this.lose();
  }

  #carryOut(verb: string): void {
    if (verb === 'MAIL') {
      if (this.recipients !== undefined) this.wrongs.push('MAIL inside a transaction');
      this.recipients = 0;
    } else if (verb === 'RCPT') this.recipients = (this.recipients ?? 0) + 1;
    else if (verb === 'DATA') {
      if (this.due.length > 0) this.wrongs.push(`${this.due.join()} after DATA in a group`);
      this.inContent = true;
      this.#read();
    } else if (verb === 'RSET') this.recipients = undefined;
    else if (verb === '.') this.delivered++;
  }

  #read(): void {
    for (;;) {
      const end = this.inContent ? /(?:^|\r\n)\.\r\n/.exec(this.#text) : /\r\n/.exec(this.#text);
      if (end === null) return;
      const text = this.#text.slice(0, end.index);
      this.#text = this.#text.slice(end.index + end[0].length);
      if (this.inContent) {
        this.inContent = false;
        const verdicts = this.lmtp ? Math.max(1, this.recipients ?? 0) : 1;
        this.due.push(...Array.from({ length: verdicts }, () => '.'));
      } else {
        const verb = text.split(' ')[0] ?? '';
        if (!/^(EHLO|LHLO|MAIL|RCPT|DATA|RSET|QUIT)$/.test(verb)) this.wrongs.push(`a command "${text}"`);
        this.due.push(verb);
      }
    }
  }
}
