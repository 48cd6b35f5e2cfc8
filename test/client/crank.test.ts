/** The law of the pump: nothing happens but in execute(), bounded, in order, and nothing is lost when a listener throws. */
import type { Transport } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import { type Bench, bench, codeOf, connected, plainLogin, plainServer, replies, type Setup, sendMail, silence } from './support.ts';

/** Counts what is asked of a transport. */
function counted(inner: Transport, calls: string[]): Transport {
  return {
    open: (target) => (calls.push('open'), inner.open(target)),
    secure: (options) => (calls.push('secure'), inner.secure(options)),
    close: (graceful) => (calls.push('close'), inner.close(graceful)),
    write: (bytes) => (calls.push('write'), inner.write(bytes)),
    poll: () => (calls.push('poll'), inner.poll()),
    get onReady() {
      return inner.onReady;
    },
    set onReady(fn) {
      inner.onReady = fn;
    },
  };
}

describe('a step', () => {
  it('TK52: returns at once: it touches no transport and calls no listener; only execute() does', () => {
    const calls: string[] = [];
    const { client, told } = bench({ wrap: (inner) => counted(inner, calls) });
    calls.length = 0;
    const steps: (() => unknown)[] = [
      () => client.connect(),
      () => client.sendSender('a@example.test'),
      () => client.sendRecipient('b@example.test'),
      () => client.sendBom(),
      () => client.sendBody(new Uint8Array(100_000)),
      () => client.sendEom(),
      () => client.noop(),
      () => client.reset(),
      () => client.disconnect(),
      () => client.abort(),
      () => client.readTimer(),
      () => client.can('connect'),
    ];
    for (const step of steps) step();
    expect(calls).toEqual([]);
    expect(told).toEqual([]);
    client.execute();
    expect(calls).toContain('close');
    expect(told).toEqual(['DISCONNECTED EABORTED 1:unsent']);
  });

  it('TK54: any step may be called in a listener; the whole mail is driven from there', () => {
    const { client, server, told, settle } = bench();
    const waiting = ['b@example.test', 'c@example.test'];
    client.on('CONNECTED', () => client.sendSender('a@example.test'));
    const next = () => {
      const to = waiting.shift();
      if (to === undefined) client.sendBom({ raw: true });
      else client.sendRecipient(to);
    };
    client.on('SENDER_ACK', next);
    client.on('RECIPIENT_ACK', next);
    client.on('BOM_ACK', () => {
      client.sendBody('hello');
      client.sendEom();
    });
    client.on('EOM_ACK', () => client.noop());
    client.on('NOOP_ACK', () => client.reset());
    client.on('RESET', () => client.disconnect());
    client.connect();
    settle();
    expect(told).toEqual([
      'CONNECTED',
      'SENDER_ACK 1',
      'RECIPIENT_ACK 1 b',
      'RECIPIENT_ACK 1 c',
      'BOM_ACK 1',
      'EOM_ACK 1 b+c/',
      'NOOP_ACK',
      'RESET',
      'DISCONNECTED',
    ]);
    expect(server.delivered).toBe(1);
  });

  it('TK54: what a listener calls leaves in the same execute()', () => {
    const { client, server } = bench();
    client.on('CONNECTED', () => client.noop());
    client.connect();
    const heardAt: number[] = [];
    for (let n = 0; n < 10 && heardAt.length === 0; n++) {
      const before = client.state;
      client.execute();
      if (before === 'connecting' && client.state === 'ready') {
        heardAt.push(client.due);
      }
    }
    expect(heardAt).toEqual([1]);
    client.execute();
    expect(server.commands).toContain('NOOP');
  });

  it('TK54: abort() and disconnect() in the listener of every event end with one DISCONNECTED, last', () => {
    const events = ['SECURE_OK', 'AUTH_OK', 'CONNECTED', 'SENDER_ACK', 'RECIPIENT_ACK', 'BOM_ACK', 'EOM_ACK'] as const;
    for (const how of ['abort', 'disconnect'] as const) {
      for (const name of events) {
        const { client, told, settle } = bench({ server: { tls: 'starttls', ...plainServer }, client: { auth: plainLogin } });
        client.on(name, () => client[how]());
        client.connect();
        sendMail(client);
        settle();
        const at = told.findIndex((line) => line.startsWith(name));
        expect(at, `${how} at ${name}`).toBeGreaterThanOrEqual(0);
        expect(told.filter((line) => line.startsWith('DISCONNECTED')), `${how} at ${name}`).toHaveLength(1);
        expect(told.at(-1), `${how} at ${name}`).toMatch(how === 'abort' ? /^DISCONNECTED EABORTED/ : /^DISCONNECTED( \d|$)/);
      }
    }
  });
});

