/**
 * Enhanced status codes (RFC 2034, RFC 3463), read from the bytes of a reply so that a look at one makes no string.
 * It must not know what a code means.
 */

const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;
const DOT = 0x2e;
const ZERO = 0x30;

/** `class.subject.detail` */
export type EnhancedCode = readonly [number, number, number];

/**
 * The enhanced code at the start of a line's text, whose class must equal the first digit of the reply code `code`;
 * there is none for 3xx (RFC 2034 §4). `at` is where the text begins; the line must have its line end.
 */
export function readEnhancedCode(bytes: Uint8Array, at: number, code: number): EnhancedCode | undefined {
  const group = Math.floor(code / 100);
  if (group === 3 || bytes[at] !== ZERO + group || bytes[at + 1] !== DOT) return;
  const subjectEnd = numberEnd(bytes, at + 2);
  if (subjectEnd < 0 || bytes[subjectEnd] !== DOT) return;
  const detailEnd = numberEnd(bytes, subjectEnd + 1);
  if (detailEnd < 0) return;
  const after = bytes[detailEnd];
  if (after !== SP && after !== CR && after !== LF) return;
  return [group, numberIn(bytes, at + 2, subjectEnd), numberIn(bytes, subjectEnd + 1, detailEnd)];
}

/** Where the number at `from` ends; -1 unless it has one to three digits and no leading zero (RFC 3463 §2). */
function numberEnd(bytes: Uint8Array, from: number): number {
  let end = from;
  while (isDigit(bytes[end]) && end - from <= 3) end++;
  const length = end - from;
  return length === 0 || length > 3 || (length > 1 && bytes[from] === ZERO) ? -1 : end;
}

function numberIn(bytes: Uint8Array, from: number, end: number): number {
  let value = 0;
  for (let i = from; i < end; i++) value = value * 10 + (bytes[i] ?? 0) - ZERO;
  return value;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= ZERO + 9;
}
