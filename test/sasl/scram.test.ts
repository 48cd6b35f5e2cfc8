/** SCRAM: the vectors of the RFCs, and servers that lie. */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { describe, expect, test } from 'vitest';
import { createMechanism } from '../../src/sasl/create.ts';
import { type Mechanism, type MechanismContext, SaslError } from '../../src/sasl/mechanism.ts';
import { Secret } from '../../src/sasl/secret.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (octets: Uint8Array | undefined): string => Buffer.from(octets ?? []).toString('utf8');
const canary = 'canary-pencil';

function contextWith(nonce: string, more: Partial<MechanismContext> = {}): MechanismContext {
  const octets = new Uint8Array(Buffer.from(nonce, 'base64'));
  return { random: () => octets, host: 'mx.example', port: 587, ...more };
}

/** The other side of the exchange, written apart from the code under test. */
function serverFinal(first: string, serverFirst: string, final: string, password: string): string {
  const bare = first.replace(/^[^,]*,[^,]*,/, '');
  const [, salt = '', count = ''] = serverFirst.split(',');
  const salted = pbkdf2Sync(
    password,
    Buffer.from(salt.slice(2), 'base64'),
    Number(count.slice(2)),
    32,
    'sha256',
  );
  const hmac = (key: Uint8Array, data: string): Buffer => createHmac('sha256', key).update(data).digest();
  const message = `${bare},${serverFirst},${final.replace(/,p=.*$/, '')}`;
  const clientKey = hmac(salted, 'Client Key');
  const signature = hmac(createHash('sha256').update(clientKey).digest(), message);
  const proof = Buffer.from(final.replace(/^.*,p=/, ''), 'base64');
  expect(proof.map((octet, i) => octet ^ (signature[i] ?? 0))).toEqual(clientKey);
  return `v=${hmac(hmac(salted, 'Server Key'), message).toString('base64')}`;
}

const nonce = 'rOprNGfwEbeRWgbNEkqO';
const goodFirst = `r=${nonce}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`;

function begin(more: Partial<MechanismContext> = {}, password = canary, name = 'SCRAM-SHA-256'): Mechanism {
  const login = { user: 'user', password: new Secret(password) };
  const scram = createMechanism(name, login, contextWith(nonce, more));
  scram.start();
  return scram;
}

describe('vectors', () => {
  test('SCRAM-SHA-1 (RFC 5802 §5)', () => {
    const login = { user: 'user', password: new Secret('pencil') };
    const scram = createMechanism('SCRAM-SHA-1', login, contextWith('fyko+d2lbbFgONRv9qkxdawL'));
    expect(text(scram.start())).toBe('n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL');
    const first = 'r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096';
    expect(text(scram.respond(bytes(first)))).toBe(
      'c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
    );
    expect(() => scram.finish()).toThrow(SaslError);
    expect(scram.respond(bytes('v=rmF9pqV8S7suAoZWja4dJRkFsKQ=')).length).toBe(0);
    scram.finish();
  });

  test('SCRAM-SHA-256 (RFC 7677 §3)', () => {
    const scram = begin({}, 'pencil');
    expect(text(scram.respond(bytes(goodFirst)))).toBe(
      `c=biws,r=${nonce}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`,
    );
    scram.respond(bytes('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='));
    scram.finish();
  });
});

