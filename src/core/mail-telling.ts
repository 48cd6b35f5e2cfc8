/**
 * From a notice of a mail chart to the event that the caller hears, with what is at hand. Makes objects, decides
 * nothing.
 */
import type { Notice, Step } from '../../machines/vocabulary.ts';
import type { SmtpError } from '../errors.ts';
import type { Reply } from '../wire/reply.ts';
import type { Recipient, SmtpEvent, UnfinishedMessage } from './events.ts';
import { phaseOf, refusal } from './failures.ts';
import type { Entry } from './ledger.ts';
import type { Mail } from './mail.ts';

/** What is at hand when an effect is carried out. */
export interface AtHand {
  readonly entry?: Entry | undefined;
  readonly recipient?: Recipient | undefined;
  readonly reply?: Reply | undefined;
  /** Why we refuse it ourselves. */
  readonly error?: SmtpError | undefined;
  /** The step that the refusal answers, where it is not the chart's. */
  readonly step?: Step | undefined;
}

export function mailEvent(notice: Notice, mail: Mail, atHand: AtHand, lmtp: boolean): SmtpEvent | undefined {
  const { message } = mail;
  const { recipient, reply } = atHand;
  if (notice.tell === 'REFUSED') return refusalEvent(notice.step, mail, atHand);
  // with CHUNKING nothing is asked, so nothing is answered
  if (notice.tell === 'BOM_ACK') return { name: 'BOM_ACK', message, reply };
  if (reply === undefined) return undefined;
  switch (notice.tell) {
    case 'SENDER_ACK':
      return { name: 'SENDER_ACK', message, reply };
    case 'RECIPIENT_ACK':
      return recipient && { name: 'RECIPIENT_ACK', message, recipient, reply };
    case 'EOM_ACK': {
      const accepted = lmtp ? mail.delivered : mail.accepted;
      return {
        name: 'EOM_ACK',
        message,
        reply: mail.goodVerdict ?? reply,
        accepted,
        rejected: mail.rejected,
      };
    }
    default:
      throw new Error(`the mail chart tells ${notice.tell}`);
  }
}

/** The error of a no; undefined where there is none. */
export function refusalOf(reply: Reply | undefined, answered: Entry | undefined): SmtpError | undefined {
  if (reply === undefined || answered === undefined) return undefined;
  return refusal(reply, phaseOf(answered), answered.command?.line);
}

function refusalEvent(step: Step, mail: Mail, atHand: AtHand): SmtpEvent | undefined {
  // where nobody is left the reason is the last no to a recipient, not what the server made of it
  const why = step === 'sendBom' && mail.accepted.length === 0 ? mail.lastRefusalError : undefined;
  const reply = why === undefined ? atHand.reply : mail.lastRefusal;
  const error = atHand.error ?? why ?? refusalOf(reply, atHand.entry);
  if (error === undefined) return undefined;
  return {
    name: error.code === 'ESERVERTEMP' ? 'SERVER_RETRY' : 'SERVER_ERROR',
    step: atHand.step ?? step,
    message: mail.message,
    recipient: atHand.recipient,
    reply,
    error,
  };
}

/** A message that the connection ended without a verdict for. */
export function unfinishedOf(
  { message, delivered }: Mail,
  outcome: UnfinishedMessage['outcome'],
): UnfinishedMessage {
  return delivered.length > 0 ? { message, outcome, accepted: delivered } : { message, outcome };
}
