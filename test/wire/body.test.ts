/** Content encoders. All short strings at all cuts are in body.exhaustive.test.ts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ChunkEncoder,
  DataEncoder,
  type EncoderState,
  findBareLineEnd,
  has8bit,
  type Sink,
} from '../../src/wire/body.ts';
import { chunked, stuffed, unstuffed } from './body.naive.ts';

interface Encoder {
  readonly state: EncoderState;
  encode(chunk: Uint8Array, out: Sink): void;
  end(out: Sink): void;
}

function encoded(encoder: Encoder, ...chunks: (string | Uint8Array)[]): string {
  const pieces: Uint8Array[] = [];
  for (const chunk of chunks) {
    encoder.encode(typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk, (piece) =>
      pieces.push(piece),
    );
  }
  encoder.end((piece) => pieces.push(piece));
  return Buffer.concat(pieces).toString('latin1');
}

describe('DATA', () => {
  it.each([
    ['an empty message', [], '.\r\n'],
    ['a message of empty chunks', ['', ''], '.\r\n'],
    ['CRLF text unchanged (LE067)', ['a: b\r\n\r\ntext\r\n'], 'a: b\r\n\r\ntext\r\n.\r\n'],
    ['a last line without its end (LE068, ES02)', ['a'], 'a\r\n.\r\n'],
    ['LF text (LE066, ES02)', ['a\n\nb\n'], 'a\r\n\r\nb\r\n.\r\n'],
    ['lone CR and LF (LE069)', ['a\rb\n\rc\r\r\nd\n'], 'a\r\nb\r\n\r\nc\r\n\r\nd\r\n.\r\n'],
    ['LF.LF, which must not end it (LE069, S10)', ['a\n.\nb\r\n'], 'a\r\n..\r\nb\r\n.\r\n'],
    ['CR.CR (S10)', ['a\r.\rb\r\n'], 'a\r\n..\r\nb\r\n.\r\n'],
    ['a CR at the very end', ['a\r'], 'a\r\n.\r\n'],
    ['nothing but a CR', ['\r'], '\r\n.\r\n'],
    ['a CRLF cut in two', ['a\r', '\nb\r\n'], 'a\r\nb\r\n.\r\n'],
    ['a CRLF cut in two, with an empty chunk between', ['a\r', '', '\nb\r\n'], 'a\r\nb\r\n.\r\n'],
    ['a CR, then a dot in the next chunk', ['a\r', '.b'], 'a\r\n..b\r\n.\r\n'],
    ['two CRs, cut', ['\r', '\r'], '\r\n\r\n.\r\n'],
    [
      'dots across piece borders (TK26, ES02)',
      ['.', '.a\r\n', '.', '\r\n', 'b.', '.c'],
      '...a\r\n..\r\nb..c\r\n.\r\n',
    ],
    ['octets beyond 127 and NUL', ['\xff\0\r\n'], '\xff\0\r\n.\r\n'],
  ])('encodes %s', (_what, chunks, expected) => {
    expect(encoded(new DataEncoder(), ...chunks)).toBe(expected);
  });

  it('starts anew after the end', () => {
    const encoder = new DataEncoder();
    expect([encoded(encoder, 'a'), encoded(encoder, '.')]).toEqual(['a\r\n.\r\n', '..\r\n.\r\n']);
  });
});

describe('BDAT', () => {
  it.each([
    ['an empty message', [], ''],
    ['dots as they are (S10)', ['.\r\n.', '.\r\n'], '.\r\n..\r\n'],
    ['CRLF text unchanged (LE067)', ['a\r\n\r\n.\r\n'], 'a\r\n\r\n.\r\n'],
    ['a last line without its end (LE068)', ['a'], 'a\r\n'],
    ['lone CR and LF (LE069)', ['a\rb\n', 'c\r'], 'a\r\nb\r\nc\r\n'],
  ])('encodes %s', (_what, chunks, expected) => {
    expect(encoded(new ChunkEncoder(), ...chunks)).toBe(expected);
  });
});

describe('state', () => {
  it.each([DataEncoder, ChunkEncoder])('%o goes on from a saved one', (Encoder) => {
    const text = '.a\r\n.b\r.\n\r\r\n.c\n.';
    const whole = encoded(new Encoder(), text);
    for (let at = 0; at <= text.length; at++) {
      const first: Uint8Array[] = [];
      const encoder = new Encoder();
      encoder.encode(Buffer.from(text.slice(0, at)), (piece) => first.push(piece));
      const saved: EncoderState = JSON.parse(JSON.stringify(encoder.state));
      const rest = encoded(new Encoder(saved), text.slice(at));
      expect(Buffer.concat(first).toString('latin1') + rest).toBe(whole);
    }
  });
});

describe('large content', () => {
  const token = fc.oneof(
    { weight: 4, arbitrary: fc.constant('\r\n') },
    { weight: 4, arbitrary: fc.integer({ min: 0, max: 3000 }).map((length) => 'x'.repeat(length)) },
    { weight: 3, arbitrary: fc.constantFrom('\r', '\n', '.', '\r\n.\r\n', '\n.\n', '\xff', '\0') },
  );
  const texts = fc.array(token, { maxLength: 100, size: 'max' }).map((tokens) => tokens.join(''));

  it('random text at random cuts is normalised, stuffed, and ended once (S10, TK26)', () => {
    fc.assert(
      fc.property(texts, fc.array(fc.nat(60_000), { maxLength: 10 }), (text, places) => {
        const cuts = [0, ...places.filter((place) => place < text.length).sort((a, b) => a - b), text.length];
        const chunks = cuts.slice(1).map((end, i) => text.slice(cuts[i], end));
        const data = encoded(new DataEncoder(), ...chunks);
        expect(data).toBe(stuffed(text));
        expect(`\r\n${data}`.indexOf('\r\n.\r\n')).toBe(data.length - 3);
        expect(encoded(new ChunkEncoder(), ...chunks)).toBe(chunked(text));
        expect(unstuffed(data)).toBe(chunked(text));
      }),
      { numRuns: 300 },
    );
  });

  it('nothing but line ends and dots, far more than a stage holds', () => {
    for (const text of [
      '\n'.repeat(100_000),
      '\r'.repeat(100_000),
      '.\n'.repeat(50_000),
      '\r\n.'.repeat(30_000),
    ]) {
      expect(encoded(new DataEncoder(), text)).toBe(stuffed(text));
    }
  });
});

describe('no copy', () => {
  const clean = Buffer.from(`${'a line of text with a . and more'.repeat(2)}\r\n`.repeat(1000));
  const pieces = (encoder: Encoder, ...chunks: Uint8Array[]): Uint8Array[] => {
    const all: Uint8Array[] = [];
    for (const chunk of chunks) encoder.encode(chunk, (piece) => all.push(piece));
    return all;
  };

  it('a clean chunk is handed on as it is, cut anywhere', () => {
    for (const encoder of [new DataEncoder(), new ChunkEncoder()]) {
      for (let at = 1; at < 200; at++) {
        const chunks = [clean.subarray(0, at), clean.subarray(at)];
        const all = pieces(encoder, ...chunks);
        expect(all).toHaveLength(2);
        expect(all.every((piece, i) => piece === chunks[i])).toBe(true);
      }
    }
  });

  it('a few dots cost nothing: the stretches between them are slices, and each dot is in two of them', () => {
    const chunk = Buffer.concat([clean, Buffer.from('.one\r\n'), clean, Buffer.from('.two\r\n'), clean]);
    const all = pieces(new DataEncoder(), chunk);
    expect(all.map((piece) => piece.buffer === chunk.buffer)).toEqual([true, true, true]);
  });

  it('many insertions do not become many pieces', () => {
    const chunk = Buffer.from('a line that ends with LF\n'.repeat(4000));
    expect(pieces(new DataEncoder(), chunk).length).toBeLessThan(16);
  });

  it('takes any Uint8Array, at any offset', () => {
    const around = new Uint8Array(40).fill(0x2e);
    const view = around.subarray(3, 9);
    view.set(Buffer.from('\n.\r.\n\r'));
    expect(encoded(new DataEncoder(), view)).toBe('\r\n..\r\n..\r\n\r\n.\r\n');
    expect(findBareLineEnd(view, false)).toBe(0);
    expect(has8bit(view)).toBe(false);
  });
});

describe('what the policies ask', () => {
  it.each([
    ['', false, -1],
    ['', true, -1],
    ['a\r\nb\r\n', false, -1],
    ['a\nb', false, 1],
    ['a\r\nb\rc\n', false, 4],
    ['a\r', false, -1],
    ['\na', true, -1],
    ['\na', false, 0],
    ['a', true, 0],
    ['\r\n', true, 0],
  ])('the first lone line end of %j, after a CR: %j, is at %i (LE069)', (text, afterCr, at) => {
    expect(findBareLineEnd(Buffer.from(text), afterCr)).toBe(at);
  });

  it('one octet beyond 127 is found wherever it stands', () => {
    for (const length of [0, 1, 7, 8, 9, 64, 300]) {
      const chunk = new Uint8Array(length).fill(0x7f);
      expect(has8bit(chunk)).toBe(false);
      for (let at = 0; at < length; at++) {
        chunk[at] = 0x80;
        expect(has8bit(chunk)).toBe(true);
        chunk[at] = 0x7f;
      }
    }
  });
});
