/**
 * A clock that moves only when told: an hour of mail traffic passes in a millisecond, and twice the same. A binary
 * heap of wake-ups, made for millions of them. It knows nothing of what it wakes.
 */
import type { Clock } from '../clock.ts';

interface Wake {
  readonly at: number;
  /** Order of arrival among equals. */
  readonly turn: number;
  fn: (() => void) | undefined;
}

export class VirtualClock implements Clock {
  #now: number;
  #turn = 0;
  /** A heap: no entry is due before its parent, the one at `(index - 1) >> 1`. */
  readonly #heap: Wake[] = [];
  #cancelled = 0;

  /** @param startMs milliseconds since the epoch. @default 2026-01-01T00:00:00Z */
  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  /** Calls `fn` once, from within `advance`, when the time has come. A moment in the past counts as now. */
  wake(at: number, fn: () => void): () => void {
    const wake: Wake = { at: Math.max(at, this.#now), turn: this.#turn++, fn };
    this.#push(wake);
    return () => this.#cancel(wake);
  }

  /** When the next wake-up is due, or Infinity. */
  get next(): number {
    return this.#first()?.at ?? Number.POSITIVE_INFINITY;
  }

  /** Wake-ups that wait. */
  get waiting(): number {
    return this.#heap.length - this.#cancelled;
  }

  /** Moves on by `ms`; 0 runs what is due now. */
  advance(ms: number): void {
    this.advanceTo(this.#now + ms);
  }

  /** Moves on to `at`, running on the way what falls due, oldest first, each at its own time. */
  advanceTo(at: number): void {
    if (!Number.isFinite(at)) throw new RangeError(`a clock cannot be advanced to ${at}`);
    for (let due = this.#first(); due !== undefined && due.at <= at; due = this.#first()) {
      this.#now = Math.max(this.#now, due.at);
      const { fn } = due;
      this.#pop();
      due.fn = undefined;
      fn?.();
    }
    this.#now = Math.max(this.#now, at);
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
