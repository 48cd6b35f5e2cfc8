/**
 * From a notice of a mail chart to the event that the caller hears, with what is at hand. Makes objects, decides
 * nothing.
 */
import type { Notice, Step } from '../../machines/vocabulary.ts';
import type { SmtpError } from '../errors.ts';
import type { Reply } from '../wire/reply.ts';
import type { Recipient, SmtpEvent, UnfinishedMessage } from './events.ts';
import { phaseOf, refusal } from './failures.ts';
import { type Entry, lineOf, recipientOf } from './ledger.ts';
import type { Mail } from './mail.ts';

/** The event for a notice, with the command that is answered or refused, and the reply where one has come. */
export function mailEvent(
  notice: Notice,
  mail: Mail,
  answered: Entry | undefined,
  reply: Reply | undefined,
  lmtp: boolean,
): SmtpEvent | undefined {
  const { message } = mail;
  if (notice.tell === 'REFUSED') {
    // by LMTP each verdict is one recipient's (RFC 2033 §4.2)
    const isVerdict = lmtp && (answered?.kind === 'content' || answered?.kind === 'last');
    const recipient = isVerdict ? mail.accepted[mail.verdicts] : answered && recipientOf(answered);
    return refusalEvent(notice.step, mail, recipient, answered, reply);
  }
  // with CHUNKING nothing is asked, so nothing is answered
  if (notice.tell === 'BOM_ACK') return { name: 'BOM_ACK', message, reply };
  if (reply === undefined) return undefined;
  switch (notice.tell) {
    case 'SENDER_ACK':
      return { name: 'SENDER_ACK', message, reply };
    case 'RECIPIENT_ACK': {
      const recipient = answered && recipientOf(answered);
      return recipient && { name: 'RECIPIENT_ACK', message, recipient, reply };
    }
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
  return refusal(reply, phaseOf(answered), lineOf(answered));
}

function refusalEvent(
  step: Step,
  mail: Mail,
  recipient: Recipient | undefined,
  answered: Entry | undefined,
  given: Reply | undefined,
): SmtpEvent | undefined {
  // where nobody is left the reason is the last no to a recipient, not what the server made of it
  const why = step === 'sendBom' && mail.acceptedCount === 0 ? mail.lastRefusalError : undefined;
  const reply = why === undefined ? given : mail.lastRefusal;
  const own = answered?.refusal;
  const error = own ?? why ?? refusalOf(reply, answered);
  if (error === undefined) return undefined;
  return {
    name: error.code === 'ESERVERTEMP' ? 'SERVER_RETRY' : 'SERVER_ERROR',
    step: own?.phase === 'body' ? 'sendBody' : step,
    message: mail.message,
    recipient,
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