describe('execute()', () => {
  it("says 'idle' when nothing is awaited, 'pending' while a reply, the transport or a drain is", () => {
    const { client, clock, settle, transport } = bench({ line: { latencyMs: 10 } });
    expect(client.execute()).toBe('idle');
    client.connect();
    expect(client.execute()).toBe('pending');
    clock.advance(1);
    expect(client.execute()).toBe('pending');
    settle();
    expect(client.execute()).toBe('idle');
    client.noop();
    expect(client.execute()).toBe('pending');
    settle();
    expect(client.execute()).toBe('idle');
    client.sendSender('a@example.test');
    client.sendRecipient('b@example.test');
    client.sendBom();
    settle();
    // the caller's turn: nothing comes by itself
    expect(client.execute()).toBe('idle');
    transport.line?.pause();
    client.sendBody(new Uint8Array(250_000));
    settle();
    expect(client.execute()).toBe('pending');
    transport.line?.resume();
    settle();
    expect(client.execute()).toBe('idle');
    client.disconnect();
    settle();
    expect(client.execute()).toBe('idle');
  });

  it("says 'pending' during the handshake, after AUTH_FAIL 'idle'", () => {
    const securing = bench({ server: { tls: 'starttls', handshake: 'stall' } });
    securing.client.connect();
    securing.settle(0);
    expect(securing.client.execute()).toBe('pending');
    const rejected = bench({ server: { auth: { mechanisms: ['PLAIN'], users: {} }, tls: 'starttls' }, client: { auth: plainLogin } });
    rejected.client.connect();
    rejected.settle(0);
    expect(rejected.told.at(-1)).toBe('AUTH_FAIL 535');
    expect(rejected.client.execute()).toBe('idle');
  });

  it("while it says 'more', readTimer() is 0: there is something to do though nothing arrives", () => {
    const { client, clock } = bench();
    client.connect();
    sendMail(client);
    let more = 0;
    for (let n = 0; n < 200; n++) {
      if (client.execute(1) === 'more') {
        more++;
        expect(client.readTimer()).toBe(0);
      } else {
        clock.advance(0);
      }
    }
    expect(more).toBeGreaterThan(5);
    expect(client.state).toBe('ready');
  });

  it("inside a listener it returns 'more' at once and does nothing", () => {
    const { client, settle, told } = bench();
    const said: string[] = [];
    let depth = 0;
    client.on('event', () => {
      depth++;
      expect(depth).toBe(1);
      said.push(client.execute(), client.execute(1000));
      depth--;
    });
    client.connect();
    sendMail(client);
    settle();
    expect(new Set(said)).toEqual(new Set(['more']));
    expect(told).toHaveLength(5);
  });

  it.each([0, -1, Number.NaN])('a budget of %s is EINVAL', (budget) => {
    const { client } = bench();
    expect(() => client.execute(budget)).toThrow(/^budget: /);
    expect(codeOf(() => client.execute(budget))).toBe('EINVAL');
  });

  it('early, late and repeated calls are harmless', () => {
    const { client, settle, told, heard } = bench();
    for (let n = 0; n < 10; n++) client.execute();
    client.connect();
    sendMail(client);
    settle();
    const before = [told.length, heard.length];
    for (let n = 0; n < 100; n++) expect(client.execute()).toBe('idle');
    expect([told.length, heard.length]).toEqual(before);
  });

  it('a reply that came in time counts though the pump is turned late', () => {
    const { client, clock, news, settle } = connected({ line: { latencyMs: 10 }, client: { timeouts: { commandMs: 1000 } } });
    client.noop();
    client.execute();
    clock.advance(60_000);
    settle();
    expect(news()).toEqual(['NOOP_ACK']);
  });
});

