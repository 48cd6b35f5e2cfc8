/**
 * At most one wake-up at a time on a {@link Clock}. A clock that can only be asked never rings: then whoever polls
 * finds out. It knows nothing of lines.
 */
import type { Clock } from '../clock.ts';

export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #cancel: (() => void) | undefined;
  #at = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Rings at `at`, or earlier if it was set so before. */
  set(at: number): void {
    if (at >= this.#at) return;
    this.#cancel?.();
    this.#at = at;
    this.#cancel = this.#clock.wake?.(at, () => {
      this.#forget();
      this.#ring();
    });
  }

  cancel(): void {
    if (this.#cancel === undefined) return;
    this.#cancel();
    this.#forget();
  }

  #forget(): void {
    this.#cancel = undefined;
    this.#at = Number.POSITIVE_INFINITY;
  }
}

/**
 * The clock of a line without delays: time stands still, and a wake-up comes as a microtask. A wake-up in the
 * future has no meaning here, so it throws.
 */
export const stillClock: Clock = {
  now: () => 0,
  wake(at, fn) {
    if (at > 0) throw new Error('a simulated line with delays needs a clock: memory(server, { clock })');
    let live = true;
    queueMicrotask(() => {
      if (live) fn();
    });
    return () => {
      live = false;
    };
  },
};
