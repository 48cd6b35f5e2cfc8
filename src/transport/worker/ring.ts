/**
 * Bytes from one thread to another in shared memory, without a lock: one side only writes, the other only reads.
 * It knows nothing of what the bytes are, and wakes nobody.
 *
 * ```
 *   ▁▁▁▁▁▁▁█████████████▁▁▁▁▁▁▁▁
 *          ▲ head: next to read ▲ tail: next to write
 * ```
 * Both marks count on for ever, and wrap as 32-bit numbers do: their difference is what waits.
 */

/** Words of a mark, so that the two sides do not write to the same line of the processor's cache. */
export const markWords = 16;

export class Ring {
  readonly capacity: number;
  readonly #marks: Int32Array;
  readonly #data: Buffer;
  readonly #mask: number;
  /** Where this side goes on; the other sees it once it is published. */
  #at: number;

  /**
   * @param marks two times {@link markWords} words: head, tail
   * @param data its length is a power of two
   * @param side a writer goes on at the tail, a reader at the head
   */
  constructor(marks: Int32Array, data: Uint8Array, side: 'writer' | 'reader') {
    this.#marks = marks;
    this.#data = Buffer.from(data.buffer, data.byteOffset, data.length);
    this.capacity = data.length;
    this.#mask = data.length - 1;
    this.#at = side === 'writer' ? this.tail : this.head;
  }

  /** The next to be read, as it is published. */
  get head(): number {
    return Atomics.load(this.#marks, 0);
  }

  /** The next to be written, as it is published. */
  get tail(): number {
    return Atomics.load(this.#marks, markWords);
  }

  /** Bytes that wait to be read. */
  get used(): number {
    return (this.tail - this.head) | 0;
  }

  /** Bytes that the writer may write before it publishes. */
  get room(): number {
    return this.capacity - ((this.#at - this.head) | 0);
  }

  /** Puts bytes for which there is room; the reader sees them after {@link publish}. */
  write(bytes: Uint8Array): void {
    const at = this.#at & this.#mask;
    const first = Math.min(bytes.length, this.capacity - at);
    put(first === bytes.length ? bytes : bytes.subarray(0, first), this.#data, at);
    if (first < bytes.length) put(bytes.subarray(first), this.#data, 0);
    this.#at = (this.#at + bytes.length) | 0;
  }

  /** Puts a number of 32 bits, little end first. */
  writeWord(word: number): void {
    for (let n = 0; n < 4; n++) this.#data[(this.#at + n) & this.#mask] = word >>> (8 * n);
    this.#at = (this.#at + 4) | 0;
  }

  publish(): void {
    Atomics.store(this.#marks, markWords, this.#at);
  }

  readWord(): number {
    let word = 0;
    for (let n = 0; n < 4; n++) word |= (this.#data[(this.#at + n) & this.#mask] ?? 0) << (8 * n);
    this.#at = (this.#at + 4) | 0;
    return word >>> 0;
  }

  /** A copy of the next so many bytes, which are there; the writer may use their place after {@link release}. */
  read(length: number): Uint8Array {
    const bytes = Buffer.allocUnsafe(length);
    const at = this.#at & this.#mask;
    const first = Math.min(length, this.capacity - at);
    put(this.#data.subarray(at, at + first), bytes, 0);
    if (first < length) put(this.#data.subarray(0, length - first), bytes, first);
    this.#at = (this.#at + length) | 0;
    return bytes;
  }

  release(): void {
    Atomics.store(this.#marks, 0, this.#at);
  }
}

/**
 * Copies all the bytes. `set()` would do where neither side is shared: where one is, V8 copies octet by octet unless
 * both are aligned alike, which takes four times as long (244 against 62 µs a MB).
 */
function put(bytes: Uint8Array, target: Buffer, at: number): void {
  if (bytes.length > 0) target.fill(bytes, at, at + bytes.length);
}
