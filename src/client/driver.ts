/**
 * Turns the pump of one client by Node's event loop: the automatic mode. It uses nothing of the client but what an
 * embedder's own loop would use.
 */
import type { Clock } from '../clock.ts';

export interface Pump {
  execute(): 'more' | 'pending' | 'idle';
  readTimer(): number;
}

export class Driver {
  readonly #pump: Pump;
  #scheduled = false;

  constructor(pump: Pump) {
    this.#pump = pump;
  }

  /** There is something to do; it is done after the code that runs now. */
  wake(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(() => this.#turn());
  }

  #turn(): void {
    this.#scheduled = false;
    let more = true;
    try {
      more = this.#pump.execute() === 'more';
    } finally {
      // also after a listener threw: what waits must not be lost
      if (more) this.#again();
    }
  }

  /** Later in the loop, so that sockets get their turn between. */
  #again(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#turn());
  }
}

/** One alarm at the client's next deadline, moved only when it must ring earlier or has rung. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #at = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  set(at: number): void {
    if (at === this.#at || this.#clock.wake === undefined) return;
    // an alarm that rings too early finds nothing to do and is set anew: cheaper than a timer for each reply
    if (this.#cancel !== undefined && at > this.#at && at !== Number.POSITIVE_INFINITY) return;
    this.#cancel?.();
    this.#cancel = undefined;
    this.#at = at;
    if (at === Number.POSITIVE_INFINITY) return;
    this.#cancel = this.#clock.wake(at, () => {
      this.#cancel = undefined;
      this.#at = Number.POSITIVE_INFINITY;
      this.#ring();
    });
  }
}
