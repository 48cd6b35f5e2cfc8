/**
 * One message on its way: its place in the chart, its envelope, its content, and the counts that choose the words.
 * It holds facts and decides nothing.
 */

import type { Outcome } from '../../machines/vocabulary.ts';
import type { SmtpError } from '../errors.ts';
import type { Mailbox } from '../message/header.ts';
import { type Path, parsePath } from '../wire/address.ts';
import type { MailParameters, RecipientParameters } from '../wire/command.ts';
import { RecipientLines } from '../wire/recipient-lines.ts';
import type { Reply } from '../wire/reply.ts';
import { type MailPosition, mailChart } from './charts.ts';
import { Content } from './content.ts';
import type { Message, Recipient } from './events.ts';
import type { Pace } from './ledger.ts';
import { added, nothing } from './lists.ts';
import type { Asked } from './offers.ts';
import type { ConnectionSettings } from './settings.ts';

/** What `sendSender` was given, checked. */
export interface Sender {
  readonly path: Path;
  readonly name: string | undefined;
  readonly replyTo: Mailbox | undefined;
  /** `body` is undefined where the caller leaves it to what the server offers. */
  readonly parameters: MailParameters;
}

/** What `sendRecipient` was given beside the address. */
export interface RecipientExtras extends Pick<Recipient, 'name' | 'type'> {
  readonly parameters: RecipientParameters;
}

const outcomes: readonly Outcome[] = ['delivered', 'refused', 'withdrawn', 'unsent', 'unknown'];

const idOf = ({ id }: Recipient): number => id;

export class Mail {
  readonly message: Message;
  readonly sender: Sender;
  position: MailPosition = mailChart.start;
  recipients: readonly Recipient[] = nothing;
  /** Their RCPTs, in the same order. */
  readonly lines: RecipientLines = new RecipientLines();
  /** How many the server has accepted. */
  acceptedCount = 0;
  /** Those, where there are also some that it has not. */
  #accepted: readonly Recipient[] | undefined;
  rejected: readonly Recipient[] = nothing;
  /** Recipients that the server was asked about and has not refused. */
  candidates = 0;
  /** Undefined where the server has no limits to count for. */
  asked: Asked | undefined;
  /** The last no to a recipient: why nobody is left. */
  lastRefusal: Reply | undefined;
  lastRefusalError: SmtpError | undefined;
  content: Content | undefined;
  /** A body byte above 0x7f was taken before it was known what the server offers. */
  has8bit = false;
  /** What MAIL declared; undefined where it has not left, or is to leave again. */
  bodyType: MailParameters['body'];
  /** Replies that are due for this message. */
  due = 0;
  /** Those of them that answer MAIL and RCPT. */
  envelopeDue = 0;
  /** The content goes in chunks (RFC 3030), and its turn has come. */
  chunked = false;
  /** LMTP: recipients whose verdict has come. */
  verdicts = 0;
  /** LMTP: recipients that took the message, in order. */
  delivered: readonly Recipient[] = nothing;
  /** LMTP: the last good verdict. */
  goodVerdict: Reply | undefined;
  /** MAIL has left behind a message whose fate is open, so it may be refused for coming too early. */
  behind = false;
  /** The pace at which MAIL left. */
  pace: Pace = 'many';
  /** When MAIL left first, in the clock's milliseconds: those begun earlier stand before those begun later. */
  startedAt = Number.POSITIVE_INFINITY;

  constructor(message: Message, sender: Sender) {
    this.message = message;
    this.sender = sender;
  }

  /** Recipients that the server has accepted, in order: it answers in order. */
  get accepted(): readonly Recipient[] {
    const { recipients, acceptedCount } = this;
    return (
      this.#accepted ??
      (acceptedCount === recipients.length ? recipients : recipients.slice(0, acceptedCount))
    );
  }

