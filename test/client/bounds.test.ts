/** S19: a turn is bounded though it writes nothing: counted in events and entries, not in time. */

import { describe, expect, it, vi } from 'vitest';
import { Ledger } from '../../src/core/ledger.ts';
import { Transactions } from '../../src/core/transactions.ts';
import { type Bench, bench, replies } from './support.ts';

/** Work of one turn at most, in counts: entries that left or were refused, entries that were settled, events that were told. */
interface Most {
  departed: number;
  settled: number;
  events: number;
}

/** Turns with a budget of 1 until all is told. */
function turn(made: Bench): Most {
  const { client, clock } = made;
  const count: Most = { departed: 0, settled: 0, events: 0 };
  const most: Most = { ...count };
  const { depart, settle } = Ledger.prototype;
  const { refuseMail } = Transactions.prototype;
  const spies = [
    vi.spyOn(Transactions.prototype, 'refuseMail').mockImplementation(function (this: Transactions, ...all) {
      count.departed++;
      refuseMail.apply(this, all);
    }),
    vi.spyOn(Ledger.prototype, 'depart').mockImplementation(function (this: Ledger, now, commands = 1) {
      count.departed += commands;
      return depart.call(this, now, commands);
    }),
    vi.spyOn(Ledger.prototype, 'settle').mockImplementation(function (this: Ledger) {
      count.settled++;
      settle.call(this);
    }),
  ];
  client.on('event', () => {
    count.events++;
  });
  try {
    for (let turns = 0; turns < 500_000; turns++) {
      count.departed = count.settled = count.events = 0;
      const said = client.execute(1);
      most.departed = Math.max(most.departed, count.departed);
      most.settled = Math.max(most.settled, count.settled);
      most.events = Math.max(most.events, count.events);
      if (said === 'more') continue;
      if (clock.next === Number.POSITIVE_INFINITY || clock.next > clock.now() + 60_000) break;
      clock.advanceTo(clock.next);
    }
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return most;
}

describe('S19: what writes nothing is bounded too', () => {
  it('20,000 messages called ahead that the server cannot take', () => {
    const made = bench({ server: { extensions: ['PIPELINING'], record: false } });
    const count = 20_000;
    made.client.connect();
    for (let n = 0; n < count; n++) {
      made.client.sendSender({ address: 'grün@example.test', smtputf8: true });
      made.client.sendRecipient('b@example.test');
      made.client.sendBom({ raw: true });
      made.client.sendBody('x\r\n');
      made.client.sendEom();
    }
    const { departed, settled, events } = turn(made);
    expect(events).toBe(1);
    expect(departed).toBeLessThanOrEqual(2 * ration);
    expect(settled).toBeLessThanOrEqual(1000);
    const refused = made.told.filter((line) => line.startsWith('SERVER_ERROR sendSender'));
    expect(refused).toHaveLength(count);
    expect(new Set(refused).size).toBe(count);
    expect(made.client.state).toBe('ready');
  });

  it.each([0, 10_000])('80,000 RCPT with notify, no DSN, and an answer to MAIL after %i ms', (delayMs) => {
    const made = bench({
      server: {
        extensions: ['PIPELINING'],
        record: false,
        ...replies({ MAIL: { reply: '250 ok', delayMs } }),
      },
    });
    const count = 80_000;
    made.client.connect();
    made.client.sendSender('a@example.test');
    for (let n = 0; n < count; n++) {
      made.client.sendRecipient({ address: `r${n}@example.test`, notify: 'never' });
    }
    const { departed, settled, events } = turn(made);
    expect(events).toBe(1);
    expect(departed).toBeLessThanOrEqual(2 * ration);
    expect(settled).toBeLessThanOrEqual(1000);
    expect(made.told.filter((line) => line.startsWith('SERVER_ERROR sendRecipient'))).toHaveLength(count);
    expect(made.client.due).toBe(0);
  });
});

/** 256 KiB of octets, or so many entries of 64: what leaves in one drain. A turn has two. */
const ration = (256 * 1024) / 64;
