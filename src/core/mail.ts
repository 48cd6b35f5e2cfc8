/**
 * One message on its way: its place in the chart, its envelope, its content, and the counts that choose the words.
 * It holds facts and decides nothing.
 */

import type { Outcome } from '../../machines/vocabulary.ts';
import type { SmtpError } from '../errors.ts';
import type { Mailbox } from '../message/header.ts';
import { type Path, parsePath } from '../wire/address.ts';
import { type Command, commands, type MailParameters, type RecipientParameters } from '../wire/command.ts';
import type { Reply } from '../wire/reply.ts';
import { type MailPosition, mailChart } from './charts.ts';
import { Content } from './content.ts';
import type { Message, Recipient } from './events.ts';
import type { Pace } from './ledger.ts';
import { nothing } from './lists.ts';
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

/** A recipient with what its RCPT needs. */
export interface Addressee {
  readonly recipient: Recipient;
  readonly parameters: RecipientParameters;
  readonly command: Command;
}

const outcomes: readonly Outcome[] = ['delivered', 'refused', 'withdrawn', 'unsent', 'unknown'];

const idOf = ({ id }: Recipient): number => id;

export class Mail {
  readonly message: Message;
  readonly sender: Sender;
  position: MailPosition = mailChart.start;
  addressees: readonly Addressee[] = nothing;
  accepted: readonly Recipient[] = nothing;
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

  /** MAIL was taken: what has left need not leave again. */
  settle(): void {
    this.behind = false;
    this.content?.settle();
  }

  /** Nothing of it has been taken: it stands where it stood before it left. */
  goBack(): void {
    this.accepted = nothing;
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

  recipient(id: number): Recipient {
    const addressee = this.addressees[id - 1];
    if (addressee === undefined) throw new RangeError(`message ${this.message.id} has no recipient ${id}`);
    return addressee.recipient;
  }

  save(now: number) {
    const { path, ...sender } = this.sender;
    const { asked } = this;
    return {
      ...this.#counts,
      id: this.message.id,
      sender: { ...sender, address: path.address },
      position: this.position.save(),
      addressees: this.addressees.map(({ recipient, parameters }) => ({ recipient, parameters })),
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
      addressees,
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
    mail.addressees = addressees.map(({ recipient, parameters }) => {
      const to = parsePath(recipient.address, 'recipient', { allowPostmaster: true });
      return { recipient, parameters, command: commands.rcpt(to, parameters) };
    });
    const known = (one: number): Recipient => mail.recipient(one);
    mail.accepted = accepted.map(known);
    mail.rejected = rejected.map(known);
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
