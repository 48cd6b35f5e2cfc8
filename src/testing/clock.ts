/**
 * A clock that moves only when told: an hour of mail traffic passes in a millisecond, and twice the same. It knows
 * nothing of what it wakes.
 */
import { finite } from '../checks.ts';
import type { Clock } from '../clock.ts';
import { Wakes } from '../wakes.ts';

export class VirtualClock implements Clock {
  #now: number;
  readonly #wakes = new Wakes();

  /** @param startMs milliseconds since the epoch. @default 2026-01-01T00:00:00Z */
  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    finite(startMs, 'VirtualClock');
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  /** Calls `fn` once, from within `advance`, when the time has come. A moment in the past counts as now. */
  wake(at: number, fn: () => void): () => void {
    return this.#wakes.add(Math.max(at, this.#now), fn);
  }

  /** When the next wake-up is due, or Infinity. */
  get next(): number {
    return this.#wakes.next;
  }

  /** Wake-ups that wait. */
  get waiting(): number {
    return this.#wakes.size;
  }

  /** Moves on by `ms`; 0 runs what is due now. */
  advance(ms: number): void {
    this.advanceTo(this.#now + ms);
  }

  /** Moves on to `at`, running on the way what falls due, oldest first, each at its own time. */
  advanceTo(at: number): void {
    if (!Number.isFinite(at)) throw new RangeError(`a clock cannot be advanced to ${at}`);
    for (let due = this.#wakes.take(at); due !== undefined; due = this.#wakes.take(at)) {
      this.#now = Math.max(this.#now, due.at);
      due.fn();
    }
    this.#now = Math.max(this.#now, at);
  }
}
