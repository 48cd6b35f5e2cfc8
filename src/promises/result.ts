/**
 * How a message ended, for each of its recipients. Types, and the error of a message that nobody got.
 */
import type { Message, Recipient } from '../core/events.ts';
import { SmtpError } from '../errors.ts';
import type { Reply } from '../wire/reply.ts';

/**
 * `delivered`: the server has it. `refused`: for good (5xx, or the server cannot take it). `deferred`: for now (4xx).
 * `unsent`: the end of the message has not left. `unknown`: it has left and no verdict came, so the message may have
 * arrived; sending it again may deliver it twice.
 */
export type RecipientStatus = 'delivered' | 'refused' | 'deferred' | 'unsent' | 'unknown';

export interface RecipientResult {
  readonly recipient: Recipient;
  readonly status: RecipientStatus;
  /** The reply that decided. Absent where there was none. */
  readonly reply?: Reply | undefined;
  /** Why not, unless `delivered`. */
  readonly error?: Error | undefined;
}

/** A message that at least one recipient got. */
export interface SendResult {
  readonly message: Message;
  /** The server's verdict on the message. */
  readonly reply: Reply;
  /** One for each recipient, in the order given. */
  readonly recipients: readonly RecipientResult[];
}

/** The connection failed, or nobody got the message. Code, phase and reply are those of what decided. */
export class SendError extends SmtpError {
  /** One for each recipient, in the order given. */
  readonly recipients: readonly RecipientResult[];

  constructor(why: SmtpError, recipients: readonly RecipientResult[]) {
    super(why);
    this.message = why.message;
    this.recipients = recipients;
  }
}