describe('a listener that throws', () => {
  it('reaches the caller of execute(), and loses nothing: event listeners hear it, what waits comes next, steps go on', () => {
    const { client, told, settle, server } = bench();
    const thrown: string[] = [];
    for (const name of ['CONNECTED', 'SENDER_ACK', 'RECIPIENT_ACK', 'BOM_ACK', 'EOM_ACK', 'DISCONNECTED'] as const) {
      client.on(name, () => {
        throw new Error(name);
      });
    }
    client.connect();
    sendMail(client);
    for (let n = 0; n < 50; n++) {
      try {
        settle();
        if (client.state === 'ready' && client.execute() === 'idle') client.disconnect();
      } catch (error) {
        thrown.push(String(error));
        expect(client.readTimer() === 0 || client.execute() !== 'more').toBe(true);
      }
    }
    const all = ['CONNECTED', 'SENDER_ACK 1', 'RECIPIENT_ACK 1 b', 'BOM_ACK 1', 'EOM_ACK 1 b/', 'DISCONNECTED'];
    expect(told).toEqual(all);
    expect(thrown).toEqual(all.map((line) => `Error: ${line.split(' ')[0]}`));
    expect(server.delivered).toBe(1);
  });

  it('steps called before the throw are sent all the same, in the same execute()', () => {
    const { client, server, settle } = connected();
    client.once('NOOP_ACK', () => {
      client.reset();
      throw new Error('after the step');
    });
    client.noop();
    expect(() => settle()).toThrow('after the step');
    expect(client.due).toBe(1);
    settle();
    expect(server.commands.at(-1)).toBe('RSET');
  });
});

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
    'a broken line': () => ({ server: replies({ CONTENT: (_, nth) => (nth === 2 ? { reset: true } : undefined) }) }),
    'a 421': () => ({ server: replies({ RCPT: (_, nth) => (nth === 30 ? '421 bye' : undefined) }) }),
    'a time limit': () => ({ server: replies({ DATA: (_, nth) => (nth === 2 ? silence : undefined) }) }),
    LMTP: () => ({
      server: { lmtp: true, ...replies({ CONTENT: (_, nth) => (nth % 2 === 0 ? '550 no' : undefined) }) },
      client: { protocol: 'lmtp' },
    }),
  };

  /** The whole of a session, turned with this budget: what is told and what the server read. */
  function play(setup: Setup, budget: number): { told: string[]; bytes: string; most: number; turns: number } {
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
      sendMail(client, { to: Array.from({ length: 25 }, (_, i) => `r${i}@example.test`), body: 'x'.repeat(3000 * n) });
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

  it.each(Object.entries(setups))('%s: execute(1), (3), (64) and (1000) tell the same and send the same bytes', (_, setup) => {
    const whole = play(setup(), 1000);
    expect(whole.told.at(-1)).toMatch(/^DISCONNECTED/);
    for (const budget of [1, 3, 64]) {
      const { told, bytes, most, turns } = play(setup(), budget);
      expect(told).toEqual(whole.told);
      expect(bytes).toBe(whole.bytes);
      expect(most).toBeLessThanOrEqual(budget);
      expect(turns).toBeGreaterThanOrEqual(whole.turns);
    }
  });

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
    const { client, server, settle, transport } = connected({ line: { windowBytes: 100_000_000 }, client: { bodyBufferBytes: 20_000_000 } });
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
});
