/** The mechanisms without mutual proof: formats, published vectors, servers that ask too much. */
import { describe, expect, test } from 'vitest';
import { decodeBase64 } from '../../src/sasl/base64.ts';
import { mechanismNames } from '../../src/sasl/choose.ts';
import { createMechanism } from '../../src/sasl/create.ts';
import type { Credentials } from '../../src/sasl/credentials.ts';
import { type MechanismContext, SaslError } from '../../src/sasl/mechanism.ts';
import { Secret } from '../../src/sasl/secret.ts';

const context: MechanismContext = { random: (n) => new Uint8Array(n), host: 'mx.example', port: 587 };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (octets: Uint8Array | undefined): string | undefined =>
  octets && Buffer.from(octets).toString('utf8');
const credentials = (more: Credentials = {}): Credentials => ({
  user: 'tim',
  password: new Secret('tanstaaftanstaaf'),
  token: new Secret('vF9dft4qmT'),
  ...more,
});

test('PLAIN (RFC 4616, LE118)', () => {
  const plain = createMechanism('PLAIN', credentials(), context);
  expect(text(plain.start())).toBe('\0tim\0tanstaaftanstaaf');
  expect(() => plain.respond(bytes(''))).toThrow(SaslError);
  plain.finish();
  const other = createMechanism('PLAIN', credentials({ authzid: 'Ursel', user: 'Kurt é' }), context);
  expect(text(other.start())).toBe('Ursel\0Kurt é\0tanstaaftanstaaf');
});

test('PLAIN never narrows: U+010D U+010A are four octets (S7)', () => {
  const plain = createMechanism('PLAIN', credentials({ password: new Secret('\u010d\u010a') }), context);
  expect([...(plain.start() ?? [])].slice(-4)).toEqual([0xc4, 0x8d, 0xc4, 0x8a]);
});

test('LOGIN takes any prompt, but two only (LE118, S5)', () => {
  for (const prompts of [
    ['User Name\0', 'Password\0'],
    ['Username:', 'Password:'],
    ['', 'Kennwort?'],
  ]) {
    const login = createMechanism('LOGIN', credentials(), context);
    expect(login.start()).toBeUndefined();
    expect(prompts.map((prompt) => text(login.respond(bytes(prompt))))).toEqual(['tim', 'tanstaaftanstaaf']);
    expect(() => login.respond(bytes('again'))).toThrow(SaslError);
    login.finish();
  }
});

test('CRAM-MD5 (RFC 2195 §2, LE119)', () => {
  const cram = createMechanism('CRAM-MD5', credentials(), context);
  expect(cram.start()).toBeUndefined();
  expect(() => cram.finish()).toThrow(SaslError);
  const challenge = decodeBase64('PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+');
  expect(text(cram.respond(challenge))).toBe('tim b913a602c7eda7a495b4e6e7334d3890');
  cram.finish();
  expect(() => cram.respond(challenge)).toThrow(SaslError);
});

test('CRAM-MD5 refuses an empty challenge (S5)', () => {
  const cram = createMechanism('CRAM-MD5', credentials(), context);
  expect(() => cram.respond(bytes(''))).toThrow(SaslError);
});

test('XOAUTH2, and an error is answered with nothing (S5)', () => {
  const xoauth2 = createMechanism('XOAUTH2', credentials({ user: 'someuser@example.com' }), context);
  expect(text(xoauth2.start())).toBe('user=someuser@example.com\x01auth=Bearer vF9dft4qmT\x01\x01');
  expect(xoauth2.respond(bytes('{"status":"401"}')).length).toBe(0);
  expect(() => xoauth2.respond(bytes('{}'))).toThrow(SaslError);
  expect(() => xoauth2.finish()).toThrow(SaslError);
});

test('OAUTHBEARER (RFC 7628 §4), and an error is answered with 0x01 (S5)', () => {
  const where = { ...context, host: 'server.example.com', port: 143 };
  const bearer = createMechanism('OAUTHBEARER', credentials({ user: 'user@example.com' }), where);
  expect(text(bearer.start())).toBe(
    'n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer vF9dft4qmT\x01\x01',
  );
  expect([...bearer.respond(bytes('{"status":"invalid_token"}'))]).toEqual([1]);
  expect(() => bearer.respond(bytes(''))).toThrow(SaslError);
  expect(() => bearer.finish()).toThrow(SaslError);
  const odd = createMechanism('OAUTHBEARER', credentials({ user: 'a=b,c' }), context);
  expect(text(odd.start())?.split('\x01')[0]).toBe('n,a=a=3Db=2Cc,');
  const bad = { ...context, host: 'mx\x01auth=Bearer x' };
  expect(() => createMechanism('OAUTHBEARER', credentials(), bad)).toThrow(SaslError);
});

test('EXTERNAL with a given identity or none (RFC 4422 A, LE121)', () => {
  expect(text(createMechanism('EXTERNAL', {}, context).start())).toBe('');
  expect(text(createMechanism('EXTERNAL', { user: 'cn' }, context).start())).toBe('cn');
  expect(text(createMechanism('EXTERNAL', { user: 'cn', authzid: 'id' }, context).start())).toBe('id');
  expect(() => createMechanism('EXTERNAL', {}, context).respond(bytes(''))).toThrow(SaslError);
});

test('ANONYMOUS (RFC 4505)', () => {
  expect(text(createMechanism('ANONYMOUS', { user: 'sirhc' }, context).start())).toBe('sirhc');
  expect(text(createMechanism('ANONYMOUS', {}, context).start())).toBe('');
  expect(() => createMechanism('ANONYMOUS', { user: 'x'.repeat(256) }, context)).toThrow(SaslError);
});

test('a mechanism without its credentials, or unknown, is refused', () => {
  for (const name of ['PLAIN', 'LOGIN', 'CRAM-MD5', 'SCRAM-SHA-256', 'XOAUTH2', 'OAUTHBEARER', 'NTLM']) {
    expect(() => createMechanism(name, { user: 'tim' }, context)).toThrow(SaslError);
  }
  expect(() => createMechanism('SCRAM-SHA-1-PLUS', credentials(), context)).toThrow(/cannot be bound/);
});

// nothing else keeps a server from asking for ever
test.each(mechanismNames)('S5: %s gives up a server that asks on and on', (name) => {
  const binding = { type: 'tls-exporter', data: new Uint8Array(32) } as const;
  const mechanism = createMechanism(name, credentials(), { ...context, binding });
  mechanism.start();
  const asked = [...'12345'].findIndex((challenge) => {
    try {
      mechanism.respond(bytes(challenge));
      return false;
    } catch (error) {
      return error instanceof SaslError;
    }
  });
  expect([0, 1, 2]).toContain(asked);
  expect(() => mechanism.respond(bytes('more'))).toThrow(SaslError);
});

describe('base64 of challenges (S5, LE127)', () => {
  test('good', () => {
    expect(decodeBase64('').length).toBe(0);
    expect(text(decodeBase64('VXNlcm5hbWU6'))).toBe('Username:');
    expect(text(decodeBase64('YQ=='))).toBe('a');
    expect([...decodeBase64('+/8=')]).toEqual([0xfb, 0xff]);
  });

  test.each([
    'YQ',
    'YQ=',
    'YQ===',
    '=',
    'YQ== ',
    ' YQ==',
    'Y Q==',
    'YQ==\r\n',
    'YR==',
    '-_8=',
    'YQ==YQ==',
    '*',
    'Username:',
    'é',
    'Y\0Q=',
  ])('%j is malformed', (challenge) => {
    expect(() => decodeBase64(challenge)).toThrow(SaslError);
  });
});
