/** What an error says beyond its code: command, cause and hint; and misuse that is told at once. */
import type { Step } from 'smtpump/machines';
import { describe, expect, it } from 'vitest';
import { printable } from '../../src/errors.ts';
import {
  type Bench,
  bench,
  codeOf,
  connected,
  last,
  plainLogin,
  replies,
  type Setup,
  silence,
  textOf,
} from './support.ts';

const opened = (setup: Setup): Bench => {
  const made = bench(setup);
  made.client.connect();
  made.settle(1_000_000);
  return made;
};
const tokenServer: Setup['server'] = {
  tls: 'starttls',
  auth: { mechanisms: ['XOAUTH2'], users: { ann: 'secret' } },
};

describe('AUTH_FAIL', () => {
  it('S1: after STARTTLS, EHLO refused and HELO taken: it does not speak of missing TLS', () => {
    const made = opened({
      server: {
        tls: 'starttls',
        ...plainAuth,
        ...replies({ EHLO: (_, nth) => (nth > 1 ? '500 what?' : undefined) }),
      },
      client: { auth: plainLogin },
    });
    expect(made.told).toEqual(['SECURE_OK', 'AUTH_FAIL']);
    const { error } = last(made.events, 'AUTH_FAIL');
    expect(error.message).not.toMatch(/without TLS/);
    expect(error.hint ?? '').not.toMatch(/tls|allowPlaintext/);
    expect(error.message).toMatch(/no mechanism fits/);
    expect(made.server.commands.filter((line) => line.startsWith('AUTH'))).toEqual([]);
  });

  it('in clear it does speak of it', () => {
    for (const server of [plainAuth, replies({ EHLO: '500 what?' })]) {
      const made = opened({ server, client: { auth: plainLogin } });
      expect(last(made.events, 'AUTH_FAIL').error.message).toMatch(/without TLS/);
    }
  });

  it('S7: carries the command that failed, its secret masked', () => {
    const made = opened({
      server: { tls: 'starttls', auth: { mechanisms: ['PLAIN'], users: {} } },
      client: { auth: plainLogin },
    });
    const { error } = last(made.events, 'AUTH_FAIL');
    expect(error.command).toMatch(/^AUTH PLAIN/);
    expect(error.reply).toMatchObject({ code: 535 });
    const text = Buffer.from('\0ann\0secret').toString('base64');
    expect(JSON.stringify(error)).not.toContain(text);
    expect(error.message).not.toContain(text);
  });

  it('carries the cause where a token source failed', () => {
    const cause = new Error('the token service is down');
    const token = (): never => {
      throw cause;
    };
    const made = opened({ server: tokenServer, client: { auth: { user: 'ann', token } } });
    expect(made.told).toEqual(['SECURE_OK', 'AUTH_FAIL']);
    const { error } = last(made.events, 'AUTH_FAIL');
    expect(error.cause).toBe(cause);
    expect(error.message).toContain('the token service is down');
    expect(error.command).toBeUndefined();
  });

  it('and where it failed later', async () => {
    const cause = new Error('the token service is down');
    const made = bench({
      server: tokenServer,
      client: { auth: { user: 'ann', token: () => Promise.reject(cause) } },
    });
    await login(made);
    expect(last(made.events, 'AUTH_FAIL').error.cause).toBe(cause);
  });
});

describe('a token source may give any thenable', () => {
  // what an older library has for a promise; not one of ours
  const thenable = (settle: (yes: (token: string) => void, no: (error: Error) => void) => void) =>
    ({
      // biome-ignore lint/suspicious/noThenProperty: that is what it is
      then(yes: (token: string) => void, no: (error: Error) => void) {
        settle(yes, no);
      },
    }) as object as Promise<string>;

  it('that answers at once, or later', async () => {
    for (const later of [true, false]) {
      const token = () =>
        thenable((yes) => {
          if (later) setImmediate(() => yes('secret'));
          else yes('secret');
        });
      const made = bench({ server: tokenServer, client: { auth: { user: 'ann', token } } });
      await login(made);
      expect(made.told).toEqual(['SECURE_OK', 'AUTH_OK XOAUTH2', 'CONNECTED']);
    }
  });

  it('that fails, or throws: AUTH_FAIL with the cause', async () => {
    const cause = new Error('no token today');
    const failing = [
      thenable((_, no) => no(cause)),
      thenable(() => {
        throw cause;
      }),
    ];
    for (const answer of failing) {
      const made = bench({ server: tokenServer, client: { auth: { user: 'ann', token: () => answer } } });
      await login(made);
      expect(made.told).toEqual(['SECURE_OK', 'AUTH_FAIL']);
      expect(last(made.events, 'AUTH_FAIL').error.cause).toBe(cause);
    }
  });
});

describe('hints', () => {
  it('a greeting that does not come in time: the peer may expect TLS', () => {
    const made = opened({ server: replies({ CONNECT: silence }) });
    expect(made.told).toEqual(['TIMEOUT greeting', 'DISCONNECTED ETIMEDOUT']);
    expect(last(made.events, 'TIMEOUT').error.hint).toMatch(/tls: 'implicit'/);
    const later = connected({ server: replies({ NOOP: silence }) });
    later.client.noop();
    later.settle(1_000_000);
    expect(last(later.events, 'TIMEOUT').error.hint).toBeUndefined();
  });
});

