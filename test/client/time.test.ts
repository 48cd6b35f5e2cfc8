/** Time limits: each awaited thing has its own, readTimer() tells it, expiry closes. Virtual time throughout. */
import type { ServerOptions } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import { type Bench, bench, connected, last, plainLogin, replies, type Setup, sendMail, silence } from './support.ts';

const limits = {
  connectMs: 1010,
  secureMs: 1020,
  greetingMs: 1030,
  commandMs: 1040,
  dataMs: 1050,
  bodyMs: 1060,
  verdictMs: 1070,
  quitMs: 1080,
};
const never = Number.POSITIVE_INFINITY;
const whole = { auth: { mechanisms: ['CRAM-MD5'], users: { ann: 'secret' } }, tls: 'starttls' } as const;
const login = { auth: plainLogin };

interface Case {
  readonly state: string;
  readonly setup: Setup;
  readonly act?: (bench: Bench) => void;
  /** What readTimer() says in it. */
  readonly timer: number;
  /** The phase of TIMEOUT; undefined where nothing is limited. */
  readonly phase?: string;
}

const mute = (verb: string, server: ServerOptions = {}, client = {}): Setup => ({
  server: { ...server, ...replies({ [verb]: silence }) },
  client,
});
const mailTo = (point: 'sender' | 'recipient' | 'bom' | 'eom') => {
  return ({ client, settle }: Bench): void => {
    settle(0);
    client.sendSender('a@example.test');
    if (point !== 'sender') client.sendRecipient('b@example.test');
    if (point === 'bom' || point === 'eom') client.sendBom({ raw: true });
    if (point === 'eom') client.sendEom();
  };
};

const cases: readonly Case[] = [
  { state: 'opening', setup: { fault: { kind: 'unreachable' } }, timer: 1010, phase: 'connect' },
  { state: 'greeting', setup: mute('CONNECT'), timer: 1030, phase: 'greeting' },
  { state: 'EHLO', setup: mute('EHLO'), timer: 1040, phase: 'ehlo' },
  { state: 'STARTTLS', setup: mute('STARTTLS', { tls: 'starttls' }), timer: 1040, phase: 'starttls' },
  { state: 'handshake', setup: { server: { tls: 'starttls', handshake: 'stall' } }, timer: 1020, phase: 'tls' },
  {
    state: 'implicit handshake',
    setup: { server: { tls: 'implicit', handshake: 'stall' }, client: { tls: 'implicit' } },
    timer: 1020,
    phase: 'tls',
  },
  { state: 'AUTH', setup: mute('AUTH', whole, login), timer: 1040, phase: 'auth' },
  { state: 'AUTH response', setup: mute('RESPONSE', whole, login), timer: 1040, phase: 'auth' },
  {
    state: 'token',
    setup: {
      server: { auth: { mechanisms: ['XOAUTH2'], users: {} }, tls: 'starttls' },
      client: { auth: { user: 'ann', token: () => new Promise<string>(() => {}) } },
    },
    timer: 1040,
    phase: 'auth',
  },
  {
    state: 'login rejected',
    setup: { server: { auth: { mechanisms: ['PLAIN'], users: {} }, tls: 'starttls' }, client: login },
    timer: never,
  },
  { state: 'ready', setup: {}, timer: never },
  { state: 'sender, unanswered', setup: mute('MAIL'), act: mailTo('sender'), timer: 1040, phase: 'mail' },
  { state: 'sender', setup: {}, act: mailTo('sender'), timer: never },
  { state: 'recipients, unanswered', setup: mute('RCPT'), act: mailTo('recipient'), timer: 1040, phase: 'rcpt' },
  { state: 'recipients', setup: {}, act: mailTo('recipient'), timer: never },
  { state: 'DATA', setup: mute('DATA'), act: mailTo('bom'), timer: 1050, phase: 'data' },
  { state: 'body, between pieces', setup: {}, act: mailTo('bom'), timer: never },
  {
    state: 'body, the line is full',
    setup: {},
    act: (made) => {
      mailTo('bom')(made);
      made.settle(0);
      made.transport.line?.pause();
      made.client.sendBody(new Uint8Array(200_000));
    },
    timer: 1060,
    phase: 'body',
  },
  { state: 'sent', setup: mute('CONTENT'), act: mailTo('eom'), timer: 1070, phase: 'verdict' },
  {
    state: 'RSET',
    setup: mute('RSET'),
    act: ({ client, settle }) => {
      settle(0);
      client.reset();
    },
    timer: 1040,
    phase: 'rset',
  },
  {
    state: 'NOOP',
    setup: mute('NOOP'),
    act: ({ client, settle }) => {
      settle(0);
      client.noop();
    },
    timer: 1040,
    phase: 'noop',
  },
  {
    state: 'QUIT',
    setup: mute('QUIT'),
    act: ({ client, settle }) => {
      settle(0);
      client.disconnect();
    },
    timer: 1080,
    phase: 'quit',
  },
];

