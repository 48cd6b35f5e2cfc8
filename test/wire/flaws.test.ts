/** The search for flaws: sixteen octets together find what one after the other finds. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockBytes, CR, DOT, flawsOf, LF, plainSearch, type Search } from '../../src/wire/flaws.ts';
import { vectorSearch } from '../../src/wire/vector.ts';

const vectors = vectorSearch();

function all(search: Search, block: Uint8Array, before: number, dots: boolean): number[] {
  const found: number[] = [];
  const next = (at: number): number => search(block, before, dots, at);
  for (let at = next(0); at < block.length; at = next(at + 1)) found.push(at);
  return found;
}

describe('flaws', () => {
  it('are found with vectors on this machine', () => {
    expect(vectors).toBeDefined();
  });

  const octet = fc.constantFrom(LF, CR, DOT, 0x61, 0x61, 0x61, 0x0b, 0x8a, 0);
  const text = fc.oneof(
    fc.array(octet, { maxLength: 300 }),
    fc.array(fc.constantFrom([CR, LF], [0x61, CR, LF], [DOT], [LF], Array(40).fill(0x62), [CR]), {
      maxLength: 60,
    }),
  );

  it('are the same, found either way, whatever lay in the memory before (S10)', () => {
    fc.assert(
      fc.property(text, fc.constantFrom(LF, CR, 0), fc.boolean(), (octets, before, dots) => {
        const block = Uint8Array.from(octets.flat());
        expect(vectors && all(vectors, block, before, dots)).toEqual(all(plainSearch, block, before, dots));
      }),
      { numRuns: 2000 },
    );
  });

  it('are found at every place of a large block', () => {
    const line = Buffer.from(`${'x'.repeat(76)}\r\n`);
    const block = Buffer.alloc(blockBytes, line);
    block[blockBytes - 1] = 0x78;
    expect(flawsOf(block, LF, true)).toEqual([]);
    for (let at = 1; at < blockBytes - 1; at += 61) {
      const octet = block[at];
      if (octet === LF || octet === CR) continue;
      block[at] = LF;
      expect(flawsOf(block, LF, false), `an LF at ${at}`).toEqual(all(plainSearch, block, LF, false));
      block[at] = octet ?? 0;
    }
    block[blockBytes - 1] = CR;
    expect(flawsOf(block, LF, true), 'a CR at the very end is not judged').toEqual([]);
  });
});
