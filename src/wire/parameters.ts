/**
 * The parameters of MAIL and RCPT: SIZE (RFC 1870), BODY (RFC 6152, RFC 3030), SMTPUTF8 (RFC 6531), RET, ENVID,
 * NOTIFY, ORCPT (RFC 3461) and AUTH (RFC 4954 §5). Checking is encoding: there is one function for both, so a value
 * that passed the check cannot fail later. It must not know what the server announced.
 */
import { SmtpUsageError } from '../errors.ts';
import { parsePath } from './address.ts';
import { checkText, isAscii, octets, quoted } from './characters.ts';
import { encodeUtf8AddressUnitext, encodeUtf8AddressXtext, encodeXtext } from './xtext.ts';

/** What may follow the address in MAIL FROM. */
export interface MailParameters {
  /** Octets of the message as declared to the server (RFC 1870). */
  readonly size?: number | undefined;
  readonly body?: '7bit' | '8bitmime' | 'binarymime' | undefined;
  /** The address, or the header, is not ASCII (RFC 6531). @default false */
  readonly smtputf8?: boolean | undefined;
  /** How much of the message a failure report returns (RFC 3461 §4.3). */
  readonly ret?: 'full' | 'hdrs' | undefined;
  /** Envelope identifier, at most 100 printable ASCII characters (RFC 3461 §4.4). */
  readonly envid?: string | undefined;
  /** The submitter's mailbox; `''` or `'<>'` where it is unknown (RFC 4954 §5). */
  readonly auth?: string | undefined;
}

export type NotifyCondition = 'success' | 'failure' | 'delay';

/** What may follow the address in RCPT TO. */
export interface RecipientParameters {
  /** When to report (RFC 3461 §4.1). `'never'` excludes the others. */
  readonly notify?: 'never' | readonly NotifyCondition[] | undefined;
  /** The original recipient: `addr`, or `type;addr` (RFC 3461 §4.2, RFC 6533 §3). */
  readonly orcpt?: string | undefined;
  /** The line may hold UTF-8, since MAIL said SMTPUTF8. @default false */
  readonly smtputf8?: boolean | undefined;
}

const bodies: readonly string[] = ['7bit', '8bitmime', 'binarymime'];
const returns: readonly string[] = ['full', 'hdrs'];
const conditions: readonly string[] = ['success', 'failure', 'delay'];
/** RFC 3461 §4.4, before it becomes xtext. */
const envidLimit = 100;
/** RFC 3461 §4, RFC 4954 §5: what ORCPT and AUTH may add to the line. */
const valueLimit = 500;

/** Throws SmtpUsageError EINVAL, naming for example `sender.size`. */
export function checkMailParameters(params: MailParameters, option: string): void {
  encodeMailParameters(params, option);
}

/** Throws SmtpUsageError EINVAL, naming for example `recipient.orcpt`. */
export function checkRecipientParameters(params: RecipientParameters, option: string): void {
  encodeRecipientParameters(params, option);
}

/** The text after the address, beginning with a space, or `''`. */
export function encodeMailParameters(params: MailParameters, option: string): string {
  const { size, body, smtputf8, ret, envid, auth } = params;
  let out = '';
  if (size !== undefined) out += ` SIZE=${checkCount(size, `${option}.size`)}`;
  if (body !== undefined) out += ` BODY=${oneOf(body, bodies, `${option}.body`)}`;
  if (checkFlag(smtputf8, `${option}.smtputf8`)) out += ' SMTPUTF8';
  if (ret !== undefined) out += ` RET=${oneOf(ret, returns, `${option}.ret`)}`;
  if (envid !== undefined) out += ` ENVID=${encodeEnvid(envid, `${option}.envid`)}`;
  if (auth !== undefined) out += ` AUTH=${encodeSubmitter(auth, `${option}.auth`)}`;
  return out;
}

