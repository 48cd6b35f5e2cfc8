/**
 * Turns a client's crank on a virtual clock until something is so. It knows of a client only the two methods that it
 * calls.
 */
import type { VirtualClock } from './clock.ts';

/** As much of a client as is needed to run it. */
export interface Crank {
  execute(): 'more' | 'pending' | 'idle';
  /** ms until `execute()` has something to do though no byte arrives; 0 = now; Infinity = only an arrival. */
  readTimer(): number;
}

/**
 * Calls `execute()` while it says 'more'; else advances the clock to what comes next, the network's or the client's.
 * Throws when nothing is left that could happen, or after `limit` turns.
 * @returns the number of turns
 */
export function runUntil(client: Crank, clock: VirtualClock, done: () => boolean, limit = 1_000_000): number {
  const started = clock.now();
  let verdict: ReturnType<Crank['execute']> = 'idle';
  for (let turn = 0; turn < limit; turn++) {
    if (done()) return turn;
    verdict = client.execute();
    if (verdict === 'more' || done()) continue;
    const at = Math.min(clock.next, clock.now() + client.readTimer());
    if (at === Number.POSITIVE_INFINITY)
      throw new Error(stuck('nothing is left that could happen', turn + 1));
    clock.advanceTo(at);
  }
  throw new Error(stuck('it never came to an end', limit));

  function stuck(what: string, turns: number): string {
    const timer = client.readTimer();
    const next = clock.next === Number.POSITIVE_INFINITY ? 'none' : `in ${clock.next - clock.now()} ms`;
    return (
      `runUntil: ${what}: ${turns} turns, ${clock.now() - started} ms of virtual time; ` +
      `execute() said '${verdict}', readTimer() ${timer}, next wake-up of the clock: ${next}`
    );
  }
}
