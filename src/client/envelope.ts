/**
 * What `sendSender` and `sendRecipient` take, checked once: addresses by the grammar of the envelope, names and
 * parameters by theirs. It throws before anything is queued, and knows no connection.
 */
import { checkKeys, oneOf } from '../checks.ts';
import type { Recipient } from '../core/events.ts';
import type { RecipientExtras, Sender } from '../core/mail.ts';
import { SmtpUsageError } from '../errors.ts';
import type { Mailbox } from '../message/header.ts';
import { type PathRules, parsePath } from '../wire/address.ts';
import { checkText, quoted } from '../wire/characters.ts';
import { checkMailParameters, type MailParameters, type RecipientParameters } from '../wire/command.ts';

/** A sender as the caller gives it; a string is the address alone. */
export interface SenderOptions {
  /** `''` is the null reverse-path. */
  readonly address: string;
  /** For the From header. */
  readonly name?: string | undefined;
  readonly replyTo?: string | Mailbox | undefined;
  /** Octets of the message (RFC 1870). */
  readonly size?: MailParameters['size'];
  /** @default '8bitmime' where the server offers it, else '7bit' */
  readonly body?: MailParameters['body'];
  /** @default true when the address needs it */
  readonly smtputf8?: MailParameters['smtputf8'];
  /** What a delivery report returns (RFC 3461 §4.3). */
  readonly ret?: MailParameters['ret'];
  /** (RFC 3461 §4.4) */
  readonly envid?: MailParameters['envid'];
}

/** A recipient as the caller gives it; a string is the address alone. */
export interface RecipientOptions {
  readonly address: string;
  /** For the To or Cc header. */
  readonly name?: string | undefined;
  /** `'bcc'` gets no header. @default 'to' */
  readonly type?: Recipient['type'] | undefined;
  /** When to report (RFC 3461 §4.1). */
  readonly notify?: RecipientParameters['notify'];
  /** The original recipient (RFC 3461 §4.2). */
  readonly orcpt?: RecipientParameters['orcpt'];
}

const senderKeys = ['address', 'name', 'replyTo', 'size', 'body', 'smtputf8', 'ret', 'envid'];
const types: readonly Recipient['type'][] = ['to', 'cc', 'bcc'];
const recipientKeys = ['address', 'name', 'type', 'notify', 'orcpt'];

const mayBeNull: PathRules = { allowNull: true };

/** Many messages have the sender of the one before. */
let last: { readonly address: string; readonly sender: Sender } | undefined;

/** Throws SmtpUsageError EINVAL, naming for example `sender.address`. */
export function checkSender(input: string | SenderOptions): Sender {
  if (typeof input !== 'string') return readSender(input);
  if (last?.address !== input) last = { address: input, sender: readSender(input) };
  return last.sender;
}

function readSender(input: string | SenderOptions): Sender {
  const given = asObject<SenderOptions>(input, 'sender', senderKeys);
  const path = parsePath(given.address, 'sender.address', mayBeNull);
  if (given.name !== undefined) checkText(given.name, 'sender.name');
  const { size, body, ret, envid } = given;
  const smtputf8 = given.smtputf8 ?? path.utf8;
  if (path.utf8 && !smtputf8) {
    throw new SmtpUsageError('EINVAL', `${quoted(given.address)} needs SMTPUTF8`, 'sender.smtputf8');
  }
  const parameters = { size, body, smtputf8, ret, envid };
  checkMailParameters(parameters, 'sender');
  return { path, name: given.name, replyTo: checkReplyTo(given.replyTo, smtputf8), parameters };
}

/** Most recipients are an address, and share the rest. */
const bare: RecipientExtras = { name: undefined, type: 'to', parameters: {} };
const bareUtf8: RecipientExtras = { ...bare, parameters: { smtputf8: true } };

/** All but the address. Throws SmtpUsageError EINVAL, naming for example `recipient.name`. */
export function checkRecipient(input: string | RecipientOptions, sender: Sender): RecipientExtras {
  const smtputf8 = sender.parameters.smtputf8 === true;
  if (typeof input === 'string') return smtputf8 ? bareUtf8 : bare;
  const { name, type = 'to', notify, orcpt } = asObject<RecipientOptions>(input, 'recipient', recipientKeys);
  if (name !== undefined) checkText(name, 'recipient.name');
  oneOf(type, types, 'recipient.type');
  return { name, type, parameters: { notify, orcpt, smtputf8 } };
}

function checkReplyTo(given: string | Mailbox | undefined, smtputf8: boolean): Mailbox | undefined {
  if (given === undefined) return undefined;
  const { address, name } = asObject<Mailbox>(given, 'sender.replyTo', ['address', 'name']);
  if (name !== undefined) checkText(name, 'sender.replyTo.name');
  const path = parsePath(address, 'sender.replyTo');
  if (path.utf8 && !smtputf8) {
    const hint = 'give smtputf8: true';
    throw new SmtpUsageError('EINVAL', `${quoted(address)} needs SMTPUTF8: ${hint}`, 'sender.replyTo');
  }
  return { address: path.address, name };
}

/** A string is the address alone. */
function asObject<T extends { readonly address: string }>(
  input: string | T,
  option: string,
  keys: readonly string[],
): Partial<T> & { readonly address: string } {
  // every other key may be absent
  if (typeof input === 'string') return { address: input } as Partial<T> & { readonly address: string };
  if (typeof input !== 'object' || input === null) {
    throw new SmtpUsageError('EINVAL', `${quoted(input)} is neither an address nor an object`, option);
  }
  if (Array.isArray(input)) throw new SmtpUsageError('EINVAL', 'give one address at a time', option);
  checkKeys(input, keys, option);
  return input;
}
