/** Who calls first goes first: one at a time, the others wait. It knows no mail. */
import type { Phase } from '../errors.ts';
import { Deferred } from './deferred.ts';
import { withSignal } from './signal.ts';

export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Waits for the turn; it lasts until the returned function is called. Who gives up waiting holds up nobody. */
  async take(signal: AbortSignal | undefined, phase: Phase): Promise<() => void> {
    const before = this.#last;
    const end = new Deferred<void>();
    this.#last = end.promise;
    const turn = new Deferred<void>();
    before.then(turn.resolve);
    try {
      await withSignal(turn.promise, signal, phase, turn.reject);
    } catch (error) {
      before.then(end.resolve);
      throw error;
    }
    return end.resolve;
  }
}
