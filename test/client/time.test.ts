/** Time limits: each awaited thing has its own, and expiry closes. Virtual time throughout. */
import { describe, expect, it } from 'vitest';
import { bench, connected, last, plainLogin, replies, type Setup, sendMail, silence } from './support.ts';
import { cases, enter, limits, mute, never } from './waiting.ts';

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
      const ends =
        one.act === undefined
          ? ''
          : /^(sender|recip|DATA|body)/.test(one.state)
            ? ' 1:unsent'
            : one.state === 'sent'
              ? ' 1:unknown'
              : '';
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
      server: replies({
        CONNECT: { reply: '220 hi', ...slow },
        EHLO: { reply: ['250 hi', '250 AUTH'], ...slow },
      }),
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

  it('totalMs does not run on after AUTH_FAIL: the caller may take his time to leave', () => {
    const { client, clock, settle, told } = bench({
      server: { tls: 'starttls', auth: { mechanisms: ['PLAIN'], users: {} } },
      client: { auth: plainLogin, timeouts: { totalMs: 1000 } },
    });
    client.connect();
    settle();
    expect(told).toEqual(['SECURE_OK', 'AUTH_FAIL 535']);
    expect(client.readTimer()).toBe(never);
    clock.advance(5000);
    settle();
    client.disconnect();
    settle();
    expect(told.slice(2)).toEqual(['DISCONNECTED']);
  });

  it('messageMs of a message that disconnect() gave up does not cut QUIT', () => {
    const made = connected({
      server: replies({ QUIT: { reply: '221 bye', delayMs: 5000 } }),
      client: { timeouts: { messageMs: 1000 } },
    });
    made.client.sendSender('a@example.test');
    made.client.sendRecipient('b@example.test');
    made.settle(0);
    made.clock.advance(900);
    made.client.disconnect();
    made.settle();
    expect(made.news()).toEqual(['SENDER_ACK 1', 'RECIPIENT_ACK 1 b', 'DISCONNECTED 1:unsent']);
    expect(made.server.commands.at(-1)).toBe('QUIT');
    expect(made.server.log.at(-1)).toBe('S: 221 bye');
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
      line: { bytesPerSecond: 200_000, windowBytes: 20_000 },
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
    const { client } = enter({
      ...mute('NOOP'),
      setup: mute('NOOP', {}, { timeouts: { commandMs: never } }),
      state: '',
      timer: never,
      act: ({ client, settle }) => {
        settle(0);
        client.noop();
      },
    });
    expect(client.readTimer()).toBe(never);
    expect(client.execute()).toBe('pending');
  });
});
