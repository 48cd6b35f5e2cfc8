/**
 * What a character may be: the few classes that addresses, parameters and command lines are checked against.
 * It must not know what the text is for, and nothing here repairs: a wrong character is reported, never dropped.
 */
import { printable, SmtpUsageError } from '../errors.ts';

/** Tables, since every character of every address is looked up in them: 1 is yes. */
const alphanumeric = tableOf('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz');
const atext = tableOf("!#$%&'*+-/=?^_`{|}~", alphanumeric);

function tableOf(members: string, base: Uint8Array = new Uint8Array(128)): Uint8Array {
  const table = base.slice();
  for (const member of members) table[member.charCodeAt(0)] = 1;
  return table;
}

/** C0, DEL, C1 and the Unicode line ends: none of them belongs on a command line in any form. */
export function isControl(code: number): boolean {
  return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code === 0x2028 || code === 0x2029;
}

export function isAlphanumeric(code: number): boolean {
  return alphanumeric[code] === 1;
}

/** `atext` of RFC 5321 §4.1.2; any non-ASCII character is one too (RFC 6531 §3.3). Controls are not looked for. */
export function isAtext(code: number): boolean {
  return code > 0x7f || atext[code] === 1;
}

/** Index of the first control character or lone surrogate, or -1. */
export function findRefused(text: string): number {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x20 && code <= 0x7e) continue;
    if (isControl(code)) return i;
    if (code >= 0xd800 && code <= 0xdfff) {
      const next = text.charCodeAt(i + 1);
      if (code > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return i;
      i++;
    }
  }
  return -1;
}

export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

/** Length in UTF-8, which is what every limit of SMTP counts. */
export function octets(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

/** A value as an error message may show it. */
export function quoted(value: unknown): string {
  if (typeof value === 'string') return `"${printable(value, 80)}"`;
  const bare = value === null || ['number', 'boolean', 'undefined'].includes(typeof value);
  return bare ? String(value) : `a value of type ${typeof value}`;
}

/** `U+000D`, for messages that name one character. */
export function codePoint(text: string, index: number): string {
  return `U+${(text.codePointAt(index) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

/** Refuses what is no string and what holds a control character or a lone surrogate. */
export function checkText(text: unknown, option: string): asserts text is string {
  if (typeof text !== 'string') throw new SmtpUsageError('EINVAL', `${quoted(text)} is no string`, option);
  const at = findRefused(text);
  if (at >= 0) {
    const message = `${quoted(text)} holds ${codePoint(text, at)} at position ${at}, which no command may hold`;
    throw new SmtpUsageError('EINVAL', message, option);
  }
}
