/** Options: each wrong value is SmtpUsageError EINVAL naming the option, before a byte leaves. */
import { SmtpClient, type SmtpClientOptions } from 'smtpump';
import { describe, expect, it } from 'vitest';
import { bench, refused } from './support.ts';

/** Wrong on purpose: the types forbid most of these. */
const make = (options: unknown): SmtpClient => new SmtpClient(options as SmtpClientOptions);

const wrong: Readonly<Record<string, readonly unknown[]>> = {
  host: ['', 5, null, {}, 'a b', 'a/b', 'a@b', 'a\r\nb', 'a\0b'],
  port: [0, -1, 65_536, 25.5, '25', Number.NaN, null, Number.POSITIVE_INFINITY],
  path: ['', 5, 'a\0b', null],
  localName: ['', 5, 'a b', 'a\r\nQUIT', 'a\0', '-a', 'a..b', null],
  protocol: ['SMTP', 'esmtp', 1, null],
  tls: ['yes', true, 'ALWAYS', null],
  tlsOptions: ['x', 5, true],
  auth: ['ann:secret', 5, null],
  pipelining: ['yes', 1, null],
  chunking: ['yes', 0, null],
  messagesInFlight: [0, -1, 1.5, '4', Number.NaN, null],
  timeouts: [5, 'x', null],
  pump: ['hand', true, null],
  bareLineEnds: ['keep', true],
  bodyBufferBytes: [0, -5, 1.5, 'x', Number.NaN],
  transport: [{}, 'tcp', 5],
  clock: [{}, 'now', 5],
  random: [5, {}, 'x'],
};

const wrongAuth: Readonly<Record<string, readonly unknown[]>> = {
  'auth.user': [
    { password: 'x' },
    { user: '', password: 'x' },
    { user: 5, password: 'x' },
    { user: 'a\0b', password: 'x' },
  ],
  'auth.password': [
    { user: 'a', password: '' },
    { user: 'a', password: 5 },
    { user: 'a', password: 'secret\n' },
  ],
  'auth.token': [
    { user: 'a', token: '' },
    { user: 'a', token: 'a b' },
    { user: 'a', token: 'a\u0001' },
    { user: 'a', token: 5 },
  ],
  'auth.authzid': [{ user: 'a', password: 'x', authzid: '' }],
  'auth.mechanism': [
    { user: 'a', password: 'x', mechanism: 'NTLM' },
    { user: 'a', password: 'x', mechanism: 5 },
    { user: 'a', password: 'x', mechanism: 'PLAIN', mechanisms: ['LOGIN'] },
  ],
  'auth.mechanisms': [
    { user: 'a', password: 'x', mechanisms: [] },
    { user: 'a', password: 'x', mechanisms: 'PLAIN' },
    { user: 'a', password: 'x', mechanisms: ['PLAIN', 'NTLM'] },
  ],
  'auth.allowPlaintext': [{ user: 'a', password: 'x', allowPlaintext: 'yes' }],
  auth: [{ user: 'a' }, {}, { user: 'a', password: 'x', pass: 'y' }],
};

describe('client options', () => {
  it.each(Object.entries(wrong))('TK01: a wrong %s is EINVAL and named', (option, values) => {
    for (const value of values) {
      expect(
        refused(() => make({ [option]: value })),
        `${option}: ${String(value)}`,
      ).toBe(`EINVAL ${option}`);
    }
  });

  it.each(Object.entries(wrongAuth))(
    'TK01 TK11: wrong credentials are EINVAL naming %s, without quoting a secret',
    (option, values) => {
      for (const auth of values) {
        expect(
          refused(() => make({ auth })),
          JSON.stringify(auth),
        ).toBe(`EINVAL ${option}`);
      }
      expect(refused(() => make({ auth: { user: 'a', password: 'hunter2\n' } }))).not.toContain('hunter2');
    },
  );

  const limits = [
    'connectMs',
    'secureMs',
    'greetingMs',
    'commandMs',
    'dataMs',
    'bodyMs',
    'verdictMs',
    'quitMs',
    'totalMs',
    'messageMs',
  ];

  it.each(limits)('TK01 TK40: timeouts.%s must be a number above 0', (name) => {
    for (const value of [0, -1, Number.NaN, '5', null, true]) {
      expect(
        refused(() => make({ timeouts: { [name]: value } })),
        String(value),
      ).toBe(`EINVAL timeouts.${name}`);
    }
    for (const value of [1, 0.5, Number.POSITIVE_INFINITY, undefined]) {
      expect(refused(() => make({ timeouts: { [name]: value } }))).toBe('nothing');
    }
  });

  it('TK01: unknown options, limits and credentials are refused, not ignored', () => {
    expect(refused(() => make({ hots: 'x' }))).toBe('EINVAL options');
    expect(() => make({ hots: 'x' })).toThrow(/hots/);
    expect(refused(() => make({ timeouts: { conectMs: 5 } }))).toBe('EINVAL timeouts');
    expect(() => make({ timeouts: { conectMs: 5 } })).toThrow(/conectMs/);
    expect(() => make({ auth: { user: 'a', password: 'x', pass: 'y' } })).toThrow(/pass/);
    // names that every object has are none of ours
    expect(refused(() => make({ timeouts: { toString: 5 } }))).toMatch(/^EINVAL timeouts/);
    expect(refused(() => make(JSON.parse('{"constructor": 5}')))).toBe('EINVAL options');
    expect(refused(() => make(null))).toBe('EINVAL options');
    expect(refused(() => make('mx.example.test'))).toBe('EINVAL options');
  });

  it('TK01: every good combination of protocol, pump and policy makes a client; undefined is the default', () => {
    for (const protocol of ['smtp', 'lmtp', undefined])
      for (const pump of ['auto', 'manual', undefined])
        for (const tls of ['never', 'optional', 'always', 'implicit', undefined])
          expect(make({ protocol, pump, tls, localName: 'a.example', timeouts: undefined }).state).toBe(
            'disconnected',
          );
    const all = Object.fromEntries(Object.keys(wrong).map((option) => [option, undefined]));
    expect(make(all).state).toBe('disconnected');
    expect(new SmtpClient().state).toBe('disconnected');
  });

  it('connect() refuses what it does not take, names it, and stays disconnected', () => {
    for (const [option, values] of Object.entries(wrong)) {
      if (!['host', 'port', 'path', 'auth', 'tls', 'tlsOptions'].includes(option)) continue;
      for (const value of values) {
        const { client } = bench();
        expect(
          refused(() => client.connect({ [option]: value })),
          `${option}: ${String(value)}`,
        ).toBe(`EINVAL ${option}`);
        expect(client.state).toBe('disconnected');
        expect(client.execute()).toBe('idle');
      }
    }
    const { client } = bench();
    expect(refused(() => client.connect({ timeouts: {} } as never))).toBe('EINVAL target');
    expect(refused(() => client.connect('mx' as never))).toBe('EINVAL target');
  });
});
