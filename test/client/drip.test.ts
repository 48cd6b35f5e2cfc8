/** S19: a server that sends a little at every turn, and a client that is turned as little as can be. */
import { describe, expect, it } from 'vitest';
import { type Bench, bench, connected, replies, type Setup, silence } from './support.ts';

const budgets = [1, 2, 64] as const;

/** As many bytes every 100 ms as one turn takes, and one turn; says after how many ms TIMEOUT was told, or -1. */
function drip(made: Bench, budget: number, bytes: string): number {
  const { client, clock, server } = made;
  made.settle(0);
  const start = clock.now();
  let after = -1;
  client.once('TIMEOUT', () => {
    after = clock.now() - start;
  });
  for (let n = 0; n < bytes.length && after < 0; ) {
    clock.advance(100);
    for (const end = n + budget; n < end; n++) server.connections.at(-1)?.say(bytes[n] ?? '');
    clock.advance(0);
    client.execute(budget);
  }
  made.settle(0);
  return after;
}

const endless = '250-'.concat('x'.repeat(480));
const withLimit = (timeouts: NonNullable<Setup['client']>['timeouts'], server: Setup['server']): Setup => ({
  ...(server && { server }),
  client: { timeouts },
});

/** No turn finds the line empty: one turn more is all that the server gets by it. */
const latest = 500;

describe('S19: some bytes every 100 ms do not put a limit off', () => {
  it.each(budgets)('commandMs of 300, execute(%i): TIMEOUT', (budget) => {
    const made = connected(withLimit({ commandMs: 300 }, replies({ NOOP: silence })));
    made.client.noop();
    const after = drip(made, budget, endless);
    expect(made.news()).toEqual(['TIMEOUT noop', 'DISCONNECTED ETIMEDOUT']);
    expect(after).toBeGreaterThanOrEqual(300);
    expect(after).toBeLessThanOrEqual(latest);
  });

  it.each(budgets)('totalMs of 300, execute(%i): TIMEOUT, whether it greets or answers EHLO', (budget) => {
    for (const [verb, phase] of [
      ['CONNECT', 'greeting'],
      ['EHLO', 'ehlo'],
    ] as const) {
      const made = bench(withLimit({ totalMs: 300 }, replies({ [verb]: silence })));
      made.client.connect();
      const after = drip(made, budget, verb === 'EHLO' ? endless : endless.replace('250', '220'));
      expect(made.news()).toEqual([`TIMEOUT ${phase}`, 'DISCONNECTED ETIMEDOUT']);
      expect(after).toBeGreaterThanOrEqual(300);
      expect(after).toBeLessThanOrEqual(latest);
    }
  });

  it.each(budgets)('messageMs of 300, execute(%i): TIMEOUT, unsent', (budget) => {
    const made = connected(withLimit({ messageMs: 300 }, replies({ RCPT: silence })));
    made.client.sendSender('a@example.test');
    made.client.sendRecipient('b@example.test');
    const after = drip(made, budget, endless);
    expect(made.news()).toEqual(['SENDER_ACK 1', 'TIMEOUT rcpt', 'DISCONNECTED ETIMEDOUT 1:unsent']);
    expect(after).toBeGreaterThanOrEqual(300);
    expect(after).toBeLessThanOrEqual(latest);
  });

  it.each(budgets)(
    'whole replies in no time, execute(%i): each puts it off, as RFC 5321 has it',
    (budget) => {
      const made = connected(
        withLimit({ commandMs: 300 }, replies({ RCPT: { reply: '250 ok', delayMs: 250 } })),
      );
      made.client.sendSender('a@example.test');
      for (let n = 0; n < 10; n++) made.client.sendRecipient(`r${n}@example.test`);
      for (let n = 0; n < 200; n++) {
        made.client.execute(budget);
        made.clock.advance(20);
      }
      expect(made.news()).toHaveLength(11);
    },
  );

  it.each(budgets)('and a reply that is there in time counts, however late execute(%i) comes', (budget) => {
    const made = connected(withLimit({ commandMs: 300 }, {}));
    made.client.noop();
    made.client.execute(budget);
    made.clock.advance(60_000);
    for (let n = 0; n < 20; n++) made.client.execute(budget);
    expect(made.news()).toEqual(['NOOP_ACK']);
  });
});