describe('misuse', () => {
  const begun = (): Bench['client'] => {
    const { client } = connected();
    client.sendSender('a@example.test');
    client.sendRecipient('b@example.test');
    client.sendBom();
    return client;
  };
  const given = (value: unknown): never => value as never;

  // what somebody may try who has not read much, and what helps
  it.each<[string, () => unknown, RegExp]>([
    ['a list of recipients', () => connected().client.sendSender(given(['a@b.example'])), /one address at a/],
    [
      'a list in a text',
      () => connected().client.sendSender('a@b.example, c@d.example'),
      /one address at a time/,
    ],
    [
      'a name in front',
      () => connected().client.sendSender('Me <a@b.example>'),
      /display name .* option of its own/,
    ],
    [
      'an unknown key',
      () => connected().client.sendSender(given({ adress: 'a@b' })),
      /no "adress"; there are address/,
    ],
    ['connect() twice', () => begun().connect(), /disconnect\(\) or abort\(\) first/],
    ['sendBom() twice', () => begun().sendBom(), /state 'body': it comes once/],
    [
      'sendEom() twice',
      () => {
        const client = begun();
        client.sendEom();
        client.sendEom();
      },
      /state 'sent': it comes once/,
    ],
    [
      'the port in the host',
      () => bench({ client: { host: 'mx.example:25' } }),
      /port is an option of its own/,
    ],
    ['an address of the web', () => bench({ client: { host: 'smtp://mx.example' } }), /not a host name/],
    [
      'pass',
      () => bench({ client: { auth: given({ user: 'a', pass: 'b' }) } }),
      /no "pass"; there are user, password/,
    ],
    ['a login as text', () => bench({ client: { auth: given('a:b') } }), /\{ user, password \}/],
    [
      'secure: true',
      () => bench({ client: given({ secure: true }) }),
      /no "secure"; there are host, port, .*tls/,
    ],
  ])('%s: the error says what to do', (_, act, text) => {
    expect(act).toThrow(
      expect.objectContaining({ name: 'SmtpUsageError', message: expect.stringMatching(text) }),
    );
  });

  it.each(['toString', 'constructor', '__proto__', 'hasOwnProperty', '', 'CONNECT', 'connect '])(
    'can(%j) is EINVAL: it is no step',
    (name) => {
      const { client } = connected();
      expect(codeOf(() => client.can(name as Step))).toBe('EINVAL');
    },
  );

  it('a string that begins or ends within a character is EINVAL, and nothing of it is taken', () => {
    const made = connected();
    made.client.sendSender('a@example.test');
    made.client.sendRecipient('b@example.test');
    made.client.sendBom({ raw: true });
    for (const chunk of ['half \ud83d', '\ude00 half', '\ud83d', '\ude00']) {
      expect(
        codeOf(() => made.client.sendBody(chunk)),
        JSON.stringify(chunk),
      ).toBe('EINVAL');
    }
    expect(made.client.sendBody('whole 😀\r\n')).toBe(12);
    made.client.sendEom();
    made.settle();
    expect(textOf(made.server)).toBe('whole 😀\r\n');
  });
});

describe('S12: no text of the outside reaches a terminal as it came', () => {
  const hostile = '\u001b[2J\u009b31m';

  it('neither of a reply, nor of a cause, nor of a token source', () => {
    const refused = connected({ server: replies({ MAIL: `550 ${hostile}` }) });
    refused.client.sendSender('a@example.test');
    refused.settle();
    const thrown = opened({
      server: tokenServer,
      client: {
        auth: {
          user: 'ann',
          token: () => {
            throw new Error(`no ${hostile}\u2028 token`);
          },
        },
      },
    });
    const broken = bench({
      wrap: (inner) => ({
        ...inner,
        open() {
          throw new Error(hostile);
        },
        close: () => {},
        poll: () => undefined,
      }),
    });
    broken.client.connect();
    broken.settle();
    const texts = [
      last(refused.events, 'SERVER_ERROR').error.message,
      last(thrown.events, 'AUTH_FAIL').error.message,
      last(broken.events, 'DISCONNECTED').reason?.message ?? '',
    ];
    for (const text of texts) {
      expect(text).toMatch(/\\x1b/);
      expect(text).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
    }
  });

  it('nor of an option that is wrong', () => {
    const { client } = bench();
    expect(() => client.connect({ host: `a${hostile}` })).toThrow(/\\x1b/);
    expect(printable(`a${hostile}\u2028\r\nb`)).toBe('a\\x1b[2J\\x9b31m\\u{2028} b');
    // bidirectional overrides, what has no width, and tags beyond the first plane
    expect(printable('a\u202eb\u200bc\u{e0041}')).toBe('a\\u{202e}b\\u{200b}c\\u{e0041}');
  });
});

const plainAuth: Setup['server'] & object = { auth: { mechanisms: ['PLAIN'], users: { ann: 'secret' } } };

/** Connects, and lets promises settle on the way. */
async function login(made: Bench): Promise<void> {
  made.client.connect();
  for (let n = 0; n < 20; n++) {
    made.settle();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
