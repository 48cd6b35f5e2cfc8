/**
 * Repeatable chance: a small seeded generator (sfc32) for simulations and fault injection.
 * It must not be used for anything secret, and asks neither the clock nor the machine.
 */
export class Random {
  #a = 0x9e3779b9;
  #b = 0x243f6a88;
  #c: number;
  #counter = 1;

  /** @param seed any number; the same seed gives the same sequence on every machine */
  constructor(seed = 1) {
    this.#c = Math.trunc(seed) | 0;
    this.#a ^= Math.trunc(seed / 2 ** 32) | 0;
    // The first values still look like the seed.
    for (let i = 0; i < 12; i++) this.#word();
  }

  save(): readonly number[] {
    return [this.#a, this.#b, this.#c, this.#counter];
  }

  /** Goes on where another one stood. */
  load([a = 0, b = 0, c = 0, counter = 0]: readonly number[]): void {
    this.#a = a;
    this.#b = b;
    this.#c = c;
    this.#counter = counter;
  }

  /** A number from 0 (included) to 1 (excluded). */
  next(): number {
    return this.#word() / 2 ** 32;
  }

  /** A whole number from 0 to `n - 1`. */
  int(n: number): number {
    return Math.floor(this.next() * n);
  }

  bytes(n: number): Uint8Array {
    const bytes = new Uint8Array(n);
    for (let i = 0; i < n; i++) bytes[i] = this.#word() & 0xff;
    return bytes;
  }

  /** True with probability `p`. */
  chance(p: number): boolean {
    return this.next() < p;
  }

  pick<T>(items: readonly [T, ...T[]]): T;
  pick<T>(items: readonly T[]): T | undefined;
  pick<T>(items: readonly T[]): T | undefined {
    return items[this.int(items.length)];
  }

  /** An independent generator, so that what one part draws does not disturb another. */
  fork(label = 0): Random {
    return new Random(this.#word() * 2 ** 20 + label);
  }

  #word(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
}
