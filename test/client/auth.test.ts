/** Login: inside connect(), strongest first, never in clear unless allowed; what is legal after it failed. */
import type { SmtpClientOptions } from 'smtpump';
import { describe, expect, it } from 'vitest';
import { type Bench, bench, codeOf, last, plainLogin, replies, type Setup, sendMail } from './support.ts';

const users = { ann: 'secret' };
const opened = (setup: Setup): Bench => {
  const made = bench(setup);
  made.client.connect();
  made.settle();
  return made;
};
const logins = (made: Bench) =>
  made.server.commands.filter((line) => /^AUTH/.test(line)).map((line) => line.split(' ')[1]);
const clear = { auth: { ...plainLogin, allowPlaintext: true } };

describe('login', () => {
  it.each([
    ['PLAIN', plainLogin],
    ['LOGIN', plainLogin],
    ['CRAM-MD5', plainLogin],
    ['SCRAM-SHA-1', plainLogin],
    ['SCRAM-SHA-256', plainLogin],
    ['SCRAM-SHA-256-PLUS', plainLogin],
    ['XOAUTH2', { user: 'ann', token: 'secret' }],
    ['OAUTHBEARER', { user: 'ann', token: () => 'secret' }],
    ['EXTERNAL', { mechanism: 'EXTERNAL' }],
  ])('TK14 TK15: %s under TLS: AUTH_OK, then CONNECTED', (mechanism, auth) => {
    const made = opened({
      server: { tls: 'starttls', auth: { mechanisms: [mechanism], users, secureOnly: true } },
      client: { auth },
    });
    expect(made.told).toEqual(['SECURE_OK', `AUTH_OK ${mechanism}`, 'CONNECTED']);
    expect(last(made.events, 'AUTH_OK').reply.code).toBe(235);
    expect(made.client.lastReply?.code).toBe(235);
    expect(logins(made)).toEqual([mechanism]);
    expect(last(made.events, 'CONNECTED').reply.code).toBe(250);
  });

  it('strongest first, whatever the server prefers', () => {
    const mechanisms = ['LOGIN', 'PLAIN', 'CRAM-MD5', 'SCRAM-SHA-1', 'SCRAM-SHA-256'];
    const made = opened({
      server: { tls: 'starttls', auth: { mechanisms, users } },
      client: { auth: plainLogin },
    });
    expect(logins(made)).toEqual(['SCRAM-SHA-256']);
  });

  it('next mechanism after a refusal; AUTH_FAIL only after the last, with its mechanism and reply', () => {
    const auth = { mechanisms: ['PLAIN', 'LOGIN', 'CRAM-MD5'], users: {} };
    const made = opened({ server: { tls: 'starttls', auth }, client: { auth: plainLogin } });
    expect(logins(made)).toEqual(['CRAM-MD5', 'PLAIN', 'LOGIN']);
    expect(made.told).toEqual(['SECURE_OK', 'AUTH_FAIL 535']);
    expect(last(made.events, 'AUTH_FAIL')).toMatchObject({
      mechanism: 'LOGIN',
      error: { code: 'EAUTH', phase: 'auth' },
    });
    const second = opened({
      server: {
        tls: 'starttls',
        auth: { mechanisms: auth.mechanisms, users },
        ...replies({ AUTH: ({ argument }) => (argument === 'CRAM-MD5' ? '504 broken' : undefined) }),
      },
      client: { auth: plainLogin },
    });
    expect(second.told).toEqual(['SECURE_OK', 'AUTH_OK PLAIN', 'CONNECTED']);
  });

  it('TK16: AUTH_FAIL leaves the connection up; disconnect, then connect with other credentials', () => {
    const made = opened({
      server: { auth: { mechanisms: ['PLAIN'], users } },
      client: { auth: { user: 'ann', password: 'wrong', allowPlaintext: true } },
    });
    const { client, server, told, settle } = made;
    expect(told).toEqual(['AUTH_FAIL 535']);
    expect(server.open).toBe(1);
    expect(client.state).not.toBe('ready');
    client.disconnect();
    settle();
    expect(told).toEqual(['AUTH_FAIL 535', 'DISCONNECTED']);
    expect(server.open).toBe(0);
    client.connect(clear);
    settle();
    expect(told.slice(2)).toEqual(['AUTH_OK PLAIN', 'CONNECTED']);
    expect(server.accepted).toBe(2);
  });

  it('after AUTH_FAIL only disconnect and abort are legal; what was called ahead is unsent', () => {
    const made = bench({ server: { auth: { mechanisms: ['PLAIN'], users: {} } }, client: clear });
    const { client, server, told, settle } = made;
    client.connect();
    sendMail(client);
    client.sendSender('a@example.test');
    client.noop();
    settle();
    expect(told).toEqual(['AUTH_FAIL 535']);
    for (const call of [
      () => client.sendRecipient('b@example.test'),
      () => client.reset(),
      () => client.noop(),
      () => client.sendSender('a@example.test'),
    ]) {
      expect(codeOf(call)).toBe('EPERM');
    }
    client.disconnect();
    settle();
    expect(told.slice(1)).toEqual(['DISCONNECTED 1:unsent 2:unsent']);
    expect(server.commands.some((line) => /^(MAIL|NOOP)/.test(line))).toBe(false);
  });

  it('in clear no mechanism runs: AUTH_FAIL without a reply, and nothing is sent', () => {
    const made = opened({
      server: { auth: { mechanisms: ['SCRAM-SHA-256', 'PLAIN'], users } },
      client: { auth: plainLogin },
    });
    expect(made.told).toEqual(['AUTH_FAIL']);
    const { error, mechanism, reply } = last(made.events, 'AUTH_FAIL');
    expect([mechanism, reply]).toEqual([undefined, undefined]);
    expect(error.hint).toMatch(/allowPlaintext/);
    expect(made.server.commands).toEqual(['EHLO client.example.test']);
    expect(JSON.stringify(made.events)).not.toContain('secret');
  });

  it('allowPlaintext lets it', () => {
    const made = opened({ server: { auth: { mechanisms: ['PLAIN'], users } }, client: clear });
    expect(made.told).toEqual(['AUTH_OK PLAIN', 'CONNECTED']);
  });

  it.each([
    ['no AUTH offered', {}],
    ['no mechanism that fits', { auth: { mechanisms: ['GSSAPI', 'NTLM'], users } }],
    ['HELO only', replies({ EHLO: '502 what?' })],
  ])('none usable (%s): AUTH_FAIL, nothing sent, the connection stays', (_, server) => {
    const made = opened({ server, client: clear });
    expect(made.told).toEqual(['AUTH_FAIL']);
    expect(logins(made)).toEqual([]);
    expect(made.server.open).toBe(1);
    expect(last(made.events, 'AUTH_FAIL').error).toMatchObject({ code: 'EAUTH', phase: 'auth' });
  });

  it('the reason of AUTH_FAIL fits the case: under allowPlaintext it does not ask for TLS', () => {
    const made = opened({ server: { auth: { mechanisms: ['GSSAPI'], users } }, client: clear });
    const { error } = last(made.events, 'AUTH_FAIL');
    expect(`${error.message} ${error.hint}`).toContain('GSSAPI');
    expect(`${error.message} ${error.hint}`).not.toContain('without TLS');
  });

  it('a 4xx to the login is SERVER_RETRY connect, and no other mechanism is tried', () => {
    const made = opened({
      server: { auth: { mechanisms: ['PLAIN', 'CRAM-MD5'], users }, ...replies({ AUTH: '454 4.7.0 later' }) },
      client: clear,
    });
    expect(made.told).toEqual(['SERVER_RETRY connect 454', 'DISCONNECTED ESERVERTEMP']);
    expect(logins(made)).toEqual(['CRAM-MD5']);
    expect(last(made.events, 'SERVER_RETRY').error).toMatchObject({ phase: 'auth' });
  });

  it('mechanisms restrict', () => {
    const auth = { ...plainLogin, mechanisms: ['login'] };
    const made = opened({
      server: { tls: 'starttls', auth: { mechanisms: ['PLAIN', 'LOGIN'], users } },
      client: { auth },
    });
    expect(logins(made)).toEqual(['LOGIN']);
  });

  it('a SCRAM server that does not prove itself is AUTH_FAIL, though it says 235', () => {
    const made = opened({
      server: {
        tls: 'starttls',
        auth: { mechanisms: ['SCRAM-SHA-256', 'PLAIN'], users },
        ...replies({ RESPONSE: '235 2.7.0 welcome' }),
      },
      client: { auth: plainLogin },
    });
    expect(made.told).toEqual(['SECURE_OK', 'AUTH_FAIL 235']);
    expect(logins(made)).toEqual(['SCRAM-SHA-256']);
  });

  it('a broken challenge is cancelled with *, AUTH_FAIL, and no weaker mechanism follows', () => {
    const made = opened({
      server: {
        tls: 'starttls',
        auth: { mechanisms: ['CRAM-MD5', 'PLAIN'], users },
        ...replies({ AUTH: '334 !!!' }),
      },
      client: { auth: plainLogin },
    });
    expect(made.server.commands.slice(-2)).toEqual(['AUTH CRAM-MD5', '*']);
    expect(made.told).toEqual(['SECURE_OK', 'AUTH_FAIL 501']);
  });

  it('a token source: asked at login, once, its answer awaited; a failure is AUTH_FAIL with its cause in the text', async () => {
    let asked = 0;
    let answer: (token: string) => void = () => {};
    const source = () => {
      asked++;
      return new Promise<string>((resolve) => {
        answer = resolve;
      });
    };
    const setup = (token: () => string | Promise<string>): Setup => ({
      server: { tls: 'starttls', auth: { mechanisms: ['XOAUTH2'], users } },
      client: { auth: { user: 'ann', token } },
    });
    const made = bench(setup(source));
    made.client.connect();
    expect(asked).toBe(0);
    made.settle(0);
    expect(asked).toBe(1);
    expect(made.client.execute()).toBe('pending');
    let woken = 0;
    made.client.setAsyncCallback(() => woken++);
    answer('secret');
    await Promise.resolve();
    await new Promise((resolve) => process.nextTick(resolve));
    expect(woken).toBe(1);
    expect(made.client.readTimer()).toBe(0);
    made.settle();
    expect(made.told).toEqual(['SECURE_OK', 'AUTH_OK XOAUTH2', 'CONNECTED']);

    const failed = opened(
      setup(() => {
        throw new Error('the vault is shut');
      }),
    );
    expect(failed.told).toEqual(['SECURE_OK', 'AUTH_FAIL']);
    expect(last(failed.events, 'AUTH_FAIL').error.message).toContain('the vault is shut');
    expect(logins(failed)).toEqual([]);
  });

  it('a token that comes after abort() or after the limit is forgotten', async () => {
    let answer: (token: string) => void = () => {};
    const made = opened({
      server: { tls: 'starttls', auth: { mechanisms: ['XOAUTH2'], users } },
      client: {
        auth: {
          user: 'ann',
          token: () =>
            new Promise<string>((resolve) => {
              answer = resolve;
            }),
        },
      },
    });
    made.client.abort();
    made.settle();
    answer('secret');
    await new Promise((resolve) => process.nextTick(resolve));
    made.settle();
    expect(made.told).toEqual(['SECURE_OK', 'DISCONNECTED EABORTED']);
    expect(made.client.execute()).toBe('idle');
  });

  it('TK11: a user with an empty password is refused before any traffic, at construction and at connect()', () => {
    const options: SmtpClientOptions = { auth: { user: 'ann', password: '' } };
    expect(() => bench({ client: options })).toThrow(/^auth\.password: /);
    const { client, transport, told, settle } = bench();
    expect(codeOf(() => client.connect(options))).toBe('EINVAL');
    expect(client.state).toBe('disconnected');
    settle();
    expect(transport.line).toBeUndefined();
    expect(told).toEqual([]);
  });

  it('no secret is in any event, tracing ones included', () => {
    const made = bench({
      server: { tls: 'starttls', auth: { mechanisms: ['LOGIN', 'PLAIN'], users: {} } },
      client: { auth: { user: 'ann', password: 'hunter2-hunter2' } },
    });
    const traced: unknown[] = [];
    for (const name of ['COMMAND', 'REPLY', 'STATE'] as const)
      made.client.on(name, (event: unknown) => traced.push(event));
    made.client.connect();
    made.settle();
    expect(made.told.at(-1)).toBe('AUTH_FAIL 535');
    const text =
      JSON.stringify([traced, made.events]) +
      made.events.map((event) => ('error' in event ? event.error.message : '')).join();
    const secrets = [
      'hunter2-hunter2',
      Buffer.from('hunter2-hunter2').toString('base64'),
      Buffer.from('\0ann\0hunter2-hunter2').toString('base64'),
    ];
    for (const secret of secrets) {
      expect(made.server.commands.some((line) => line.includes(secret)) || secret === 'hunter2-hunter2').toBe(
        true,
      );
      expect(text).not.toContain(secret);
    }
  });
});
