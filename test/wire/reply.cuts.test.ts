/** Replies do not depend on how the stream was cut (S11, S12), and hostile ones stay within bounds and linear (S9). */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import {
  defaultReplyLimits,
  type Reply,
  type ReplyLimits,
  ReplyParser,
  ReplySyntaxError,
} from '../../src/wire/reply.ts';

/** What comes out of a stream that arrives in these chunks: replies as JSON, then the reason of a failure. */
function outcome(chunks: Iterable<Uint8Array>, limits: Partial<ReplyLimits> = {}): string[] {
  const parser = new ReplyParser(limits);
  const told: string[] = [];
  try {
    for (const chunk of chunks) {
      parser.feed(chunk);
      for (let reply = parser.next(); reply !== undefined; reply = parser.next())
        told.push(JSON.stringify(reply));
    }
  } catch (error) {
    if (!(error instanceof ReplySyntaxError)) throw error;
    told.push(error.reason);
  }
  return told;
}

function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [0, ...[...places].sort((a, b) => a - b), bytes.length];
  return sorted.slice(1).map((end, i) => bytes.subarray(sorted[i], end));
}

const everyByte = (bytes: Uint8Array): Uint8Array[] =>
  cut(
    bytes,
    Array.from(bytes.keys()).filter((i) => i > 0),
  );

