/**
 * One message on its way: its place in the chart, its envelope, its content, and the counts that choose the words.
 * It holds facts and decides nothing.
 */

import type { Outcome } from '../../machines/vocabulary.ts';
import type { SmtpError } from '../errors.ts';
import type { Mailbox } from '../message/header.ts';
import type { Path } from '../wire/address.ts';
import type { Command, MailParameters, RecipientParameters } from '../wire/command.ts';
import type { Reply } from '../wire/reply.ts';
import { type MailPosition, mailChart } from './charts.ts';
import type { Content } from './content.ts';
import type { Message, Recipient } from './events.ts';
import type { Pace } from './ledger.ts';
import type { Asked } from './offers.ts';

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

export class Mail {
  readonly message: Message;
  readonly sender: Sender;
  position: MailPosition = mailChart.start;
  readonly addressees: Addressee[] = [];
  readonly accepted: Recipient[] = [];
  readonly rejected: Recipient[] = [];
  /** Recipients that the server was asked about and has not refused. */
  candidates = 0;
  readonly asked: Asked = { recipients: 0, domains: undefined };
  /** The last no to a recipient: why nobody is left. */
  lastRefusal: Reply | undefined;
  lastRefusalError: SmtpError | undefined;
  content: Content | undefined;
  /** A body byte above 0x7f was taken before it was known what the server offers. */
  has8bit = false;
  /** What MAIL declared, once it has left. */
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
  readonly delivered: Recipient[] = [];
  /** LMTP: the last good verdict. */
  goodVerdict: Reply | undefined;
  /** MAIL has left behind a message whose fate is open, so it may be refused for coming too early. */
  behind = false;
  /** The pace at which MAIL left. */
  pace: Pace = 'many';
  /** When MAIL left, in the clock's milliseconds. */
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
    this.accepted.length = 0;
    this.rejected.length = 0;
    this.lastRefusal = this.lastRefusalError = undefined;
    this.candidates = 0;
    this.asked.recipients = 0;
    this.asked.domains = undefined;
    this.chunked = false;
    this.bodyType = undefined;
    this.startedAt = Number.POSITIVE_INFINITY;
    this.content?.rewind();
  }

  /** MAIL has left, and stands. */
  get hasBegun(): boolean {
    return this.startedAt < Number.POSITIVE_INFINITY;
  }

  /** How it ended, or undefined while that is open. */
  get outcome(): Outcome | undefined {
    return outcomes.find((outcome) => this.position.is[outcome]);
  }

  get over(): boolean {
    return this.position.is.over;
  }
}
