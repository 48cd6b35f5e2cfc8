/**
 * Flaws of content: where an octet is missing before it may go to the wire. Sixteen octets are looked at together where
 * the machine can (`vector.ts`), else one after the other. It must not know what is put there.
 *
 * An octet has a flaw before it where a CR ends and no LF follows, where an LF has no CR before it, and, with `dots`,
 * where a dot begins a line.
 */
import { vectorBytes, vectorSearch } from './vector.ts';

export const LF = 0x0a;
export const CR = 0x0d;
export const DOT = 0x2e;

/**
 * The next flaw of a block at or behind `at`, else the block's length; `before` is the octet ahead of it. A block is
 * asked about from 0 on, in order, and nothing else meanwhile.
 */
export type Search = (block: Uint8Array, before: number, dots: boolean, at: number) => number;

/** The most that is searched at once, in octets. */
export const blockBytes = vectorBytes;

const none: readonly number[] = [];
let search: Search | undefined;

/**
 * Offsets of the octets of the block that have a flaw before them, in order; none where it is clean.
 * @param block at most {@link blockBytes} octets
 * @param before the octet ahead of the block; an LF where a line begins
 */
export function flawsOf(block: Uint8Array, before: number, dots: boolean): readonly number[] {
  search ??= vectorSearch() ?? plainSearch;
  let at = search(block, before, dots, 0);
  if (at === block.length) return none;
  const flaws: number[] = [];
  for (; at < block.length; at = search(block, before, dots, at + 1)) flaws.push(at);
  return flaws;
}

/** One octet after the other: what a flaw is. */
export function plainSearch(block: Uint8Array, before: number, dots: boolean, from: number): number {
  let last = from === 0 ? before : block[from - 1];
  for (let at = from; at < block.length; at++) {
    const octet = block[at];
    if ((octet === LF) !== (last === CR) || (dots && octet === DOT && last === LF)) return at;
    last = octet;
  }
  return block.length;
}
