/**
 * What may stand in a header value at all. The one gate for every text of a caller on its way into the header.
 * It knows nothing of header names, of folding or of SMTP.
 */
import { printable, SmtpUsageError } from '../errors.ts';

/** Every control character but TAB, the line and paragraph separators of Unicode, half a surrogate pair. */
const forbidden = /[^\P{Cc}\t]|[\u2028\u2029]|\p{Cs}/u;

/** Printable ASCII and TAB: what may be written as it is (RFC 5322 §2.2). */
const plain = /^[\t\x20-\x7e]*$/;

/**
 * Refuses what could start another line, or what no decoder would give back: CR, LF, NUL and the other control
 * characters but TAB, U+2028, U+2029, lone surrogates (security S7, S14).
 *
 * @throws SmtpUsageError `EINVAL`, naming `option`
 */
export function checkHeaderText(text: string, option: string): void {
  if (typeof text !== 'string')
    throw new SmtpUsageError('EINVAL', `a string is needed, not ${typeof text}`, option);
  if (plain.test(text)) return;
  const bad = forbidden.exec(text)?.[0];
  if (bad === undefined) return;
  const point = (bad.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  throw new SmtpUsageError('EINVAL', `a header cannot carry U+${point}: "${printable(text, 80)}"`, option);
}

export function isPlain(text: string): boolean {
  return typeof text === 'string' && plain.test(text);
}
