/** The check at construction, and that secrets show themselves nowhere. */
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { SmtpUsageError } from '../../src/errors.ts';
import { mechanismNames } from '../../src/sasl/choose.ts';
import { createMechanism } from '../../src/sasl/create.ts';
import { checkCredentials, holdings, sealToken } from '../../src/sasl/credentials.ts';
import type { MechanismContext } from '../../src/sasl/mechanism.ts';
import { Secret } from '../../src/sasl/secret.ts';

const canary = 'canary-5f1d';

describe('checkCredentials', () => {
  test('seals what is good', () => {
    const sealed = checkCredentials({ user: 'u', password: canary, mechanisms: ['plain', 'LOGIN'] }, 'auth');
    expect(sealed.password?.reveal()).toBe(canary);
    expect(sealed.mechanisms).toEqual(['PLAIN', 'LOGIN']);
    expect(checkCredentials({ user: 'u', token: canary }, 'auth').token?.reveal()).toBe(canary);
    expect(checkCredentials({ user: 'u', token: () => canary }, 'auth').token).toBeUndefined();
    expect(checkCredentials({ user: 'u', password: new Secret('p') }, 'auth').password?.reveal()).toBe('p');
    expect(checkCredentials({ mechanism: 'external' }, 'auth').mechanism).toBe('EXTERNAL');
    expect(checkCredentials({ mechanism: 'ANONYMOUS', user: 'trace' }, 'auth').user).toBe('trace');
    expect(checkCredentials({ user: 'u\u010d\u010a', password: '\u010d\u010a' }, 'auth').user).toBe(
      'u\u010d\u010a',
    );
  });

  test('a user with an empty password (TK11)', () => {
    const expected = expect.objectContaining({ code: 'EINVAL', option: 'auth.password' });
    expect(() => checkCredentials({ user: 'u', password: '' }, 'auth')).toThrow(expected);
    expect(() => checkCredentials({ user: 'u', password: new Secret('') }, 'auth')).toThrow(expected);
    expect(() => checkCredentials({ user: 'u' }, 'auth')).toThrow(/password or a token is missing/);
  });

  const hostile = ['\r\n', '\n', '\0', '\x01', '\x7f', '\x85', '\u2028', '\ud800'];
  test.each(hostile)('%j in every text, and no secret in the error (S6, S7, S17)', (bad) => {
    const text = `${canary}${bad}x`;
    const options = [
      [{ user: text, password: 'p' }, 'auth.user'],
      [{ user: 'u', password: text }, 'auth.password'],
      [{ user: 'u', token: text }, 'auth.token'],
      [{ user: 'u', password: 'p', authzid: text }, 'auth.authzid'],
      [{ user: 'u', password: 'p', mechanism: text }, 'auth.mechanism'],
      [{ user: 'u', password: 'p', mechanisms: [text] }, 'auth.mechanisms'],
    ] as const;
    for (const [auth, option] of options) {
      expect(() => checkCredentials(auth, 'auth')).toThrow(
        expect.objectContaining({ code: 'EINVAL', option }),
      );
      if (option !== 'auth.password' && option !== 'auth.token') continue;
      expect(() => checkCredentials(auth, 'auth')).not.toThrow(new RegExp(canary));
    }
  });

  test.each([
    [{}, 'auth'],
    [null, 'auth'],
    ['u:p', 'auth'],
    [{ password: 'p' }, 'auth.user'],
    [{ token: 't' }, 'auth.user'],
    [{ user: '', password: 'p' }, 'auth.user'],
    [{ user: 1, password: 'p' }, 'auth.user'],
    [{ user: 'u', password: 1 }, 'auth.password'],
    [{ user: 'u', token: '' }, 'auth.token'],
    [{ user: 'u', token: 'a b' }, 'auth.token'],
    [{ user: 'u', token: 1 }, 'auth.token'],
    [{ user: 'u', password: 'p', mechanism: 'NTLM' }, 'auth.mechanism'],
    [{ user: 'u', password: 'p', mechanisms: [] }, 'auth.mechanisms'],
    [{ user: 'u', password: 'p', mechanisms: 'PLAIN' }, 'auth.mechanisms'],
    [{ user: 'u', password: 'p', mechanism: 'PLAIN', mechanisms: ['PLAIN'] }, 'auth.mechanism'],
    [{ user: 'u', password: 'p', allowPlaintext: 'yes' }, 'auth.allowPlaintext'],
  ])('%o is refused by name', (auth, option) => {
    // @ts-expect-error: for callers without TypeScript
    expect(() => checkCredentials(auth, 'auth')).toThrow(expect.objectContaining({ code: 'EINVAL', option }));
  });

  test('a token that was fetched is checked too (S6)', () => {
    expect(sealToken(canary, 'auth.token').reveal()).toBe(canary);
    for (const bad of ['', 'a\x01b', 'a\r\n', 'é', undefined, 1]) {
      expect(() => sealToken(bad, 'auth.token')).toThrow(SmtpUsageError);
    }
  });
});

