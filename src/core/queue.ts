/**
 * A queue that is worked on at both ends: one array and an index, cheap at either. It knows nothing of what waits in
 * it.
 */

/** What has been taken out is let go of in blocks of at least this many. */
const blockLength = 256;

export class Queue<T> {
  #items: (T | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  get first(): T | undefined {
    return this.#items[this.#head];
  }

  get last(): T | undefined {
    return this.length === 0 ? undefined : this.#items[this.#items.length - 1];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** Puts it before all others. */
  unshift(item: T): void {
    if (this.#head > 0) this.#items[--this.#head] = item;
    else this.#items.unshift(item);
  }

  /** Puts it in the place of the first. */
  replaceFirst(item: T): void {
    if (this.length > 0) this.#items[this.#head] = item;
  }

  shift(): T | undefined {
    const item = this.#items[this.#head];
    if (this.#head === this.#items.length) return undefined;
    this.#items[this.#head++] = undefined;
    if (this.#head === this.#items.length) this.clear();
    else if (this.#head >= blockLength && this.#head * 2 >= this.#items.length) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Takes out the last. */
  pop(): T | undefined {
    return this.length === 0 ? undefined : this.#items.pop();
  }

  clear(): void {
    if (this.#items.length > blockLength) this.#items = [];
    else this.#items.length = 0;
    this.#head = 0;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (let at = this.#head; at < this.#items.length; at++) {
      const item = this.#items[at];
      if (item !== undefined) yield item;
    }
  }
}
