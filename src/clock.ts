/**
 * Time as an argument. Everything that asks what time it is holds a {@link Clock}; this file is one of the few
 * that may ask the machine.
 */

export interface Clock {
  /** Milliseconds since the epoch; never goes backwards. */
  now(): number;
  /**
   * Calls `fn` once when `now()` has reached `at`; the returned function cancels. A clock without it can only be asked.
   */
  wake?(at: number, fn: () => void): () => void;
}

/** Node's longest timer; a later moment is reached in several hops. */
const longestTimeoutMs = 2 ** 31 - 1;

/** The machine's monotonic clock, counted from the epoch. Its timers do not keep a process alive by themselves. */
export const systemClock: Clock & Required<Pick<Clock, 'wake'>> = {
  now: () => performance.timeOrigin + performance.now(),
  wake(at, fn) {
    let timer: ReturnType<typeof setTimeout>;
    const arm = (): void => {
      const left = Math.ceil(at - systemClock.now());
      timer = setTimeout(left > longestTimeoutMs ? arm : fn, Math.min(Math.max(left, 0), longestTimeoutMs));
      timer.unref();
    };
    arm();
    return () => clearTimeout(timer);
  },
};
