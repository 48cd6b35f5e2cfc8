/**
 * Turns the pump of one client by Node's event loop: the automatic mode. It uses nothing of the client but what an
 * embedder's own loop would use.
 */
import type { Clock } from '../clock.ts';

export interface Pump {
  execute(budget?: number): 'more' | 'pending' | 'idle';
  readTimer(): number;
}

/** Arrivals and events a turn: enough for many messages in flight, little enough to leave the loop to others. */
const budget = 1024;

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
      more = this.#pump.execute(budget) === 'more';
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

/** One alarm for the client's next deadline. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  /** When the clock is going to call. */
  #at = Number.POSITIVE_INFINITY;
  #deadline = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | undefined;

  /** @param ring called when the deadline that was set last has come */
  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  set(deadline: number): void {
    this.#deadline = deadline;
    if (this.#clock.wake === undefined || deadline === this.#at) return;
    // deadlines mostly move on: waking once too early is cheaper than a new timer for each reply
    if (deadline > this.#at && deadline !== Number.POSITIVE_INFINITY) return;
    this.#cancel?.();
    this.#cancel = undefined;
    this.#at = deadline;
    if (deadline === Number.POSITIVE_INFINITY) return;
    this.#cancel = this.#clock.wake(deadline, () => this.#woken());
  }

  #woken(): void {
    this.#cancel = undefined;
    this.#at = Number.POSITIVE_INFINITY;
    if (this.#deadline <= this.#clock.now()) this.#ring();
    else this.set(this.#deadline);
  }
}
