/** Waking: the asynchronous callback, the clock that wakes, and the pump that Node's event loop turns. */
import { SmtpClient } from 'smtpump';
import { memory, ScriptedServer, VirtualClock } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import { type Bench, bench, connected, replies, type Setup, sendMail, short, silence } from './support.ts';

/** Lets Node's event loop run what is scheduled; no time passes. */
async function loop(turns = 20): Promise<void> {
  for (let n = 0; n < turns; n++) await new Promise((resolve) => setImmediate(resolve));
}

/** A bench whose callback counts. */
function listening(setup: Setup = {}): Bench & { readonly calls: number[] } {
  const made = connected(setup);
  const calls: number[] = [];
  made.client.setAsyncCallback(() => calls.push(made.clock.now()));
  return Object.assign(made, { calls });
}

describe('setAsyncCallback()', () => {
  it('TK57: none is called that is not set, or no longer', () => {
    const { client, clock, calls, settle } = listening({ line: { latencyMs: 10 } });
    client.setAsyncCallback(undefined);
    client.noop();
    settle();
    clock.advance(1_000_000);
    expect(calls).toEqual([]);
    expect(() => client.setAsyncCallback(5 as never)).toThrow(/^fn: /);
  });

  it('TK58: the server’s reply wakes, when it arrives and not before', () => {
    const { client, clock, calls } = listening({ line: { latencyMs: 10 }, server: { delayMs: 500 } });
    client.noop();
    while (client.execute() === 'more');
    const sent = clock.now();
    calls.length = 0;
    clock.advance(519);
    expect(calls).toEqual([]);
    clock.advance(1);
    expect(calls).toEqual([sent + 520]);
    expect(client.readTimer()).toBe(0);
  });

  it('TK58: a time limit wakes, when it has come and not before', () => {
    const { client, clock, calls, news } = listening({
      server: replies({ NOOP: silence }),
      client: { timeouts: { commandMs: 1000 } },
    });
    client.noop();
    while (client.execute() === 'more');
    clock.advance(0);
    while (client.execute() === 'more');
    const sent = clock.now();
    calls.length = 0;
    clock.advance(999);
    expect(calls).toEqual([]);
    clock.advance(1);
    expect(calls).toEqual([sent + 1000]);
    client.execute();
    expect(news()).toEqual(['TIMEOUT noop', 'DISCONNECTED ETIMEDOUT']);
  });

  it('TK58: it is not called when there is nothing to do: an answered command’s limit wakes nobody', () => {
    const { client, clock, calls, settle } = listening({ line: { latencyMs: 10 } });
    for (let n = 0; n < 5; n++) {
      client.noop();
      settle();
      clock.advance(100);
    }
    calls.length = 0;
    clock.advance(10_000_000);
    expect(calls).toEqual([]);
  });

  it('TK58: nor at a limit that was moved: only at the one that holds', () => {
    const { client, clock, calls } = listening({
      server: replies({ NOOP: (_, nth) => (nth === 2 ? silence : { reply: '250 ok', delayMs: 600 }) }),
      client: { timeouts: { commandMs: 1000 } },
    });
    const rest = (): void => {
      while (client.execute() === 'more');
    };
    client.noop();
    rest();
    clock.advance(600);
    rest();
    client.noop();
    rest();
    clock.advance(0);
    rest();
    const sent = clock.now();
    calls.length = 0;
    clock.advance(5000);
    expect(calls).toEqual([sent + 1000]);
  });

  it('a step called outside execute() wakes, once until the next execute()', () => {
    const { client, calls } = listening();
    client.noop();
    client.noop();
    client.reset();
    expect(calls).toHaveLength(1);
    client.execute();
    client.noop();
    expect(calls).toHaveLength(2);
  });

  it('at most once until the next execute(), however much happens; never inside it', () => {
    const { client, clock, calls, settle, server } = listening({ line: { latencyMs: 10, cut: true } });
    let inside = false;
    client.setAsyncCallback(() => {
      expect(inside).toBe(false);
      calls.push(clock.now());
    });
    client.on('NOOP_ACK', () => client.noop());
    client.once('NOOP_ACK', () => client.sendSender('a@example.test'));
    client.noop();
    for (let n = 0; n < 60; n++) {
      calls.length = 0;
      clock.advance(7);
      expect(calls.length).toBeLessThanOrEqual(1);
      inside = true;
      client.execute();
      inside = false;
    }
    expect(server.commands.filter((line) => line === 'NOOP').length).toBeGreaterThan(5);
    client.removeAllListeners('NOOP_ACK');
    settle();
  });

  it('set after the step that it was to announce, it is rung at once; not where nothing is due, nor inside execute()', () => {
    const { client, settle } = bench();
    let calls = 0;
    const ring = (): void => void calls++;
    client.setAsyncCallback(ring);
    expect(calls).toBe(0);
    client.setAsyncCallback(undefined);
    client.connect();
    client.setAsyncCallback(ring);
    expect(calls).toBe(1);
    client.noop();
    expect(calls).toBe(1);
    client.setAsyncCallback(() => calls++);
    expect(calls).toBe(2);
    let inside = -1;
    client.once('CONNECTED', () => {
      const before = calls;
      client.noop();
      client.setAsyncCallback(ring);
      inside = calls - before;
    });
    settle();
    expect(inside).toBe(0);
    calls = 0;
    client.setAsyncCallback(ring);
    expect(calls).toBe(0);
  });

  it('a loop that only waits for the callback and readTimer() brings a whole session to its end', () => {
    const { client, clock, told } = bench({ line: { latencyMs: 10, cut: true }, server: { delayMs: 5 } });
    let woken = false;
    client.setAsyncCallback(() => {
      woken = true;
    });
    client.on('CONNECTED', () => client.disconnect());
    client.connect();
    sendMail(client);
    let turns = 0;
    while (client.state !== 'disconnected' && turns++ < 5000) {
      if (woken || client.readTimer() === 0) {
        woken = false;
        client.execute(1);
        continue;
      }
      const at = Math.min(clock.next, clock.now() + client.readTimer());
      if (at === Number.POSITIVE_INFINITY) break;
      clock.advanceTo(at);
    }
    expect(told.slice(-2)).toEqual(['EOM_ACK 1 b/', 'DISCONNECTED']);
  });

  it('a callback that calls execute() itself is harmless', () => {
    const { client, clock, news, settle } = connected({ line: { latencyMs: 10 } });
    client.setAsyncCallback(() => {
      while (client.execute() === 'more');
    });
    client.noop();
    sendMail(client);
    clock.advance(1000);
    settle();
    expect(news()).toEqual(['NOOP_ACK', 'SENDER_ACK 1', 'RECIPIENT_ACK 1 b', 'BOM_ACK 1', 'EOM_ACK 1 b/']);
  });

  it('a clock that cannot wake: nothing is set, and execute() still finds the limit', () => {
    const clock = new VirtualClock();
    const client = new SmtpClient({
      host: 'mx.example.test',
      pump: 'manual',
      clock: { now: () => clock.now() },
      transport: memory(new ScriptedServer(replies({ CONNECT: silence })), { clock }),
      timeouts: { greetingMs: 100 },
    });
    const told: string[] = [];
    client.on('event', (event) => told.push(short(event)));
    client.connect();
    for (let n = 0; n < 10; n++) {
      client.execute();
      clock.advance(0);
    }
    clock.advance(100);
    client.execute();
    expect(told).toEqual(['TIMEOUT greeting', 'DISCONNECTED ETIMEDOUT']);
  });
});