/** The text after the address, beginning with a space, or `''`. */
export function encodeRecipientParameters(params: RecipientParameters, option: string): string {
  const { notify, orcpt, smtputf8 } = params;
  const utf8 = checkFlag(smtputf8, `${option}.smtputf8`);
  let out = '';
  if (notify !== undefined) out += ` NOTIFY=${encodeNotify(notify, `${option}.notify`)}`;
  if (orcpt !== undefined) out += ` ORCPT=${encodeOriginal(orcpt, utf8, `${option}.orcpt`)}`;
  return out;
}

/** A whole number of octets; anything else could print as a text of its own. */
export function checkCount(value: unknown, option: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  const shown = typeof value === 'number' ? String(value) : quoted(value);
  throw new SmtpUsageError('EINVAL', `${shown} is no whole number of octets`, option);
}

function checkFlag(value: unknown, option: string): boolean {
  if (value === undefined || typeof value === 'boolean') return value === true;
  throw new SmtpUsageError('EINVAL', `${quoted(value)} is neither true nor false`, option);
}

function oneOf(value: unknown, allowed: readonly string[], option: string): string {
  if (typeof value === 'string' && allowed.includes(value)) return value.toUpperCase();
  throw new SmtpUsageError('EINVAL', `${quoted(value)} is none of ${allowed.join(', ')}`, option);
}

function encodeEnvid(envid: string, option: string): string {
  checkText(envid, option);
  if (envid === '' || envid.length > envidLimit || !isAscii(envid)) {
    const message = `${quoted(envid)} is not 1 to ${envidLimit} printable ASCII characters`;
    throw new SmtpUsageError('EINVAL', message, option);
  }
  return encodeXtext(envid);
}

function encodeSubmitter(auth: string, option: string): string {
  if (auth === '' || auth === '<>') return '<>';
  const path = parsePath(auth, option);
  if (!path.utf8) return checkLength(encodeXtext(path.address), option);
  throw new SmtpUsageError('EINVAL', `${quoted(auth)} is not ASCII: give '<>'`, option);
}

function encodeNotify(notify: unknown, option: string): string {
  if (notify === 'never') return 'NEVER';
  if (!Array.isArray(notify) || notify.length === 0) {
    const message = `${quoted(notify)} is neither 'never' nor a list of ${conditions.join(', ')}`;
    throw new SmtpUsageError('EINVAL', message, option);
  }
  const words = new Set<string>();
  for (const word of notify) words.add(oneOf(word, conditions, option));
  return [...words].join(',');
}

function encodeOriginal(orcpt: string, utf8: boolean, option: string): string {
  checkText(orcpt, option);
  const [type, address] = splitType(orcpt);
  if (address === '' || octets(address) > valueLimit) {
    const message = `${quoted(orcpt)} is not 1 to ${valueLimit} octets of address`;
    throw new SmtpUsageError('EINVAL', message, option);
  }
  if (type.toLowerCase() === 'utf-8') {
    const encode = utf8 ? encodeUtf8AddressUnitext : encodeUtf8AddressXtext;
    return checkLength(`${type};${encode(address)}`, option);
  }
  if (!isAscii(address)) {
    throw new SmtpUsageError('EINVAL', `${quoted(orcpt)} is not ASCII, so its type must be utf-8`, option);
  }
  return checkLength(`${type};${encodeXtext(address)}`, option);
}

/** `type;addr`, where the type is an atom; a bare address is of the type its characters call for. */
function splitType(orcpt: string): readonly [type: string, address: string] {
  const at = orcpt.indexOf(';');
  const type = orcpt.slice(0, Math.max(at, 0));
  if (/^[A-Za-z0-9-]{1,32}$/.test(type)) return [type, orcpt.slice(at + 1)];
  return [isAscii(orcpt) ? 'rfc822' : 'utf-8', orcpt];
}

function checkLength(value: string, option: string): string {
  if (octets(value) <= valueLimit) return value;
  const message = `${quoted(value)} is longer than ${valueLimit} octets when encoded`;
  throw new SmtpUsageError('EINVAL', message, option);
}
