/**
 * Bodies that are hard on whoever carries them, and what a server must have got of them. The encoding is worked out
 * by the plain text functions of the wire's own tests.
 */
import type { Random } from 'smtpump/testing';
import { chunked } from '../wire/body.naive.ts';

const plain = ['.', '..', '\r\n.\r\n', '\n.\n', '\r.\r', '\r', '\n', '\r\n', '.\r\n', 'text', ' ', '\t'];
const commands = [
  'QUIT\r\n',
  'RSET\r\nMAIL FROM:<evil@a.example>\r\n',
  '\r\n.\r\nMAIL FROM:<evil@a.example>\r\n',
];
const long = ['x'.repeat(70), 'y'.repeat(998), `${'z'.repeat(76)}\r\n`.repeat(20), '.\r\n'.repeat(50)];
const seven = [...plain, ...plain, ...commands, ...long].map((text) => Buffer.from(text, 'latin1'));
const eight = [...seven, ...['é', '\xff\xfe', '\0', '漢字'].map((text) => Buffer.from(text))];
/** Only now and then: they cost the most. */
const large = Buffer.from(`${`${'.'.repeat(61)}\r\n`.repeat(50)}\n\n${'w'.repeat(5000)}\r`.repeat(26));

/** The pieces in which a caller hands a body over. */
export function drawBody(random: Random): Uint8Array[] {
  const pieces = random.chance(0.25) ? eight : seven;
  const parts = Array.from({ length: random.int(9) }, () => random.pick(pieces) ?? large);
  if (random.chance(0.01)) parts.push(large.subarray(0, random.int(large.length)));
  const whole = Buffer.concat(parts);
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < whole.length; ) {
    const size = random.chance(0.3) ? 1 + random.int(3) : 1 + random.int(whole.length);
    chunks.push(whole.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

/** How a message was written. */
export interface Written {
  /** Its envelope's sender, which no other message has. */
  readonly from: string;
  how: 'raw' | 'mime' | 'generated';
  readonly binary: boolean;
  /** The octets that the client took. */
  readonly taken: Uint8Array[];
}

/** What is wrong with the octets that the server has, or undefined. */
export function contentProblem(data: Uint8Array, written: Written, mayEndEmpty: boolean): string | undefined {
  const text = Buffer.concat(written.taken).toString('latin1');
  const body = written.binary ? text : chunked(text);
  const got = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('latin1');
  if (fits(got, body, written.how)) return undefined;
  if (mayEndEmpty && got.endsWith('\r\n') && fits(got.slice(0, -2), body, written.how)) return undefined;
  return `its ${written.how} content is ${excerpt(got)}, and should be ${excerpt(body)}`;
}

function fits(got: string, body: string, how: Written['how']): boolean {
  if (how === 'raw') return got === body;
  if (!got.endsWith(body)) return false;
  const head = got.slice(0, got.length - body.length);
  const lines = head.split('\r\n');
  // the last line end, and in front of a body the empty line
  const tail = lines.splice(how === 'mime' ? -1 : -2).join('|');
  return (
    tail === (how === 'mime' ? '' : '|') &&
    lines.length > 2 &&
    lines.every((line) => /^(?:[!-9;-~]+:|[ \t])[ -~]/.test(line))
  );
}

const excerpt = (text: string): string =>
  `${JSON.stringify(text.length > 160 ? `${text.slice(0, 100)}…${text.slice(-50)}` : text)} (${text.length})`;
