/** Which mechanisms are tried: every policy. */
import { describe, expect, test } from 'vitest';
import { type Channel, choose, type Holdings, mechanismNames } from '../../src/sasl/choose.ts';

const all: Holdings = { password: true, token: true, external: true, anonymous: true };
const none: Holdings = { password: false, token: false, external: false, anonymous: false };
const password: Holdings = { ...none, password: true };
const tls: Channel = { secure: true, allowPlaintext: false };
const bound: Channel = { ...tls, binding: 'tls-exporter' };
const clear: Channel = { secure: false, allowPlaintext: false };

const strongest = [
  'SCRAM-SHA-256-PLUS',
  'SCRAM-SHA-1-PLUS',
  'SCRAM-SHA-256',
  'SCRAM-SHA-1',
  'EXTERNAL',
  'OAUTHBEARER',
  'XOAUTH2',
  'CRAM-MD5',
  'PLAIN',
  'LOGIN',
  'ANONYMOUS',
];
const unbound = strongest.filter((name) => !name.endsWith('-PLUS'));

test('strongest first, whatever the order of the server (S5, LE115)', () => {
  expect(mechanismNames).toEqual(strongest);
  expect(choose(strongest, all, bound)).toEqual(strongest);
  expect(choose([...strongest].reverse(), all, bound)).toEqual(strongest);
  expect(choose(['login', 'Plain', 'PLAIN', 'NTLM', 'GSSAPI'], all, tls)).toEqual(['PLAIN', 'LOGIN']);
});

describe('policies (S3, S5, LE116)', () => {
  test.each<[string, Holdings, Channel, string[]]>([
    ['TLS that cannot be bound', all, tls, unbound],
    ['TLS, a password', password, bound, strongest.filter((n) => /SCRAM|CRAM|PLAIN|LOGIN/.test(n))],
    ['TLS, a token', { ...none, token: true }, bound, ['OAUTHBEARER', 'XOAUTH2']],
    ['TLS, a certificate', { ...none, external: true }, bound, ['EXTERNAL']],
    ['TLS, nobody', { ...none, anonymous: true }, bound, ['ANONYMOUS']],
    ['TLS, nothing', none, bound, []],
    ['TLS, restricted', { ...password, allowed: ['LOGIN', 'plain', 'XOAUTH2'] }, bound, ['PLAIN', 'LOGIN']],
    ['TLS, restricted to nothing', { ...all, allowed: [] }, bound, []],
    ['in clear', all, clear, []],
    ['in clear, with a name given', { ...all, allowed: ['PLAIN'] }, clear, []],
    ['in clear, claiming a binding', all, { ...clear, binding: 'tls-exporter' }, []],
    ['in clear, allowed', all, { ...clear, allowPlaintext: true }, unbound],
    [
      'in clear, allowed, claiming a binding',
      all,
      { secure: false, allowPlaintext: true, binding: 'tls-exporter' },
      unbound,
    ],
  ])('%s', (_, have, channel, expected) => {
    expect(choose(strongest, have, channel)).toEqual(expected);
  });

  test('LOGIN only, in clear: nothing (S5)', () => {
    expect(choose(['LOGIN'], password, clear)).toEqual([]);
  });

  test('nothing offered', () => {
    expect(choose([], all, bound)).toEqual([]);
  });
});
