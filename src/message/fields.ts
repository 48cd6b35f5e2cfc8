/**
 * Header fields that the caller brings: names, values, and which of them may stand beside or in place of ours.
 * It knows nothing of the fields that are generated.
 */
import { printable, SmtpUsageError } from '../errors.ts';
import { pieceMax, piecesOf } from './fold.ts';
import { textPieces } from './phrase.ts';
import { checkHeaderText, isPlain } from './text.ts';

/** As an object, or as pairs where the order or a repeated name matters. */
export type HeaderFields =
  | Readonly<Record<string, string | readonly string[]>>
  | readonly (readonly [string, string])[];

/** At most once in a message (RFC 5322 §3.6). */
const single: ReadonlySet<string> = new Set(
  'date from sender reply-to to cc message-id in-reply-to references subject mime-version content-type'.split(
    ' ',
  ),
);

/** Fields with a grammar, where an encoded word in place of any text is wrong (RFC 2047 §5). */
const structured =
  /^(?:(?:resent-)?(?:date|from|sender|reply-to|to|cc|message-id)|in-reply-to|references|return-path|received|mime-version|content-(?!description$).*)$/;

/**
 * @param utf8 the message goes by SMTPUTF8: fields with a grammar may hold raw UTF-8 (RFC 6532)
 * @default utf8 false
 * @throws SmtpUsageError `EINVAL` naming `option`, for a name or value that cannot be sent
 */
export function checkHeaderFields(headers: HeaderFields, option: string, utf8 = false): void {
  if (typeof headers !== 'object' || headers === null) {
    throw refused(option, 'header fields are an object, or a list of pairs');
  }
  const seen = new Set<string>();
  for (const [name, value] of listFields(headers)) {
    const key = name.toLowerCase();
    checkName(name, option);
    if (single.has(key) && seen.has(key)) throw refused(option, `${name} may stand in a message only once`);
    seen.add(key);
    checkHeaderText(value, `${option}.${name}`);
    if (structured.test(key)) checkStructured(value, `${option}.${name}`, utf8);
  }
}

/** One pair for each line, in the order of the caller. */
export function listFields(headers: HeaderFields): [string, string][] {
  if (isPairs(headers)) return headers.map(([name, value]) => [name, value]);
  return Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    typeof value === 'object' && value !== null ? [...value].map((one) => [name, one]) : [[name, value]],
  );
}

/** A checked value in pieces: fields with a grammar as they are, others as free text. */
export function fieldPieces(name: string, value: string): string[] {
  return structured.test(name.toLowerCase()) ? piecesOf(value.trim()) : textPieces(value);
}

function isPairs(headers: HeaderFields): headers is readonly (readonly [string, string])[] {
  return Array.isArray(headers);
}

function checkName(name: string, option: string): void {
  // ftext of RFC 5322 §2.2; 76 leaves room for the colon, a space and CRLF in 80 columns
  if (typeof name !== 'string' || !/^[\x21-\x39\x3b-\x7e]{1,76}$/.test(name)) {
    throw refused(option, `not a header name: "${printable(String(name), 80)}"`);
  }
  if (/^(?:resent-)?bcc$/i.test(name)) {
    throw refused(option, `${name} is never sent; add the recipient with type 'bcc' instead`);
  }
}

function checkStructured(value: string, option: string, utf8: boolean): void {
  if (value.trim() === '') throw refused(option, 'the field must not be empty');
  if (!utf8 && !isPlain(value)) {
    throw refused(
      option,
      'text beyond ASCII must be encoded by the caller here, since this field has a grammar',
    );
  }
  if (piecesOf(value).some((piece) => Buffer.byteLength(piece) > pieceMax)) {
    throw refused(option, `more than ${pieceMax} octets without a space to fold at`);
  }
}

function refused(option: string, message: string): SmtpUsageError {
  return new SmtpUsageError('EINVAL', message, option);
}