describe('what the client says', () => {
  const binding = { type: 'tls-exporter', data: Uint8Array.of(1, 2, 3) } as const;

  test.each([
    ['SCRAM-SHA-256', {}, 'n,,'],
    ['SCRAM-SHA-256', { binding }, 'y,,'],
    ['SCRAM-SHA-256', { binding, plusOffered: true }, 'n,,'],
    ['SCRAM-SHA-256-PLUS', { binding, plusOffered: true }, 'p=tls-exporter,,'],
    [
      'SCRAM-SHA-256-PLUS',
      { binding: { ...binding, type: 'tls-server-end-point' } },
      'p=tls-server-end-point,,',
    ],
  ] as const)('%s with %o begins with %s and binds it (RFC 5802 §6, S5)', (name, more, header) => {
    const login = { user: 'user', password: new Secret('pencil') };
    const scram = createMechanism(name, login, contextWith(nonce, more));
    const first = text(scram.start());
    expect(first).toBe(`${header}n=user,r=${nonce}`);
    const final = text(scram.respond(bytes(goodFirst)));
    const data = name.endsWith('-PLUS') ? [1, 2, 3] : [];
    expect(final.split(',')[0]).toBe(`c=${Buffer.from([...bytes(header), ...data]).toString('base64')}`);
    scram.respond(bytes(serverFinal(first, goodFirst, final, 'pencil')));
    scram.finish();
  });

  test('names are escaped and prepared, the password too (RFC 5802 §5.1, RFC 4013)', () => {
    const login = { user: 'a=b,c\u00ad\u2168', password: new Secret('I\u00adX\u00a0'), authzid: 'x,y' };
    const scram = createMechanism('SCRAM-SHA-256', login, contextWith(nonce));
    const first = text(scram.start());
    expect(first).toBe(`n,a=x=2Cy,n=a=3Db=2CcIX,r=${nonce}`);
    const final = text(scram.respond(bytes(goodFirst)));
    scram.respond(bytes(serverFinal(first, goodFirst, final, 'IX ')));
    scram.finish();
  });

  test('characters newer than Unicode 3.2 pass; forbidden ones do not, and are not quoted (S17)', () => {
    const create = (password: string) =>
      createMechanism('SCRAM-SHA-256', { user: 'u', password: new Secret(password) }, contextWith(nonce));
    create('🦊🔑');
    for (const password of [`${canary}\u0007`, `${canary}\u0627`, '\u00ad']) {
      try {
        create(password);
        expect.unreachable();
      } catch (error) {
        expect(error).toBeInstanceOf(SaslError);
        expect(String(error) + JSON.stringify(error)).not.toContain(canary);
        expect(error).not.toHaveProperty('cause');
      }
    }
  });

  test('the nonce comes from the given randomness and is printable without a comma', () => {
    const asked: number[] = [];
    const random = (n: number): Uint8Array => {
      asked.push(n);
      return new Uint8Array(n).fill(0xff);
    };
    const login = { user: 'user', password: new Secret('pencil') };
    const scram = createMechanism('SCRAM-SHA-256', login, { random, host: 'h', port: 1 });
    expect(text(scram.start())).toMatch(/,r=[\x21-\x2b\x2d-\x7e]{24,}$/);
    expect(asked).toEqual([24]);
  });
});

