/**
 * Hands on a chunk with bytes inserted here and there. Long stretches leave as slices of the chunk; what lies
 * between two near insertions is copied together, since a piece on its way to a socket costs more than a short copy.
 * It must not know what is inserted, or why.
 */

/** Takes content on its way out. The bytes must not be changed, and those of a caller's chunk are the caller's. */
export type Sink = (bytes: Uint8Array) => void;

/** A longer stretch leaves as a slice. */
const copyBytes = 1024;
const firstStageBytes = 1024;
const lastStageBytes = 16_384;

export class Outlet {
  readonly #chunk: Uint8Array;
  readonly #sink: Sink;
  /** The first byte of the chunk not passed on yet. */
  #from = 0;
  /** Copies wait in `stage[sent] … stage[filled - 1]`. */
  #stage: Uint8Array | undefined = undefined;
  #sent = 0;
  #filled = 0;
  #stageBytes = firstStageBytes;

  constructor(chunk: Uint8Array, sink: Sink) {
    this.#chunk = chunk;
    this.#sink = sink;
  }

  /** Inserts a byte before offset `at`; offsets never go back. */
  insert(at: number, byte: number): void {
    this.#pass(at);
    this.#room(1)[this.#filled++] = byte;
  }

  /** Inserts the byte at offset `at` once more: the slices on both sides of it have it. */
  repeat(at: number): void {
    this.#pass(at + 1);
    this.#from = at;
  }

  /** Hands on what is left. */
  finish(): void {
    this.#pass(this.#chunk.length);
    this.#flush();
  }

  #pass(to: number): void {
    const from = this.#from;
    const length = to - from;
    this.#from = to;
    if (length > copyBytes) {
      this.#flush();
      this.#sink(this.#chunk.subarray(from, to));
    } else if (length > 0) {
      copy(this.#chunk, from, to, this.#room(length), this.#filled);
      this.#filled += length;
    }
  }

  /** A stage with room for so many bytes. Each new one is larger: a chunk with one insertion costs little. */
  #room(bytes: number): Uint8Array {
    if (this.#stage !== undefined && this.#filled + bytes <= this.#stage.length) return this.#stage;
    this.#flush();
    const left = this.#chunk.length - this.#from;
    const enough = bytes + left + (left >> 3) + 64;
    this.#stage = Buffer.allocUnsafe(Math.max(bytes, Math.min(this.#stageBytes, enough)));
    this.#stageBytes = Math.min(2 * this.#stageBytes, lastStageBytes);
    this.#sent = 0;
    this.#filled = 0;
    return this.#stage;
  }

  #flush(): void {
    if (this.#stage === undefined || this.#sent === this.#filled) return;
    this.#sink(this.#stage.subarray(this.#sent, this.#filled));
    this.#sent = this.#filled;
  }
}

function copy(source: Uint8Array, from: number, to: number, target: Uint8Array, at: number): void {
  // To make a view for set() costs as much as a loop over so many bytes.
  if (to - from > 48) target.set(source.subarray(from, to), at);
  else for (let i = from, j = at; i < to; i++, j++) target[j] = source[i] ?? 0;
}
