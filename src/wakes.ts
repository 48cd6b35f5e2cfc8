/**
 * Wake-ups in the order of their times: a binary heap, made for millions of them. It asks no clock and calls nobody.
 */

export interface Wake {
  readonly at: number;
  /** Order of arrival among equals. */
  readonly turn: number;
  /** Undefined once it was cancelled or taken. */
  fn: (() => void) | undefined;
}

export class Wakes {
  #turn = 0;
  /** A heap: no entry is due before its parent, the one at `(index - 1) >> 1`. */
  readonly #heap: Wake[] = [];
  #cancelled = 0;

  /** How many wait. */
  get size(): number {
    return this.#heap.length - this.#cancelled;
  }

  /** When the next one is due, or Infinity. */
  get next(): number {
    return this.#first()?.at ?? Number.POSITIVE_INFINITY;
  }

  /** The returned function cancels. */
  add(at: number, fn: () => void): () => void {
    const wake: Wake = { at, turn: this.#turn++, fn };
    this.#push(wake);
    return () => this.#cancel(wake);
  }

  /** Takes out the first that is due at `now`. */
  take(now: number): { readonly at: number; readonly fn: () => void } | undefined {
    const due = this.#first();
    if (due?.fn === undefined || due.at > now) return undefined;
    const { at, fn } = due;
    this.#pop();
    due.fn = undefined;
    return { at, fn };
  }

  #cancel(wake: Wake): void {
    if (wake.fn === undefined) return;
    wake.fn = undefined;
    this.#cancelled++;
    // Timers that are set and cancelled without end must not fill the memory.
    if (this.#cancelled > 64 && this.#cancelled * 2 > this.#heap.length) this.#sweep();
  }

  #sweep(): void {
    const live = this.#heap.filter((wake) => wake.fn !== undefined).sort((a, b) => (before(a, b) ? -1 : 1));
    // A sorted array is a heap.
    this.#heap.length = 0;
    for (const wake of live) this.#heap.push(wake);
    this.#cancelled = 0;
  }

  #first(): Wake | undefined {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.fn !== undefined) return first;
      this.#pop();
      this.#cancelled--;
    }
  }

  #push(wake: Wake): void {
    const heap = this.#heap;
    let index = heap.length;
    while (index > 0) {
      const parent = heap[(index - 1) >> 1];
      if (parent === undefined || !before(wake, parent)) break;
      heap[index] = parent;
      index = (index - 1) >> 1;
    }
    heap[index] = wake;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      const right = heap[child + 1];
      let smaller = heap[child];
      if (smaller !== undefined && right !== undefined && before(right, smaller)) {
        smaller = right;
        child++;
      }
      if (smaller === undefined || !before(smaller, last)) break;
      heap[index] = smaller;
      index = child;
    }
    heap[index] = last;
  }
}

function before(a: Wake, b: Wake): boolean {
  return a.at < b.at || (a.at === b.at && a.turn < b.turn);
}
