/**
 * What the two threads share of one line: two rings, and the words by which each wakes the other.
 *
 * ```
 *   the pump's thread ── toSockets ──▶ the sockets' thread
 *                     ◀── toPump ────
 * ```
 * A wake-up that has not been heard yet is not sent again, so that they cannot pile up at a thread that never looks.
 */
import { markWords, Ring } from './ring.ts';

/** Words of the header. */
const word = {
  /** Counts what has come for the pump; `Atomics.wait` sleeps on it. */
  signal: 0,
  /** The pump's thread was called, and has not heard it. */
  called: 1,
  /** The sockets' thread was called, or is awake. */
  woken: 2,
  /** The sockets' thread waits for room in `toPump`. */
  blocked: 3,
  /** The pump waits for room in `toSockets`. */
  wanting: 4,
  /** Bytes of the two rings. */
  toSockets: 5,
  toPump: 6,
  /** The sockets' thread will not look at it again. */
  done: 7,
} as const;

const headerWords = 16;
const marksOffset = 4 * headerWords;
const ringMarkBytes = 2 * 4 * markWords;
const dataOffset = marksOffset + 2 * ringMarkBytes;
const leastRing = 4096;

/** Shared memory for a line; the sizes become powers of two. */
export function allocateLine(toSockets: number, toPump: number): SharedArrayBuffer {
  const sizes = [powerOfTwo(toSockets), powerOfTwo(toPump)] as const;
  const memory = new SharedArrayBuffer(dataOffset + sizes[0] + sizes[1]);
  const header = new Int32Array(memory, 0, headerWords);
  header[word.toSockets] = sizes[0];
  header[word.toPump] = sizes[1];
  return memory;
}

/** Makes the memory of a line that is over as good as new, if it has these sizes and its sockets' side is done. */
export function freeLine(memory: SharedArrayBuffer, toSockets: number, toPump: number): boolean {
  const header = new Int32Array(memory, 0, headerWords);
  const fits = header[word.toSockets] === powerOfTwo(toSockets) && header[word.toPump] === powerOfTwo(toPump);
  if (!fits || Atomics.load(header, word.done) === 0) return false;
  header.fill(0, 0, word.toSockets);
  header[word.done] = 0;
  new Int32Array(memory, marksOffset, (dataOffset - marksOffset) / 4).fill(0);
  return true;
}

export class SharedLine {
  readonly toSockets: Ring;
  readonly toPump: Ring;
  readonly #words: Int32Array;

  constructor(memory: SharedArrayBuffer, side: 'pump' | 'sockets') {
    this.#words = new Int32Array(memory, 0, headerWords);
    const sizes = [this.#words[word.toSockets] ?? 0, this.#words[word.toPump] ?? 0] as const;
    const marks = (n: number): Int32Array =>
      new Int32Array(memory, marksOffset + n * ringMarkBytes, 2 * markWords);
    const pump = side === 'pump';
    this.toSockets = new Ring(
      marks(0),
      new Uint8Array(memory, dataOffset, sizes[0]),
      pump ? 'writer' : 'reader',
    );
    this.toPump = new Ring(
      marks(1),
      new Uint8Array(memory, dataOffset + sizes[0], sizes[1]),
      pump ? 'reader' : 'writer',
    );
  }

  // ── the sockets' thread tells the pump ──

  /** Something has come for the pump. True: its thread has to be called, too, for it may be in Node's loop. */
  signal(): boolean {
    Atomics.add(this.#words, word.signal, 1);
    Atomics.notify(this.#words, word.signal);
    return Atomics.exchange(this.#words, word.called, 1) === 0;
  }

  /** The call was heard; the next one is due again. */
  heard(): void {
    Atomics.store(this.#words, word.called, 0);
  }

  get signals(): number {
    return Atomics.load(this.#words, word.signal);
  }

  /** Sleeps until there are more signals than were `seen`. */
  sleep(seen: number, milliseconds: number): void {
    Atomics.wait(this.#words, word.signal, seen, milliseconds);
  }

  /** The line is over, and the sockets' thread has done with the memory. */
  finish(): void {
    Atomics.store(this.#words, word.done, 1);
  }

  // ── the pump tells the sockets' thread ──

  /** True: the sockets' thread has to be called. */
  wake(): boolean {
    return Atomics.exchange(this.#words, word.woken, 1) === 0;
  }

  /** From now on the sockets' thread has to be called. */
  fallAsleep(): void {
    Atomics.store(this.#words, word.woken, 0);
  }

  // ── who waits for room ──

  /** The sockets' thread has more than there is room for. */
  block(): void {
    Atomics.store(this.#words, word.blocked, 1);
  }

  /** The pump has read. True: the sockets' thread waits for the room that there is now. */
  unblocks(): boolean {
    return this.#granted(word.blocked, this.toPump);
  }

  /** The pump has more than there is room for. */
  want(): void {
    Atomics.store(this.#words, word.wanting, 1);
  }

  /** The sockets' thread has read. True: the pump waits for the room that there is now. */
  satisfies(): boolean {
    return this.#granted(word.wanting, this.toSockets);
  }

  #granted(flag: number, ring: Ring): boolean {
    if (Atomics.load(this.#words, flag) === 0 || ring.used > ring.capacity / 2) return false;
    return Atomics.exchange(this.#words, flag, 0) === 1;
  }
}

function powerOfTwo(least: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(least, leastRing)));
}
