/**
 * Both encoders on all strings of up to seven octets, out of six that matter, at all cuts into up to three chunks.
 */
import { describe, expect, it } from 'vitest';
import { ChunkEncoder, DataEncoder, findBareLineEnd, has8bit, type Sink } from '../../src/wire/body.ts';
import { chunked, stuffed, unstuffed } from './body.naive.ts';

const octets = [0x0d, 0x0a, 0x2e, 0x61, 0x00, 0xff] as const;
const longest = 7;

const input = new Uint8Array(longest);
/** `views[a][b]` is `input` from a to b: made once, since making views would take most of the time. */
const views = Array.from({ length: longest + 1 }, (_, a) =>
  Array.from({ length: longest + 1 }, (_, b) => input.subarray(a, Math.max(a, b))),
);

/** Calls back for each string, which is then in `input`. */
function eachString(length: number, fn: (text: string) => void): void {
  for (let n = 0; n < octets.length ** length; n++) {
    for (let i = 0, rest = n; i < length; i++, rest = Math.floor(rest / octets.length)) {
      input[i] = octets[rest % octets.length] ?? 0;
    }
    fn(Buffer.from(input.buffer, 0, length).toString('latin1'));
  }
}

const output = new Uint8Array(64);
let filled = 0;
const sink: Sink = (piece) => {
  for (let i = 0; i < piece.length; i++) output[filled++] = piece[i] ?? 0;
};

interface Encoder {
  encode(chunk: Uint8Array, out: Sink): void;
  end(out: Sink): void;
}

/** Encodes the string in three chunks; are these the bytes expected? */
function matches(encoder: Encoder, a: number, b: number, length: number, expected: Uint8Array): boolean {
  filled = 0;
  if (a > 0) encoder.encode(views[0]?.[a] ?? input, sink);
  if (b > a) encoder.encode(views[a]?.[b] ?? input, sink);
  if (length > b) encoder.encode(views[b]?.[length] ?? input, sink);
  encoder.end(sink);
  if (filled !== expected.length) return false;
  for (let i = 0; i < filled; i++) if (output[i] !== expected[i]) return false;
  return true;
}

function checkCuts(encoder: Encoder, length: number, text: string, reference: string): void {
  const expected = Buffer.from(reference, 'latin1');
  for (let a = 0; a < Math.max(length, 1); a++) {
    for (let b = a; b < Math.max(length, 1); b++) {
      if (a === 0 && b > 0) continue; // two chunks: met again as a = b
      if (!matches(encoder, a, b, length, expected)) {
        const wrong = Buffer.from(output.subarray(0, filled)).toString('latin1');
        expect({ text, a, b, encoded: wrong }).toEqual({ text, a, b, encoded: reference });
      }
    }
  }
}

for (let length = 0; length <= longest; length++) {
  describe(`all strings of length ${length}`, () => {
    it('DATA and BDAT encode as the naive reference does, at all cuts (S10, TK26, LE067, LE068, LE069, ES02)', () => {
      const data = new DataEncoder();
      const bdat = new ChunkEncoder();
      eachString(length, (text) => {
        checkCuts(data, length, text, stuffed(text));
        checkCuts(bdat, length, text, chunked(text));
      });
    }, 120_000);

    it('DATA ends once, holds no lone CR or LF, and decodes to the text (S10)', () => {
      eachString(length, (text) => {
        const data = stuffed(text);
        const good =
          `\r\n${data}`.indexOf('\r\n.\r\n') === data.length - 3 &&
          !/\r(?!\n)|(?<!\r)\n/.test(data) &&
          unstuffed(data) === chunked(text);
        if (!good) expect.fail(JSON.stringify({ text, data }));
      });
    });

    it('lone line ends and 8-bit octets are found (LE069)', () => {
      const lone = /\r(?!\n|$)|(?<!\r)\n/;
      eachString(length, (text) => {
        const chunk = views[0]?.[length] ?? input;
        const afterCr = `\r${text}`.search(lone);
        const good =
          findBareLineEnd(chunk, false) === text.search(lone) &&
          findBareLineEnd(chunk, true) === (afterCr < 0 ? -1 : Math.max(afterCr - 1, 0)) &&
          has8bit(chunk) === text.includes('\xff');
        if (!good) expect.fail(JSON.stringify({ text }));
      });
    });
  });
}
