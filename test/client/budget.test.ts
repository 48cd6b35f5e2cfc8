/** execute(budget) is bounded in every phase, and the bound changes nothing of what is told and sent. */
import { describe, expect, it } from 'vitest';
import {
  type Bench,
  bench,
  connected,
  counted,
  plainLogin,
  replies,
  type Setup,
  sendMail,
  silence,
} from './support.ts';

describe('the budget', () => {
  // made anew for each play: a script counts
  const setups: Readonly<Record<string, () => Setup>> = {
    'STARTTLS and login': () => ({
      server: { tls: 'starttls', auth: { mechanisms: ['CRAM-MD5'], users: { ann: 'secret' } } },
      client: { auth: plainLogin },
    }),
    'many recipients and refusals': () => ({
      server: replies({
        RCPT: (_, nth) => (nth % 3 === 0 ? '550 no' : undefined),
        CONTENT: (_, nth) => (nth === 2 ? '451 later' : undefined),
      }),
    }),
    'no pipelining': () => ({ client: { pipelining: false } }),
    'cut and joined lines': () => ({ line: { cut: true, join: true, latencyMs: 3 }, seed: 7 }),
    'a broken line': () => ({
      server: replies({ CONTENT: (_, nth) => (nth === 2 ? { reset: true } : undefined) }),
    }),
    'a 421': () => ({ server: replies({ RCPT: (_, nth) => (nth === 30 ? '421 bye' : undefined) }) }),
    'a time limit': () => ({ server: replies({ DATA: (_, nth) => (nth === 2 ? silence : undefined) }) }),
    LMTP: () => ({
      server: { lmtp: true, ...replies({ CONTENT: (_, nth) => (nth % 2 === 0 ? '550 no' : undefined) }) },
      client: { protocol: 'lmtp' },
    }),
  };

  /** The whole of a session, turned with this budget: what is told and what the server read. */
  function play(
    setup: Setup,
    budget: number,
  ): { told: string[]; bytes: string; most: number; turns: number } {
    const made: Bench = bench(setup);
    const { client, clock, told, server } = made;
    let inTurn = 0;
    let most = 0;
    client.on('event', () => {
      inTurn++;
    });
    client.on('CONNECTED', () => client.disconnect());
    client.connect();
    for (let n = 0; n < 3; n++) {
      sendMail(client, {
        to: Array.from({ length: 25 }, (_, i) => `r${i}@example.test`),
        body: 'x'.repeat(3000 * n),
      });
    }
    let turns = 0;
    for (; turns < 100_000 && client.state !== 'disconnected'; turns++) {
      inTurn = 0;
      const said = client.execute(budget);
      most = Math.max(most, inTurn);
      if (said === 'more') continue;
      const at = Math.min(clock.next, clock.now() + client.readTimer());
      if (at === Number.POSITIVE_INFINITY) break;
      clock.advanceTo(at);
    }
    return { told, bytes: Buffer.concat(server.reads).toString('latin1'), most, turns };
  }

  it.each(Object.entries(setups))(
    '%s: execute(1), (3), (64) and (1000) tell the same and send the same bytes',
    (_, setup) => {
      const whole = play(setup(), 1000);
      expect(whole.told.at(-1)).toMatch(/^DISCONNECTED/);
      for (const budget of [1, 3, 64]) {
        const { told, bytes, most, turns } = play(setup(), budget);
        expect(told).toEqual(whole.told);
        expect(bytes).toBe(whole.bytes);
        expect(most).toBeLessThanOrEqual(budget);
        expect(turns).toBeGreaterThanOrEqual(whole.turns);
      }
    },
  );

  it('bounds arrivals as well: execute(1) polls the transport a fixed number of times', () => {
    const calls: string[] = [];
    const { client, clock } = bench({ line: { cut: true }, wrap: (inner) => counted(inner, calls) });
    client.connect();
    sendMail(client);
    for (let n = 0; n < 500; n++) {
      calls.length = 0;
      client.execute(1);
      expect(calls.filter((call) => call === 'poll').length).toBeLessThanOrEqual(2);
      clock.advance(0);
    }
    expect(client.state).toBe('ready');
  });

  it('bounds what is written in one turn, and the rest follows without an arrival', () => {
    const { client, server, settle, transport } = connected({
      line: { windowBytes: 100_000_000 },
      client: { bodyBufferBytes: 20_000_000 },
    });
    client.sendSender('a@example.test');
    client.sendRecipient('b@example.test');
    client.sendBom({ raw: true });
    settle();
    client.sendBody(new Uint8Array(10_000_000).fill(97));
    client.sendEom();
    transport.line?.pause();
    let turns = 1;
    while (client.execute() === 'more' && turns < 1000) turns++;
    expect(turns).toBeGreaterThan(10);
    expect(turns).toBeLessThan(200);
    transport.line?.resume();
    settle();
    expect(server.delivered).toBe(1);
  });

  it('a body of many tiny pieces is bounded too', () => {
    const writes: number[] = [];
    const { client, settle } = connected({
      line: { windowBytes: 100_000_000 },
      client: { bodyBufferBytes: 20_000_000 },
      wrap: (inner) => ({
        ...counted(inner, []),
        poll: () => inner.poll(),
        write(bytes) {
          writes.push(bytes.length);
          return inner.write(bytes);
        },
        set onReady(fn: (() => void) | undefined) {
          inner.onReady = fn;
        },
        get onReady() {
          return inner.onReady;
        },
      }),
    });
    client.sendSender('a@example.test');
    client.sendRecipient('b@example.test');
    client.sendBom({ raw: true });
    settle();
    for (let n = 0; n < 100_000; n++) client.sendBody('piece\r\n');
    writes.length = 0;
    expect(client.execute()).toBe('more');
    expect(writes.reduce((sum, length) => sum + length, 0)).toBeLessThanOrEqual(600_000);
    // small pieces leave together
    expect(writes.length).toBeLessThan(100);
  });

  it('S18: connect() waits for DISCONNECTED also where the budget, or a listener of STATE, comes between', () => {
    const { client, told } = bench({
      client: { tls: 'implicit' },
      server: { tls: 'implicit', handshake: 'fail' },
    });
    const legal: boolean[] = [];
    client.on('STATE', ({ to }) => to === 'disconnected' && legal.push(client.can('connect')));
    client.on('DISCONNECTED', () => legal.push(client.can('connect')));
    client.connect();
    for (let turn = 0; turn < 50 && !told.includes('DISCONNECTED ETLS'); turn++) {
      client.execute(1);
      if (client.state === 'disconnected' && !told.includes('DISCONNECTED ETLS')) {
        expect(() => client.connect()).toThrow(/EISCONN|wait for DISCONNECTED/);
        legal.push(client.can('connect'));
      }
    }
    expect(legal).toEqual([false, false, true]);
  });
});