function enter({ setup, act }: Case): Bench {
  const made = bench({ ...setup, client: { timeouts: limits, ...setup.client } });
  made.client.connect();
  act?.(made);
  made.settle(0);
  made.news();
  return made;
}

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
    clock.advance(0.5);
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

describe('a limit that runs out', () => {
  it.each(cases.filter(({ phase }) => phase !== undefined))(
    'TK39 TK40: $state: TIMEOUT once, the line closed in the same execute(), and connect() works again',
    (one) => {
      const made = enter(one);
      const { client, clock, news, events, told, server } = made;
      clock.advance(one.timer - 1);
      client.execute();
      expect(news()).toEqual([]);
      clock.advance(1);
      client.execute();
      const ends = one.act === undefined ? '' : /^(sender|recip|DATA|body)/.test(one.state) ? ' 1:unsent' : one.state === 'sent' ? ' 1:unknown' : '';
      expect(news()).toEqual([`TIMEOUT ${one.phase}`, `DISCONNECTED ETIMEDOUT${ends}`]);
      const { error } = last(events, 'TIMEOUT');
      expect(error).toMatchObject({ code: 'ETIMEDOUT', phase: one.phase, retryable: true });
      expect(last(events, 'DISCONNECTED').reason).toMatchObject({ code: 'ETIMEDOUT', phase: one.phase });
      expect(client.state).toBe('disconnected');
      made.transport.line?.resume();
      made.settle(0);
      expect(server.open).toBe(0);
      client.connect({ tls: 'never' });
      client.abort();
      made.settle();
      expect(told.filter((line) => line.startsWith('TIMEOUT'))).toHaveLength(1);
      expect(told.filter((line) => line.startsWith('DISCONNECTED'))).toHaveLength(2);
    },
  );

  it('TK39: after a silent server the same client mails to one that speaks', () => {
    const { client, server, settle, told } = bench({
      server: replies({ CONNECT: (_, nth) => (nth === 1 ? silence : undefined) }),
    });
    client.once('DISCONNECTED', () => {
      client.connect();
      sendMail(client);
    });
    client.connect();
    settle(400_000);
    expect(told.slice(0, 3)).toEqual(['TIMEOUT greeting', 'DISCONNECTED ETIMEDOUT', 'CONNECTED']);
    expect(server.delivered).toBe(1);
  });

  it('the defaults are those of RFC 5321 §4.5.3.2', () => {
    const said = cases
      .filter(({ phase }) => phase !== undefined)
      .map((one) => {
        const made = bench(one.setup);
        made.client.connect();
        one.act?.(made);
        made.settle(0);
        return [one.phase, made.client.readTimer()];
      });
    expect(Object.fromEntries(said)).toEqual({
      connect: 120_000,
      greeting: 300_000,
      ehlo: 300_000,
      starttls: 300_000,
      tls: 120_000,
      auth: 300_000,
      mail: 300_000,
      rcpt: 300_000,
      data: 120_000,
      body: 180_000,
      verdict: 600_000,
      rset: 300_000,
      noop: 300_000,
      quit: 10_000,
    });
  });

  it('is not put off by a reply that drips in byte by byte', () => {
    const { client, clock, server, settle, news } = connected(mute('NOOP', {}, { timeouts: limits }));
    client.noop();
    settle(0);
    for (const byte of '250 still .') {
      clock.advance(90);
      server.connections[0]?.say(byte);
      settle(0);
    }
    expect(news()).toEqual([]);
    expect(client.readTimer()).toBe(1040 - 11 * 90);
  });

  it('in a group, counts for each reply from the one before it', () => {
    const slow = { delayMs: 1000 };
    const { client, settle, news } = connected({
      server: replies({ MAIL: { reply: '250 ok', ...slow }, RCPT: { reply: '250 ok', ...slow } }),
      client: { timeouts: limits },
    });
    sendMail(client, { to: ['b@example.test', 'c@example.test'] });
    settle(60_000);
    expect(news().at(-1)).toBe('EOM_ACK 1 b+c/');
  });

  it('and for a command sent later from its departure', () => {
    const { client, clock, settle } = connected({ client: { timeouts: limits } });
    clock.advance(100_000);
    client.noop();
    client.execute();
    settle(0);
    expect(client.readTimer()).toBe(never);
    const quiet = connected(mute('NOOP', {}, { timeouts: limits }));
    quiet.clock.advance(100_000);
    quiet.client.noop();
    quiet.settle(0);
    expect(quiet.client.readTimer()).toBe(1040);
  });

  it('totalMs limits connecting as a whole, and only that', () => {
    const slow = { delayMs: 900 };
    const setup: Setup = {
      server: replies({ CONNECT: { reply: '220 hi', ...slow }, EHLO: { reply: ['250 hi', '250 AUTH'], ...slow } }),
      client: { timeouts: { totalMs: 1500 } },
    };
    const made = bench(setup);
    const started = made.clock.now();
    let after = 0;
    made.client.on('TIMEOUT', () => {
      after = made.clock.now() - started;
    });
    made.client.connect();
    made.settle();
    expect(made.told).toEqual(['TIMEOUT ehlo', 'DISCONNECTED ETIMEDOUT']);
    expect(after).toBe(1500);
    const enough = bench({ ...setup, client: { timeouts: { totalMs: 1801 } } });
    enough.client.connect();
    enough.settle(10_000);
    enough.clock.advance(10_000);
    enough.settle();
    expect(enough.told).toEqual(['CONNECTED']);
    expect(enough.client.readTimer()).toBe(never);
  });

  it('messageMs limits a message from MAIL to its verdict', () => {
    const setup: Setup = {
      server: replies({ CONTENT: { reply: '250 ok', delayMs: 900 } }),
      client: { timeouts: { messageMs: 1000 } },
    };
    const good = connected(setup);
    sendMail(good.client);
    good.settle();
    good.clock.advance(5000);
    sendMail(good.client);
    good.settle();
    expect(good.news().filter((line) => line.startsWith('EOM_ACK'))).toHaveLength(2);
    const late = connected(setup);
    late.client.sendSender('a@example.test');
    late.client.sendRecipient('b@example.test');
    late.client.sendBom({ raw: true });
    late.settle(0);
    expect(late.client.readTimer()).toBe(1000);
    late.clock.advance(200);
    late.client.sendEom();
    late.settle();
    expect(late.news().slice(3)).toEqual(['TIMEOUT verdict', 'DISCONNECTED ETIMEDOUT 1:unknown']);
  });

  it('messageMs while the caller is slow with the body: TIMEOUT body, unsent', () => {
    const { client, settle, news } = connected({ client: { timeouts: { messageMs: 1000 } } });
    client.sendSender('a@example.test');
    client.sendRecipient('b@example.test');
    client.sendBom({ raw: true });
    settle();
    expect(news().slice(3)).toEqual(['TIMEOUT body', 'DISCONNECTED ETIMEDOUT 1:unsent']);
  });

  it('a body that moves, slowly, is not timed out: bodyMs counts from the last time the line took some', () => {
    const { client, settle, server, news } = connected({
      line: { bytesPerSecond: 100_000, windowBytes: 20_000 },
      client: { timeouts: limits },
    });
    client.sendSender('a@example.test');
    client.sendRecipient('b@example.test');
    client.sendBom({ raw: true });
    client.sendBody(new Uint8Array(250_000));
    client.sendEom();
    settle(60_000);
    expect(news().slice(-1)).toEqual(['EOM_ACK 1 b/']);
    expect(server.delivered).toBe(1);
  });

  it('Infinity is no limit', () => {
    const { client } = enter({ ...mute('NOOP'), setup: mute('NOOP', {}, { timeouts: { commandMs: never } }), state: '', timer: never, act: ({ client, settle }) => {
      settle(0);
      client.noop();
    } });
    expect(client.readTimer()).toBe(never);
    expect(client.execute()).toBe('pending');
  });
});
