/**
 * Encoded words: text that is not ASCII, in ASCII (RFC 2047). It knows nothing of headers and of lines.
 */
import { encodeWord } from 'nodemailer/lib/mime-funcs';

/** The longest word in characters, so that `Subject: ` fits in front of it. */
const wordMax = 64;

/** What stands for itself in a Q word everywhere, phrases included (RFC 2047 §5 (3)), and the space, which is short. */
const readable = /[A-Za-z0-9!*+/ -]/;

/** The text as encoded words of UTF-8, no character cut in two. They belong side by side with one space between. */
export function encodeWords(text: string): string[] {
  const characters = [...text];
  const letters = characters.filter((character) => readable.test(character)).length;
  // Q keeps mostly Latin text readable for people; beyond that base64 is shorter
  return encodeWord(text, letters * 2 > characters.length ? 'Q' : 'B', wordMax).split(' ');
}