test('holdings: EXTERNAL and ANONYMOUS only by name (S5)', () => {
  const none = { password: false, token: false, external: false, anonymous: false };
  expect(holdings(checkCredentials({ user: 'u', password: 'p' }, 'auth'))).toEqual({
    ...none,
    password: true,
  });
  expect(holdings(checkCredentials({ user: 'u', token: () => 't' }, 'auth'), true)).toEqual({
    ...none,
    token: true,
  });
  expect(holdings(checkCredentials({ mechanism: 'EXTERNAL' }, 'auth'))).toEqual({
    ...none,
    external: true,
    allowed: ['EXTERNAL'],
  });
  expect(holdings(checkCredentials({ mechanisms: ['ANONYMOUS', 'EXTERNAL'] }, 'auth'))).toMatchObject({
    external: true,
    anonymous: true,
  });
});

test('a secret shows itself to nobody by accident (S17)', () => {
  const secret = new Secret(canary);
  const shown = [
    String(secret),
    `${secret}`,
    JSON.stringify({ secret }),
    inspect(secret, { showHidden: true, depth: 9, getters: true }),
    inspect({ deep: [secret] }, { showHidden: true, depth: 9 }),
    inspect(structuredClone(secret), { showHidden: true }),
    Object.entries(secret).join(),
  ];
  expect(shown.join('|')).not.toContain('canary');
  expect(JSON.stringify({ secret })).toBe('{"secret":"[secret]"}');
  expect(inspect(secret)).toBe('[secret]');
});

test('no mechanism shows a secret when it is looked at, at any moment (S17)', () => {
  const credentials = checkCredentials({ user: 'user', password: canary, token: canary }, 'auth');
  const binding = { type: 'tls-exporter', data: new Uint8Array(8) } as const;
  const context: MechanismContext = { random: (n) => new Uint8Array(n), host: 'h', port: 1, binding };
  const nonce = Buffer.alloc(24).toString('base64');
  const challenges = [`r=${nonce}abc,s=W22Z,i=4096`, 'v=AAAA', 'more'];
  const seen: string[] = [inspect(credentials, { depth: 9 }), JSON.stringify(credentials)];
  for (const name of mechanismNames) {
    const mechanism = createMechanism(name, credentials, context);
    const steps = [
      () => mechanism.start(),
      ...challenges.map((text) => () => mechanism.respond(new TextEncoder().encode(text))),
      () => mechanism.finish(),
    ];
    for (const step of steps) {
      try {
        step();
      } catch (error) {
        seen.push(inspect(error, { depth: 9, showHidden: true }));
      }
      seen.push(inspect(mechanism, { depth: 9, showHidden: true }), JSON.stringify(mechanism));
    }
  }
  expect(seen.join('\n')).not.toContain('canary');
  expect(seen.join('\n')).not.toContain(Buffer.from(canary).toString('base64').slice(0, 8));
});