describe('cuts', () => {
  const stream = Buffer.from(
    '220 mx ESMTP\r\n\r\n250-mx\r\n250-SIZE 10\r\n250 AUTH PLAIN\r\n250\r\n354 gö\n\n250-2.1.5\r\n250 2.1.5 ok\r\n421\r\n25x',
  );
  const whole = outcome([stream]);

  it('whole gives the replies', () => {
    expect(whole.map((told) => told.slice(0, 11))).toEqual([
      '{"code":220',
      '{"code":250',
      '{"code":250',
      '{"code":354',
      '{"code":250',
      '{"code":421',
      'code',
    ]);
  });

  it('byte by byte gives the same', () => {
    expect(outcome(everyByte(stream))).toEqual(whole);
  });

  it('every cut in two, and in three, gives the same', () => {
    for (let a = 0; a <= stream.length; a++) {
      for (let b = a; b <= stream.length; b++) expect(outcome(cut(stream, [a, b]))).toEqual(whole);
    }
  });

  it('several chunks fed before the first look give the same', () => {
    for (const size of [1, 7, 3000]) {
      const large = Buffer.from('250-some text\r\n250 2.0.0 more\r\n'.repeat(1000));
      const parser = new ReplyParser();
      for (let at = 0; at < large.length; at += size) parser.feed(large.subarray(at, at + size));
      expect(parser.pending).toBe(large.length);
      let count = 0;
      while (parser.next()?.lines[1] === '2.0.0 more') count++;
      expect([count, parser.pending]).toEqual([1000, 0]);
    }
  });

  it('two parsers that share memory do not disturb each other', () => {
    const texts = ['250-mine\r\n250 2.0.0 is mine\r\n', '550-yours\r\n550 5.0.0 is yours\r\n'];
    const parsers = texts.map(() => new ReplyParser());
    const kept: Reply[][] = [[], []];
    for (let at = 0; at < 5000; at++) {
      for (const [i, text] of texts.entries()) {
        parsers[i]?.feed(Buffer.from(text[at % text.length] ?? ''));
        const reply = parsers[i]?.next();
        if (reply !== undefined) kept[i]?.push(reply);
      }
      const [short] = outcome([Buffer.from('220 short\r\n')]);
      expect(short).toContain('short');
    }
    const told = kept.map((replies) => [...new Set(replies.map((reply) => reply.text))]);
    expect(told).toEqual([['mine\n2.0.0 is mine'], ['yours\n5.0.0 is yours']]);
  });

  it('replies kept for long stay as they were, whatever other parsers do meanwhile', () => {
    const kept: Reply[] = [];
    const [steady, split] = [new ReplyParser(), new ReplyParser()];
    for (let i = 0; i < 3000; i++) {
      split.feed(Buffer.from('250-half '));
      split.next();
      steady.feed(Buffer.from(`250 ${i}\r\n`));
      for (const parser of [steady, split]) {
        if (parser === split) parser.feed(Buffer.from(`of ${i}\r\n250\r\n`));
        const reply = parser.next();
        if (reply !== undefined) kept.push(reply);
      }
    }
    expect(kept.map((reply) => reply.lines[0])).toEqual(
      Array.from({ length: 3000 }, (_, i) => [`${i}`, `half of ${i}`]).flat(),
    );
  });

  it('a parser does not read what another wrote behind its bytes', () => {
    const [one, other] = [new ReplyParser({ blankLines: 1 }), new ReplyParser()];
    one.feed(Buffer.from('\r'));
    other.feed(Buffer.from('\n250 other\r\n'));
    expect([one.next(), one.pending]).toEqual([undefined, 1]);
    one.feed(Buffer.from('\n250 one\r\n'));
    expect([one.next()?.text, other.next()?.text]).toEqual(['one', 'other']);
  });

  it('empty lines are counted anew for each reply', () => {
    expect(outcome([Buffer.from('\r\n\n250 x\r\n'.repeat(100))], { blankLines: 2 })).toHaveLength(100);
  });

  const line = fc.oneof(
    fc.constantFrom(
      '250-a',
      '250 b',
      '250',
      '550-5.1.1 no',
      '550 5.1.1 no',
      '354 go',
      '',
      '',
      'x',
      '25',
      '99',
    ),
    fc.string({ maxLength: 30 }).map((text) => `250 ${text}`),
  );
  const streams = fc
    .array(fc.tuple(line, fc.constantFrom('\r\n', '\n', '\r\n', '\r')), { maxLength: 30 })
    .map((lines) => Buffer.from(lines.map((parts) => parts.join('')).join('')));

  it('random streams, random cuts, random bounds give the same', () => {
    const limits = fc.record({
      lineBytes: fc.integer({ min: 8, max: 40 }),
      lines: fc.integer({ min: 1, max: 4 }),
      bytes: fc.integer({ min: 8, max: 80 }),
      blankLines: fc.nat(3),
    });
    fc.assert(
      fc.property(streams, fc.array(fc.nat(400), { maxLength: 20 }), limits, (bytes, places, bounds) => {
        const cuts = places.filter((place) => place <= bytes.length);
        const expected = outcome([bytes], bounds);
        expect(outcome(cut(bytes, cuts), bounds)).toEqual(expected);
        expect(outcome(everyByte(bytes), bounds)).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  it('random bytes never do anything but give replies or a ReplySyntaxError', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => outcome([bytes]).length < 200));
  });
});

describe('bounds (S11, LE045)', () => {
  const { lineBytes, lines, bytes, blankLines } = defaultReplyLimits;
  const endless: readonly [reason: string, start: string, again: string, limit: number][] = [
    ['longLine', '250 ', 'a', lineBytes],
    ['longLine', '250-a\r\n250-', 'a', lineBytes + 7],
    ['manyLines', '', '250-\r\n', 6 * lines],
    ['longReply', '', `250-${'a'.repeat(994)}\r\n`, bytes],
    ['blankLines', '', '\r\n', 2 * blankLines + 2],
    ['blankLines', '250 ok\r\n', '\n', blankLines + 1],
  ];

  it.each(endless)('an endless stream is refused: %s', (reason, start, again, limit) => {
    for (const chunkSize of [1, 6, 1000, 65_536]) {
      const parser = new ReplyParser();
      const endlessly = Buffer.from(start + again.repeat(Math.ceil(140_000 / again.length)));
      let fed = 0;
      const feedOn = (): void => {
        while (fed < endlessly.length) {
          const chunk = endlessly.subarray(fed, fed + chunkSize);
          fed += chunk.length;
          parser.feed(chunk);
          while (parser.next() !== undefined);
          // What is kept never grows beyond the bounds and one chunk.
          expect(parser.pending).toBeLessThanOrEqual(limit + chunkSize);
        }
      };
      expect(feedOn).toThrow(expect.objectContaining({ reason }));
      expect(fed).toBeLessThanOrEqual(limit + 8 + chunkSize);
    }
  });

  it('what just fits is taken', () => {
    const line = `250-${'a'.repeat(lineBytes - 6)}\r\n`;
    expect(outcome([Buffer.from(`${line}250 x\r\n`)])).toHaveLength(1);
    expect(outcome([Buffer.from(`${'250-\r\n'.repeat(lines - 1)}250 x\r\n`)])[0]).toContain('"code":250');
    expect(outcome([Buffer.from(`${line.repeat(15)}${line.replace('-', ' ')}`)])[0]).toContain('"code":250');
    expect(outcome([Buffer.from(`${'\r\n'.repeat(blankLines)}250 x\r\n`)])[0]).toContain('"code":250');
  });
});

describe('work (S9)', () => {
  it('copies each byte a few times at most, however small the chunks: a megabyte byte by byte', () => {
    const size = 1_000_000;
    const stream = Buffer.from(`250-${'a'.repeat(size - 6)}\r\n`);
    let copied = 0;
    const original = Uint8Array.prototype.set;
    const set = vi.spyOn(Uint8Array.prototype, 'set').mockImplementation(function (
      this: Uint8Array,
      source: ArrayLike<number>,
      at?: number,
    ) {
      copied += source.length;
      original.call(this, source, at);
    });
    const parser = new ReplyParser({ lineBytes: 2 * size, bytes: 2 * size });
    for (let at = 0; at < size; at++) {
      parser.feed(stream.subarray(at, at + 1));
      if (parser.next() !== undefined) throw new Error('too early');
    }
    set.mockRestore();
    expect(parser.pending).toBe(size);
    expect(copied).toBeGreaterThanOrEqual(size);
    expect(copied).toBeLessThan(4 * size);
  });
});

describe('memory', () => {
  it('a kept reply does not pin the chunk it came in', () => {
    const chunk = Buffer.from(`250 keep me\r\n${'250 x\r\n'.repeat(9000)}`);
    const parser = new ReplyParser();
    parser.feed(chunk);
    const views = vi.spyOn(Buffer, 'from');
    expect(parser.next()?.text).toBe('keep me');
    const kept = views.mock.calls.map(([buffer]) => (buffer instanceof ArrayBuffer ? buffer.byteLength : -1));
    views.mockRestore();
    expect(kept).toEqual([8192]);
  });
});
