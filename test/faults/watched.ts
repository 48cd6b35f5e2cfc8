/**
 * A client that writes down what its caller asked and what it told, so that the truths can be checked afterwards.
 * It is the real client: nothing of it is replaced.
 */
import {
  type Message,
  type Recipient,
  type RecipientOptions,
  type SenderOptions,
  SmtpClient,
  type SmtpClientOptions,
  type SmtpEvent,
  type TargetOptions,
} from 'smtpump';

/** One message as its caller began it. */
export interface Begun {
  readonly message: Message;
  readonly recipients: Recipient[];
  /** `sendEom()` was called. */
  ended: boolean;
  /** `reset()` was called before it had ended. */
  withdrawn: boolean;
}

/** One `connect()` and what was told until the next. */
export interface Life {
  readonly events: SmtpEvent[];
  readonly begun: Begun[];
  /** The caller asked for the end. */
  left: boolean;
}

export class WatchedClient extends SmtpClient {
  readonly lives: Life[] = [];
  /** Told before the first `connect()`. */
  readonly strays: SmtpEvent[] = [];
  /** Called with each event after it was written down; it may throw, or call steps. */
  afterEvent: ((event: SmtpEvent, nth: number) => void) | undefined;
  /** The caller's own program, called before `afterEvent`. */
  drive: ((event: SmtpEvent) => void) | undefined;
  #told = 0;

  constructor(options: SmtpClientOptions) {
    super(options);
    this.on('event', (event) => {
      (this.lives.at(-1)?.events ?? this.strays).push(event);
      this.drive?.(event);
      this.afterEvent?.(event, this.#told++);
    });
  }

  get life(): Life {
    const life = this.lives.at(-1);
    if (life === undefined) throw new Error('connect() first');
    return life;
  }

  override connect(target?: TargetOptions): void {
    super.connect(target);
    this.lives.push({ events: [], begun: [], left: false });
  }

  override sendSender(sender: string | SenderOptions): Message {
    const message = super.sendSender(sender);
    this.life.begun.push({ message, recipients: [], ended: false, withdrawn: false });
    return message;
  }

  override sendRecipient(recipient: string | RecipientOptions): Recipient {
    const made = super.sendRecipient(recipient);
    this.life.begun.at(-1)?.recipients.push(made);
    return made;
  }

  override sendEom(): void {
    super.sendEom();
    const newest = this.life.begun.at(-1);
    if (newest !== undefined) newest.ended = true;
  }

  override reset(): void {
    super.reset();
    const newest = this.life.begun.at(-1);
    if (newest !== undefined && !newest.ended) newest.withdrawn = true;
  }

  override disconnect(): void {
    super.disconnect();
    this.life.left = true;
  }

  override abort(): void {
    super.abort();
    this.life.left = true;
  }
}

/** The line by which a server's copy of a message is known. */
export const mark = ({ id }: Message): string => `Subject: message ${id}\r\n`;

/** All steps of a message, ahead of all answers. */
export function sendWhole(client: SmtpClient, to: readonly string[] = ['b@example.test'], more = ''): void {
  const message = client.sendSender('a@example.test');
  for (const address of to) client.sendRecipient(address);
  client.sendBom({ raw: true });
  client.sendBody(`${mark(message)}\r\ntext\r\n${more}`);
  client.sendEom();
}
