/** readTimer(): in each state, counting down, rounded up. Virtual time throughout. */
import { describe, expect, it } from 'vitest';
import { bench, connected } from './support.ts';
import { cases, enter, limits, mute, never } from './waiting.ts';

describe('readTimer()', () => {
  it('TK31 TK42: in each state, as a table', () => {
    const said = Object.fromEntries(cases.map((one) => [one.state, enter(one).client.readTimer()]));
    expect(said).toEqual(Object.fromEntries(cases.map(({ state, timer }) => [state, timer])));
  });

  it('TK42: it counts down with the clock, to 0 when expired, and stays there until execute()', () => {
    for (const one of cases) {
      const { client, clock } = enter(one);
      clock.advance(400);
      expect(client.readTimer(), one.state).toBe(one.timer - 400);
      clock.advance(one.timer === never ? 10_000 : one.timer - 401);
      expect(client.readTimer(), one.state).toBe(one.timer === never ? never : 1);
      clock.advance(1);
      expect(client.readTimer(), one.state).toBe(one.timer === never ? never : 0);
      clock.advance(5000);
      expect(client.readTimer(), one.state).toBe(one.timer === never ? never : 0);
    }
  });

  it('TK42: Infinity before connect() and after DISCONNECTED, 0 after any step', () => {
    const { client, settle } = bench();
    expect(client.readTimer()).toBe(never);
    client.connect();
    expect(client.readTimer()).toBe(0);
    settle();
    client.noop();
    expect(client.readTimer()).toBe(0);
    settle();
    client.disconnect();
    expect(client.readTimer()).toBe(0);
    settle();
    expect(client.readTimer()).toBe(never);
  });

  it('whole milliseconds, rounded up: after so many the limit has really come', () => {
    const { client, clock, settle, news } = connected(mute('NOOP', {}, { timeouts: limits }));
    clock.advance(0.25);
    client.noop();
    settle(0);
    clock.advance(0.7);
    const left = client.readTimer();
    expect(left).toBe(1040);
    clock.advance(left - 1);
    settle(0);
    expect(news()).toEqual([]);
    expect(client.readTimer()).toBe(1);
    clock.advance(1);
    expect(client.readTimer()).toBe(0);
    client.execute();
    expect(news()).toEqual(['TIMEOUT noop', 'DISCONNECTED ETIMEDOUT']);
  });
});
