/** TLS by policy: when it is asked for, what follows a failure, and what never goes over a clear line. */
import { describe, expect, it } from 'vitest';
import { type Bench, bench, last, plainLogin, replies, type Setup, sendMail } from './support.ts';

const opened = (setup: Setup): Bench => {
  const made = bench(setup);
  made.client.connect();
  made.settle();
  return made;
};
const verbs = (made: Bench) => made.server.commands.map((line) => line.split(' ')[0]);

describe('TLS', () => {
  it('TK43 TK46: optional, offered: STARTTLS, SECURE_OK before CONNECTED, EHLO anew, mail under TLS', () => {
    const made = opened({ server: { tls: 'starttls' } });
    expect(made.told).toEqual(['SECURE_OK', 'CONNECTED']);
    expect(verbs(made)).toEqual(['EHLO', 'STARTTLS', 'EHLO']);
    expect(made.client.secure).toBe(true);
    expect(last(made.events, 'CONNECTED').secure).toBe(true);
    expect(last(made.events, 'SECURE_OK').tls).toMatchObject({ protocol: 'TLSv1.3', authorized: true });
    expect(made.client.capabilities?.starttls).toBe(false);
    sendMail(made.client);
    made.settle();
    expect(made.server.messages[0]?.secure).toBe(true);
    made.client.disconnect();
    made.settle();
    expect(made.client.secure).toBe(false);
  });

  it('TK46 TK47: optional is the default; not offered it goes on in clear and tells no TLS event', () => {
    for (const client of [{}, { tls: 'optional' } as const, { tlsOptions: {} }]) {
      const made = opened({ client });
      expect(made.told).toEqual(['CONNECTED']);
      expect(verbs(made)).toEqual(['EHLO']);
      expect(last(made.events, 'CONNECTED').secure).toBe(false);
    }
    expect(opened({ server: { tls: 'starttls' }, client: { tlsOptions: {} } }).told[0]).toBe('SECURE_OK');
  });

  it('TK45: never: STARTTLS is not sent though it is offered', () => {
    const made = opened({ server: { tls: 'starttls' }, client: { tls: 'never' } });
    expect(made.told).toEqual(['CONNECTED']);
    expect(verbs(made)).toEqual(['EHLO']);
    expect(made.client.secure).toBe(false);
  });

  it('TK48: always: STARTTLS is sent though the keyword was stripped, and a 220 is followed', () => {
    const stripped = replies({ EHLO: (_, nth) => (nth === 1 ? ['250 mx', '250 PIPELINING'] : undefined) });
    const made = opened({ server: { tls: 'starttls', ...stripped }, client: { tls: 'always' } });
    expect(made.told).toEqual(['SECURE_OK', 'CONNECTED']);
    expect(verbs(made)).toEqual(['EHLO', 'STARTTLS', 'EHLO']);
  });

  it.each(['502 5.5.1 no', '454 4.7.0 not now', '250 ok, but no 220'])(
    'TK48: always: STARTTLS refused with %s is SECURE_FAIL, and nothing in clear afterwards',
    (reply) => {
      const made = bench({
        server: { ...replies({ STARTTLS: reply }), auth: { mechanisms: ['PLAIN'], users: {} } },
        client: { tls: 'always', auth: { ...plainLogin, allowPlaintext: true } },
      });
      made.client.connect();
      sendMail(made.client);
      made.settle();
      expect(made.told).toEqual(['SECURE_FAIL', 'DISCONNECTED ETLS 1:unsent']);
      expect(verbs(made)).toEqual(['EHLO', 'STARTTLS']);
      expect(last(made.events, 'SECURE_FAIL').error).toMatchObject({
        code: 'ETLS',
        phase: 'starttls',
        command: 'STARTTLS',
        reply: { code: Number(reply.slice(0, 3)) },
      });
      expect(made.server.open).toBe(0);
    },
  );

  it.each(['502 what?', '550 no', '421 bye'])(
    'always: EHLO refused with %s is SECURE_FAIL or the 421, no HELO, no STARTTLS',
    (reply) => {
      const made = opened({ server: replies({ EHLO: reply }), client: { tls: 'always' } });
      expect(made.told).toEqual(
        reply.startsWith('421')
          ? ['SERVER_RETRY connect 421', 'DISCONNECTED ESERVERTEMP']
          : ['SECURE_FAIL', 'DISCONNECTED ETLS'],
      );
      expect(verbs(made)).toEqual(['EHLO']);
    },
  );

  it('TK49: implicit: TLS before the greeting, and no STARTTLS', () => {
    const made = opened({ server: { tls: 'implicit' }, client: { tls: 'implicit' } });
    expect(made.told).toEqual(['SECURE_OK', 'CONNECTED']);
    expect(made.server.log[0]).toBe('-- tls');
    expect(made.server.log[1]).toMatch(/^S: 220/);
    expect(verbs(made)).toEqual(['EHLO']);
    expect(made.client.secure).toBe(true);
  });

  it('implicit against a server that speaks first in clear is SECURE_FAIL, with a hint', () => {
    const made = opened({ client: { tls: 'implicit' } });
    expect(made.told).toEqual(['SECURE_FAIL', 'DISCONNECTED ETLS']);
    const { error } = last(made.events, 'SECURE_FAIL');
    expect(error.phase).toBe('tls');
    expect(made.server.commands).toEqual([]);
  });

  const handshakes = [
    ['fail', undefined],
    ['wrong-name', /name|servername/],
    ['untrusted', /tlsOptions\.ca/],
  ] as const;

  it.each(
    handshakes.flatMap(([outcome, hint]) =>
      (['optional', 'always', 'implicit'] as const).map((tls) => ({ outcome, hint, tls })),
    ),
  )(
    'TK44: $tls: a handshake that ends in "$outcome" is SECURE_FAIL, then DISCONNECTED in the same execute()',
    ({ outcome, hint, tls }) => {
      const made = bench({
        server: { tls: tls === 'implicit' ? 'implicit' : 'starttls', handshake: outcome },
        client: { tls },
      });
      const turn: string[][] = [];
      made.client.connect();
      sendMail(made.client);
      for (let n = 0; n < 20; n++) {
        made.client.execute();
        made.clock.advance(0);
        turn.push(made.news());
      }
      expect(turn.filter((told) => told.length > 0)).toEqual([['SECURE_FAIL', 'DISCONNECTED ETLS 1:unsent']]);
      const { error } = last(made.events, 'SECURE_FAIL');
      expect(error).toMatchObject({ code: 'ETLS', phase: 'tls', retryable: false });
      expect(error.cause).toBeInstanceOf(Error);
      if (hint !== undefined) expect(error.hint).toMatch(hint);
      expect(made.server.messages).toEqual([]);
    },
  );

  it('a certificate that does not fit is taken only when rejectUnauthorized is false', () => {
    const made = opened({
      server: { tls: 'starttls', handshake: 'wrong-name' },
      client: { tlsOptions: { rejectUnauthorized: false } },
    });
    expect(made.told).toEqual(['SECURE_OK', 'CONNECTED']);
    expect(last(made.events, 'SECURE_OK').tls.authorized).toBe(false);
  });

  it('optional: a refused STARTTLS command tells SECURE_FAIL and goes on in clear where nothing is secret', () => {
    const made = bench({ server: { tls: 'starttls', ...replies({ STARTTLS: '454 4.7.0 not now' }) } });
    made.client.connect();
    sendMail(made.client);
    made.settle();
    expect(made.told.slice(0, 2)).toEqual(['SECURE_FAIL', 'CONNECTED']);
    expect(last(made.events, 'CONNECTED').secure).toBe(false);
    expect(last(made.events, 'SECURE_FAIL').error).toMatchObject({ phase: 'starttls', reply: { code: 454 } });
    expect(made.server.messages[0]?.secure).toBe(false);
    expect(made.client.capabilities?.pipelining).toBe(true);
  });

  it('optional: with credentials a refused STARTTLS ends it, even where clear text is allowed', () => {
    for (const allowPlaintext of [true, false]) {
      const made = opened({
        server: {
          tls: 'starttls',
          ...replies({ STARTTLS: '454 not now' }),
          auth: { mechanisms: ['PLAIN'], users: { ann: 'secret' } },
        },
        client: { auth: { ...plainLogin, allowPlaintext } },
      });
      expect(made.told).toEqual(['SECURE_FAIL', 'DISCONNECTED ETLS']);
      expect(verbs(made)).toEqual(['EHLO', 'STARTTLS']);
    }
  });

  it('what is offered in clear is forgotten: capabilities are those under TLS', () => {
    const made = opened({
      server: {
        tls: 'starttls',
        extensions: ({ secure }) => (secure ? ['DSN'] : ['PIPELINING', '8BITMIME']),
      },
    });
    expect(made.client.capabilities).toMatchObject({ dsn: true, pipelining: false, eightBitMime: false });
  });

  it('clear text that comes with the 220 is a violation, not an answer (S2)', () => {
    const made = opened({
      server: { tls: 'starttls', ...replies({ STARTTLS: { raw: '220 go\r\n250 evil\r\n' } }) },
    });
    expect(made.told).toHaveLength(1);
    expect(made.told[0]).toMatch(/^DISCONNECTED (ESERVERSYNC|ETLS)$/);
    expect(verbs(made)).toEqual(['EHLO', 'STARTTLS']);
  });

  it('S3: no TLS after the 220 to STARTTLS is SECURE_FAIL, and the hint speaks of that', () => {
    const made = opened({ server: { tls: 'starttls', handshake: 'stall' } });
    made.server.connections[0]?.say('250 no TLS here\r\n');
    made.settle();
    expect(made.told).toEqual(['SECURE_FAIL', 'DISCONNECTED ETLS']);
    const { error } = last(made.events, 'SECURE_FAIL');
    expect(error.hint).toMatch(/yes to STARTTLS/);
    expect(error.hint).not.toMatch(/tls: '|port/);
  });

  it('a line that drains just when TLS is to begin does not keep it from beginning', () => {
    for (const budget of [1, 2, 64]) {
      const made = bench({
        server: { tls: 'starttls' },
        client: { timeouts: { secureMs: 1000 } },
        wrap: (inner) => {
          let owed = false;
          return {
            open: (target) => inner.open(target),
            secure: (options) => inner.secure(options),
            close: (graceful) => inner.close(graceful),
            write(bytes) {
              owed = Buffer.from(bytes).toString().startsWith('STARTTLS');
              return inner.write(bytes) && !owed;
            },
            poll() {
              const event = inner.poll();
              if (event !== undefined || !owed) return event;
              owed = false;
              return { type: 'drain' };
            },
            get onReady() {
              return inner.onReady;
            },
            set onReady(fn) {
              inner.onReady = fn;
            },
          };
        },
      });
      made.client.connect();
      for (let n = 0; n < 100; n++) {
        made.client.execute(budget);
        made.clock.advance(0);
      }
      expect(made.told, `budget ${budget}`).toEqual(['SECURE_OK', 'CONNECTED']);
    }
  });
});
