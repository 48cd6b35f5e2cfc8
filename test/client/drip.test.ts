/** S19: a server that sends a little at every turn, and a client that is turned as little as can be. */
import { describe, expect, it } from 'vitest';
import { type Bench, bench, connected, replies, type Setup, silence } from './support.ts';

const budgets = [1, 2, 64] as const;

/** Turns with this budget while a byte comes every 100 ms; says after how many ms TIMEOUT was told, or -1. */
function drip(made: Bench, budget: number, bytes: string): number {
  const { client, clock, server } = made;
  const start = clock.now();
  let after = -1;
  client.once('TIMEOUT', () => {
    after = clock.now() - start;
  });
  for (let n = 0; n < bytes.length && after < 0; n++) {
    // what is called ahead leaves, what the line brings at once is there
    for (let turn = 0; turn < 20; turn++) {
      client.execute(budget);
      clock.advance(0);
    }
    if (after >= 0) break;
    clock.advance(100);
    server.connections.at(-1)?.say(bytes[n] ?? '');
    clock.advance(0);
    // one turn for each byte: it never finds the line empty with a budget of 1
    client.execute(budget);
  }
  for (let turn = 0; turn < 3 && client.state !== 'disconnected'; turn++) client.execute(budget);
  return after;
}

/** The same with one turn a byte and no other. */
function dripTurnByTurn(made: Bench, bytes: string): number {
  const { client, clock, server } = made;
  const start = clock.now();
  let after = -1;
  client.once('TIMEOUT', () => {
    after = clock.now() - start;
  });
  for (let n = 0; n < bytes.length && after < 0; n++) {
    clock.advance(100);
    server.connections.at(-1)?.say(bytes[n] ?? '');
    clock.advance(0);
    client.execute(1);
  }
  return after;
}

const endless = '250-'.concat('x'.repeat(200));
const withLimit = (timeouts: NonNullable<Setup['client']>['timeouts'], server: Setup['server']): Setup => ({
  ...(server && { server }),
  client: { timeouts },
});

describe('S19: a byte every 100 ms does not put a limit off', () => {
  it.each(budgets)('commandMs of 300, execute(%i): TIMEOUT', (budget) => {
    const made = connected(withLimit({ commandMs: 300 }, replies({ NOOP: silence })));
    made.client.noop();
    const after = drip(made, budget, endless);
    expect(made.news()).toEqual(['TIMEOUT noop', 'DISCONNECTED ETIMEDOUT']);
    expect(after).toBeGreaterThanOrEqual(300);
    expect(after).toBeLessThanOrEqual(400);
  });

  it('commandMs, one turn of execute(1) for each byte and none besides: one turn later at most', () => {
    const made = connected(withLimit({ commandMs: 300 }, replies({ NOOP: silence })));
    made.client.noop();
    made.settle(0);
    const after = dripTurnByTurn(made, endless);
    expect(after).toBeGreaterThanOrEqual(300);
    expect(after).toBeLessThanOrEqual(500);
  });

  it.each(budgets)('totalMs of 300, execute(%i): TIMEOUT', (budget) => {
    const made = bench(withLimit({ totalMs: 300 }, replies({ EHLO: silence })));
    made.client.connect();
    const after = drip(made, budget, endless);
    expect(made.news()).toEqual(['TIMEOUT ehlo', 'DISCONNECTED ETIMEDOUT']);
    expect(after).toBeLessThanOrEqual(400);
  });

  it('totalMs, one turn of execute(1) for each byte: of a greeting that never ends', () => {
    const made = bench(withLimit({ totalMs: 300 }, replies({ CONNECT: silence })));
    made.client.connect();
    for (let n = 0; n < 5; n++) {
      made.client.execute(1);
      made.clock.advance(0);
    }
    expect(dripTurnByTurn(made, '220-'.concat('x'.repeat(200)))).toBeLessThanOrEqual(500);
  });

  it.each(budgets)('messageMs of 300, execute(%i): TIMEOUT, unsent', (budget) => {
    const made = connected(withLimit({ messageMs: 300 }, replies({ RCPT: silence })));
    made.client.sendSender('a@example.test');
    made.client.sendRecipient('b@example.test');
    const after = drip(made, budget, endless);
    expect(made.news()).toEqual(['SENDER_ACK 1', 'TIMEOUT rcpt', 'DISCONNECTED ETIMEDOUT 1:unsent']);
    expect(after).toBeLessThanOrEqual(400);
  });

  it('messageMs, one turn of execute(1) for each byte', () => {
    const made = connected(withLimit({ messageMs: 300 }, replies({ MAIL: silence })));
    made.client.sendSender('a@example.test');
    made.settle(0);
    expect(dripTurnByTurn(made, endless)).toBeLessThanOrEqual(500);
  });

  it.each(budgets)('and a reply that is there in time counts, however late execute(%i) comes', (budget) => {
    const made = connected(withLimit({ commandMs: 300 }, {}));
    made.client.noop();
    made.client.execute(budget);
    made.clock.advance(60_000);
    for (let n = 0; n < 20; n++) made.client.execute(budget);
    expect(made.news()).toEqual(['NOOP_ACK']);
  });
});
