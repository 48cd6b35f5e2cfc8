/**
 * A queue that is worked on at both ends: a ring that grows when it is full, so that what goes through it costs no
 * memory. It knows nothing of what waits in it.
 */

const firstLength = 16;
/** An empty ring longer than this is let go of. */
const keptLength = 2048;

export class Queue<T> {
  /** Its length is a power of two; places where nothing waits are undefined. */
  #ring: (T | undefined)[] = [];
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get first(): T | undefined {
    return this.#length === 0 ? undefined : this.#ring[this.#head];
  }

  get last(): T | undefined {
    return this.#length === 0 ? undefined : this.#ring[this.#place(this.#length - 1)];
  }

  push(item: T): void {
    if (this.#length === this.#ring.length) this.#grow();
    this.#ring[this.#place(this.#length++)] = item;
  }

  /** Puts it before all others. */
  unshift(item: T): void {
    if (this.#length === this.#ring.length) this.#grow();
    this.#head = this.#place(-1);
    this.#ring[this.#head] = item;
    this.#length++;
  }

  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#ring[this.#head];
    this.#ring[this.#head] = undefined;
    this.#head = this.#place(1);
    this.#shrink();
    return item;
  }

  /** Takes out the last. */
  pop(): T | undefined {
    if (this.#length === 0) return undefined;
    const at = this.#place(this.#length - 1);
    const item = this.#ring[at];
    this.#ring[at] = undefined;
    this.#shrink();
    return item;
  }

  clear(): void {
    this.#ring = [];
    this.#head = 0;
    this.#length = 0;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (let n = 0; n < this.#length; n++) {
      const item = this.#ring[this.#place(n)];
      if (item !== undefined) yield item;
    }
  }

  /** Where the one stands that so many are before. */
  #place(before: number): number {
    return (this.#head + before) & (this.#ring.length - 1);
  }

  #shrink(): void {
    this.#length--;
    if (this.#length === 0 && this.#ring.length > keptLength) this.clear();
  }

  #grow(): void {
    const length = Math.max(firstLength, 2 * this.#ring.length);
    const ring: (T | undefined)[] = [];
    for (let n = 0; n < length; n++) ring.push(n < this.#length ? this.#ring[this.#place(n)] : undefined);
    this.#ring = ring;
    this.#head = 0;
  }
}