describe("pump: 'auto' on a virtual clock", () => {
  const auto = (setup: Setup = {}): Bench => bench({ ...setup, client: { pump: 'auto', ...setup.client } });

  it('TK41: a time limit is found without any call of execute()', async () => {
    const { client, clock, told } = auto({
      server: replies({ CONNECT: silence }),
      client: { timeouts: { greetingMs: 1000 } },
    });
    client.connect();
    await loop();
    clock.advance(0);
    await loop();
    clock.advance(999);
    await loop();
    expect(told).toEqual([]);
    clock.advance(1);
    await loop();
    expect(told).toEqual(['TIMEOUT greeting', 'DISCONNECTED ETIMEDOUT']);
  });

  it('a whole session runs by itself; the user’s callback is called as well', async () => {
    const { client, clock, told, server } = auto({ line: { latencyMs: 10 } });
    let calls = 0;
    client.setAsyncCallback(() => calls++);
    client.on('EOM_ACK', () => client.disconnect());
    client.connect();
    sendMail(client);
    expect(told).toEqual([]);
    for (let n = 0; n < 50 && client.state !== 'disconnected'; n++) {
      await loop(5);
      clock.advance(5);
    }
    expect(told).toEqual([
      'CONNECTED',
      'SENDER_ACK 1',
      'RECIPIENT_ACK 1 b',
      'BOM_ACK 1',
      'EOM_ACK 1 b/',
      'DISCONNECTED',
    ]);
    expect(server.delivered).toBe(1);
    expect(calls).toBeGreaterThan(3);
  });

  it('nothing happens before the code that runs now has ended', async () => {
    const { client, told, transport } = auto();
    client.connect();
    await Promise.resolve();
    expect(transport.line === undefined || told.length === 0).toBe(true);
    client.abort();
    expect(told).toEqual([]);
    await loop();
    expect(told).toEqual(['DISCONNECTED EABORTED']);
  });

  it('work beyond the budget is done in later turns of the loop, all of it', async () => {
    const { client, clock, told, server } = auto();
    client.connect();
    const to = Array.from({ length: 1000 }, (_, n) => `r${n}@example.test`);
    sendMail(client, { to });
    for (let n = 0; n < 30; n++) {
      await loop(10);
      clock.advance(0);
    }
    expect(told.filter((line) => line.startsWith('RECIPIENT_ACK'))).toHaveLength(1000);
    expect(server.delivered).toBe(1);
  });
});
