/**
 * Encoded words: text that is not ASCII, in ASCII (RFC 2047). It knows nothing of headers and of lines.
 *
 * Written here because the kept library for it (nodemailer's mime-funcs) brings 90 kB of MIME type tables and takes
 * nearly as long to load as XState; of it only one function of this size would be used.
 */

/** Payload of one word, in characters. With `=?UTF-8?B?` and `?=` that makes 64, so that `Subject: ` fits in front. */
const payloadMax = 52;

/** What stands for itself in a Q word everywhere, phrases included (RFC 2047 §5 (3)). */
const literal = /^[A-Za-z0-9!*+/-]$/;

const encoder = new TextEncoder();

interface Encoding {
  /** What one word may hold, counted by `cost`. */
  readonly limit: number;
  readonly cost: (character: string) => number;
  readonly write: (part: string) => string;
}

const base64: Encoding = { limit: (payloadMax / 4) * 3, cost: byteLength, write: base64Word };
const quoted: Encoding = { limit: payloadMax, cost: quotedLength, write: quotedWord };

/** The text as encoded words of UTF-8, no character cut in two. They belong side by side with one space between. */
export function encodeWords(text: string): string[] {
  const characters = [...text];
  const letters = characters.filter((c) => literal.test(c) || c === ' ').length;
  // Q keeps mostly Latin text readable for people; beyond that base64 is shorter
  return pack(characters, letters * 2 > characters.length ? quoted : base64);
}

function pack(characters: readonly string[], { limit, cost, write }: Encoding): string[] {
  const words: string[] = [];
  let part = '';
  let used = 0;
  for (const character of characters) {
    const more = cost(character);
    if (used + more > limit) {
      words.push(write(part));
      part = '';
      used = 0;
    }
    part += character;
    used += more;
  }
  if (part !== '') words.push(write(part));
  return words;
}

function byteLength(character: string): number {
  return encoder.encode(character).length;
}

function quotedLength(character: string): number {
  return literal.test(character) || character === ' ' ? 1 : 3 * byteLength(character);
}

function base64Word(part: string): string {
  return `=?UTF-8?B?${Buffer.from(part, 'utf8').toString('base64')}?=`;
}

function quotedWord(part: string): string {
  return `=?UTF-8?Q?${[...part].map(quotedCharacter).join('')}?=`;
}

function quotedCharacter(character: string): string {
  if (literal.test(character)) return character;
  if (character === ' ') return '_';
  return [...encoder.encode(character)]
    .map((b) => `=${b.toString(16).toUpperCase().padStart(2, '0')}`)
    .join('');
}
