/**
 * Time and chance as arguments. Everything that asks what time it is holds a {@link Clock}, and whoever needs chance
 * is given a source of it; this file is one of the few that may ask the machine.
 */
import { randomBytes } from 'node:crypto';

import { Wakes } from './wakes.ts';

export interface Clock {
  /** Milliseconds since the epoch; never goes backwards. */
  now(): number;
  /**
   * Calls `fn` once when `now()` has reached `at`; the returned function cancels. A clock without it can only be asked.
   */
  wake?(at: number, fn: () => void): () => void;
}

/** Node's longest timer; a later moment is reached in several hops. */
export const longestTimeoutMs = 2 ** 31 - 1;

const wakes = new Wakes();
/** The one timer of all clients, for the earliest of their wake-ups. */
let timer: ReturnType<typeof setTimeout> | undefined;
let timerAt = Number.POSITIVE_INFINITY;

/** The machine's monotonic clock, counted from the epoch. Its timer does not keep a process alive by itself. */
export const systemClock: Clock & Required<Pick<Clock, 'wake'>> = {
  now: () => performance.timeOrigin + performance.now(),
  wake(at, fn) {
    const cancel = wakes.add(at, fn);
    if (at < timerAt) arm();
    return cancel;
  },
};

/** A timer that rings for a wake-up that was cancelled finds nothing, and is set for the next. */
function arm(): void {
  clearTimeout(timer);
  timerAt = wakes.next;
  timer = undefined;
  if (timerAt === Number.POSITIVE_INFINITY) return;
  const left = Math.max(Math.ceil(timerAt - systemClock.now()), 0);
  timer = setTimeout(ring, Math.min(left, longestTimeoutMs));
  timer.unref();
}

function ring(): void {
  timerAt = Number.POSITIVE_INFINITY;
  try {
    const now = systemClock.now();
    for (let due = wakes.take(now); due !== undefined; due = wakes.take(now)) due.fn();
  } finally {
    arm();
  }
}

/** Each octet is handed out once; asking the system for a few at a time is slow. */
const poolBytes = 3072;
let pool: Uint8Array = new Uint8Array(0);
let poolAt = 0;

/** The same in hex, for texts: cutting one out of a long one makes no array. */
let hexPool = '';
let hexAt = 0;

/** So many octets of the system's secure source, in hex. */
export function systemHex(octets: number): string {
  const length = 2 * octets;
  if (hexAt + length > hexPool.length) {
    hexPool = randomBytes(Math.max(poolBytes, octets)).toString('hex');
    hexAt = 0;
  }
  hexAt += length;
  return hexPool.slice(hexAt - length, hexAt);
}

/** So many octets from the system's secure source. */
export function systemRandom(bytes: number): Uint8Array {
  if (bytes > poolBytes) return randomBytes(bytes);
  if (poolAt + bytes > pool.length) {
    pool = randomBytes(poolBytes);
    poolAt = 0;
  }
  poolAt += bytes;
  return pool.subarray(poolAt - bytes, poolAt);
}