describe('the first message of a server that is not to be trusted (S5, LE127)', () => {
  const salt = 's=W22ZaJ0SNY7soEsUEjb6gQ==';
  test.each([
    ['another nonce', `r=xOprNGfwEbeRWgbNEkqOabc,${salt},i=4096`, /changed/],
    ['a shorter nonce', `r=rOpr,${salt},i=4096`, /changed/],
    ['a nonce with nothing added', `r=${nonce},${salt},i=4096`, /added nothing/],
    ['a nonce that is not printable', `r=${nonce}\x07,${salt},i=4096`, /not printable/],
    ['an extension', `m=ext,r=${nonce}abc,${salt},i=4096`, /extension/],
    ['no salt', `r=${nonce}abc,i=4096`, /lacks "s="/],
    ['an empty salt', `r=${nonce}abc,s=,i=4096`, /malformed/],
    ['a salt that is no base64', `r=${nonce}abc,s=W22Z*J0,i=4096`, /base64/],
    ['no count', `r=${nonce}abc,${salt}`, /lacks "i="/],
    ['another order', `${salt},r=${nonce}abc,i=4096`, /lacks "r="/],
    ['zero rounds', `r=${nonce}abc,${salt},i=0`, /no positive number/],
    ['negative rounds', `r=${nonce}abc,${salt},i=-1`, /no positive number/],
    ['rounds in hexadecimal', `r=${nonce}abc,${salt},i=0x10`, /no positive number/],
    ['rounds with an exponent', `r=${nonce}abc,${salt},i=1e3`, /no positive number/],
    ['rounds without end', `r=${nonce}abc,${salt},i=${'9'.repeat(400)}`, /no positive number/],
    ['too many rounds', `r=${nonce}abc,${salt},i=1000001`, /1000000 are allowed/],
    ['2^31 rounds', `r=${nonce}abc,${salt},i=2147483648`, /1000000 are allowed/],
    ['an error at once', 'e=unknown-user', /lacks "r="/],
    ['nothing', '', /malformed/],
    ['commas', ',,,', /malformed/],
    ['4 KB and more', `r=${nonce}${'a'.repeat(4096)},${salt},i=4096`, /too long/],
  ])('%s', (_, message, reason) => {
    const scram = begin();
    const start = performance.now();
    expect(() => scram.respond(bytes(message))).toThrow(SaslError);
    expect(performance.now() - start).toBeLessThan(500);
    expect(() => begin().respond(bytes(message))).toThrow(reason);
    // A failure is final: neither a better message nor 235 mends it.
    expect(() => scram.respond(bytes(goodFirst))).toThrow(SaslError);
    expect(() => scram.finish()).toThrow(SaslError);
  });

  test('not UTF-8', () => {
    expect(() => begin().respond(Uint8Array.of(0x72, 0x3d, 0xff))).toThrow(/not UTF-8/);
  });

  test('the cap on rounds can be set', () => {
    expect(() => begin({ maxIterations: 4095 }).respond(bytes(goodFirst))).toThrow(/4095 are allowed/);
    begin({ maxIterations: 4096 }).respond(bytes(goodFirst));
  });

  test('every truncation of the first message is refused or has no full attribute less', () => {
    // Up to the last digits of the count, which only make a smaller count.
    for (let cut = 0; cut < goodFirst.length - 3; cut++) {
      expect(() => begin().respond(bytes(goodFirst.slice(0, cut)))).toThrow(SaslError);
    }
  });
});

describe('the final message of a server that is not to be trusted (S5, LE127)', () => {
  test.each([
    ['a wrong signature', `v=${Buffer.alloc(32).toString('base64')}`, /wrong signature/],
    ['a short signature', 'v=AAAA', /wrong signature/],
    ['an empty signature', 'v=', /malformed/],
    ['an error', 'e=invalid-proof', /refused: invalid-proof/],
    ['an error with an escape', 'e=\x1b[2J', /refused: \\x1b\[2J/],
    ['no base64', 'v=6rri*', /base64/],
    ['nothing', '', /malformed/],
    ['another attribute', 'x=abc', /lacks "v="/],
  ])('%s', (_, message, reason) => {
    const scram = begin();
    scram.respond(bytes(goodFirst));
    expect(() => scram.respond(bytes(message))).toThrow(reason);
    expect(() => scram.finish()).toThrow(/without proof/);
  });

  test('a third challenge, and a challenge before the start', () => {
    const scram = begin({}, 'pencil');
    scram.respond(bytes(goodFirst));
    scram.respond(bytes('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='));
    expect(() => scram.respond(bytes(goodFirst))).toThrow(/out of turn/);
    expect(() => scram.finish()).toThrow(SaslError);
    const login = { user: 'user', password: new Secret('pencil') };
    const fresh = createMechanism('SCRAM-SHA-256', login, contextWith(nonce));
    expect(() => fresh.respond(bytes(goodFirst))).toThrow(/out of turn/);
  });

  test('235 at any earlier moment is no success', () => {
    expect(() => begin().finish()).toThrow(/without proof/);
    const scram = begin();
    scram.respond(bytes(goodFirst));
    expect(() => scram.finish()).toThrow(/without proof/);
  });
});