  accept(recipient: Recipient | undefined): void {
    this.acceptedCount++;
    if (this.#accepted !== undefined && recipient !== undefined)
      this.#accepted = added(this.#accepted, recipient);
  }

  /** The server has not accepted it, or we in its place, without a reply. */
  reject(recipient: Recipient | undefined, reply: Reply | undefined, error: SmtpError | undefined): void {
    this.#accepted ??= this.recipients.slice(0, this.acceptedCount);
    if (recipient !== undefined) this.rejected = added(this.rejected, recipient);
    if (reply !== undefined) this.candidates--;
    this.lastRefusal = reply;
    this.lastRefusalError = error;
  }

  /** MAIL was taken: what has left need not leave again. */
  settle(): void {
    this.behind = false;
    this.content?.settle();
  }

  /** Nothing of it has been taken: it stands where it stood before it left. */
  goBack(): void {
    this.acceptedCount = 0;
    this.#accepted = undefined;
    this.rejected = nothing;
    this.lastRefusal = this.lastRefusalError = undefined;
    this.candidates = 0;
    this.asked = undefined;
    this.chunked = false;
    this.bodyType = undefined;
    this.content?.rewind();
  }

  /** MAIL has left, and stands. */
  get hasBegun(): boolean {
    return this.bodyType !== undefined;
  }

  /** How it ended, or undefined while that is open. */
  get outcome(): Outcome | undefined {
    return outcomes.find((outcome) => this.position.is[outcome]);
  }

  get over(): boolean {
    return this.position.is.over;
  }

  /** @throws SmtpUsageError EINVAL, naming for example `recipient.address`; then there is not one more */
  add(given: string, { name, type, parameters }: RecipientExtras): Recipient {
    const address = this.lines.add(given, parameters);
    const recipient = { id: this.recipients.length + 1, address, name, type };
    this.recipients = added(this.recipients, recipient);
    return recipient;
  }

  recipient(id: number): Recipient {
    const recipient = this.recipients[id - 1];
    if (recipient === undefined) throw new RangeError(`message ${this.message.id} has no recipient ${id}`);
    return recipient;
  }

  save(now: number) {
    const { path, ...sender } = this.sender;
    const { asked } = this;
    return {
      ...this.#counts,
      id: this.message.id,
      sender: { ...sender, address: path.address },
      position: this.position.save(),
      recipients: this.recipients.map((one, at) => ({ ...one, parameters: this.lines.parameters(at) })),
      accepted: this.accepted.map(idOf),
      rejected: this.rejected.map(idOf),
      delivered: this.delivered.map(idOf),
      asked: asked && { ...asked, domains: asked.domains && [...asked.domains] },
      content: this.content?.save(),
      ago: now - this.startedAt,
    };
  }

  static load(saved: ReturnType<Mail['save']>, now: number, settings: ConnectionSettings): Mail {
    const {
      id,
      sender,
      position,
      recipients,
      accepted,
      rejected,
      delivered,
      asked,
      content,
      ago,
      ...counts
    } = saved;
    const path = parsePath(sender.address, 'sender', { allowNull: true });
    const mail = new Mail(
      { id },
      { path, name: sender.name, replyTo: sender.replyTo, parameters: sender.parameters },
    );
    Object.assign(mail, counts);
    mail.position = mailChart.at(position);
    for (const { address, ...extras } of recipients) mail.add(address, extras);
    const known = (one: number): Recipient => mail.recipient(one);
    mail.acceptedCount = accepted.length;
    mail.rejected = rejected.map(known);
    if (rejected.length > 0) mail.#accepted = accepted.map(known);
    mail.delivered = delivered.map(known);
    mail.asked = asked && { ...asked, domains: asked.domains && new Set(asked.domains) };
    mail.content = content && Content.load(content, settings);
    mail.startedAt = now - ago;
    return mail;
  }

  /** What is saved as it is. */
  get #counts() {
    const { candidates, lastRefusal, lastRefusalError, has8bit, bodyType, due, envelopeDue } = this;
    const { chunked, verdicts, goodVerdict, behind, pace } = this;
    return {
      ...{ candidates, lastRefusal, lastRefusalError, has8bit, bodyType, due, envelopeDue },
      ...{ chunked, verdicts, goodVerdict, behind, pace },
    };
  }
}
