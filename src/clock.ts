/**
 * Time and chance as arguments. Everything that asks what time it is holds a {@link Clock}, and whoever needs chance
 * is given a source of it; this file is one of the few that may ask the machine.
 */
import { randomBytes } from 'node:crypto';

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

/** Each octet is handed out once; asking the system for a few at a time is slow. */
const poolBytes = 3072;
let pool: Uint8Array = new Uint8Array(0);

/** So many octets from the system's secure source. */
export function systemRandom(bytes: number): Uint8Array {
  if (bytes > poolBytes) return randomBytes(bytes);
  if (bytes > pool.length) pool = randomBytes(poolBytes);
  const taken = pool.subarray(0, bytes);
  pool = pool.subarray(bytes);
  return taken;
}
