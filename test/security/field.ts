/**
 * The watched client and a server of any kind, on a tapped line in virtual time: where the tests of security are
 * fought out. It checks nothing itself.
 */
import type { SmtpClientOptions } from 'smtpump';
import { type LineShape, runUntil, SimNetwork, type SimServer, VirtualClock } from 'smtpump/testing';
import { short } from '../client/support.ts';
import { Tap } from '../faults/tap.ts';
import { WatchedClient } from '../faults/watched.ts';

export interface Field {
  readonly client: WatchedClient;
  readonly tap: Tap;
  readonly clock: VirtualClock;
  /** The events in short. */
  readonly told: string[];
  /** Does what can be done without time. @default 64 */
  settle(budget?: number): void;
  /** Runs until the client is disconnected. */
  finish(): void;
}

export function field(server: SimServer, options: SmtpClientOptions = {}, shape: LineShape = {}): Field {
  const clock = new VirtualClock();
  const tap = new Tap(new SimNetwork({ clock, ...shape }).listen('*', server).transport());
  const client = new WatchedClient({
    host: 'mx.example.test',
    localName: 'client.example.test',
    pump: 'manual',
    random: (n) => new Uint8Array(n).fill(7),
    ...options,
    transport: tap,
    clock,
  });
  const told: string[] = [];
  client.on('event', (event) => void told.push(short(event)));
  return {
    client,
    tap,
    clock,
    told,
    settle(budget) {
      for (let turn = 0; client.execute(budget) === 'more' || clock.next <= clock.now(); turn++) {
        if (turn > 100_000) throw new Error('it never comes to rest');
        clock.advance(0);
      }
    },
    finish() {
      runUntil(
        client,
        clock,
        () => client.state === 'disconnected' && client.execute() === 'idle',
        1_000_000,
      );
    },
  };
}

export const auth = { user: 'ann', password: 'secret' } as const;
