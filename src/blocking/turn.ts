/**
 * A client's crank turned until something is so, asleep where nothing can be done. It knows of a client only the two
 * methods that it calls, and decides nothing.
 */
import type { WaitingTransport } from '../transport/transport.ts';

/** As much of a client as is needed to turn it. */
export interface Pump {
  execute(): 'more' | 'pending' | 'idle';
  readTimer(): number;
}

/**
 * Calls `execute()`, and sleeps on the transport until something arrives or the client's next time limit comes.
 * @param transport the client's own
 * @returns false where it is not so, and nothing is awaited that could make it so
 */
export function turnUntil(
  client: Pump,
  transport: Pick<WaitingTransport, 'wait'>,
  done: () => boolean,
): boolean {
  for (;;) {
    if (done()) return true;
    const verdict = client.execute();
    if (verdict === 'more' || done()) continue;
    if (verdict === 'idle') return false;
    transport.wait(client.readTimer());
  }
}
