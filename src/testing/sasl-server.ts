/**
 * The server's side of the login mechanisms, on node:crypto: PLAIN, LOGIN, CRAM-MD5, SCRAM, XOAUTH2, OAUTHBEARER and
 * EXTERNAL. Texts go in and come out in base64, as on the wire. It knows no SMTP but its replies 235, 501 and 535.
 */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import type { Random } from '../transport/random.ts';
import type { ChannelBinding } from '../transport/transport.ts';

export interface ServerAuth {
  /** In the order of the announcement. */
  readonly mechanisms: readonly string[];
  /** Passwords by user name; for XOAUTH2 and OAUTHBEARER tokens. */
  readonly users: Readonly<Record<string, string>>;
  /** Refuse MAIL without a login. @default false */
  readonly required?: boolean | undefined;
  /** Offer AUTH only under TLS. @default false */
  readonly secureOnly?: boolean | undefined;
  /** Of SCRAM. @default 4096 */
  readonly iterations?: number | undefined;
}

/** What comes after a message of the client. */
type SaslOutcome =
  /** In base64. */
  | { readonly challenge: string }
  | { readonly user: string; readonly reply: string }
  | { readonly reply: string };

export interface SaslServer {
  /** @param text base64; undefined when the client gave no initial response */
  next(text: string | undefined): SaslOutcome;
}

/** One turn of a mechanism: bytes of the client in, a challenge, a user, or false (refused) out. */
type Turn = (message: Buffer) => Buffer | { readonly user: string } | false;

/** A mechanism that can do what `name` says, or undefined. */
export function saslServer(
  name: string,
  auth: ServerAuth,
  random: Random,
  binding: ChannelBinding,
): SaslServer | undefined {
  const mechanism = name.toUpperCase();
  const scram = /^SCRAM-(SHA-1|SHA-256|SHA-512)(-PLUS)?$/.exec(mechanism);
  if (scram !== null) {
    const plus = scram[2] === undefined ? undefined : binding;
    const offered = auth.mechanisms.some((other) => /^SCRAM-.*-PLUS$/i.test(other));
    return clientFirst(
      scramTurns((scram[1] ?? '').replace('-', '').toLowerCase(), auth, random, plus, offered),
    );
  }
  switch (mechanism) {
    case 'PLAIN':
      return clientFirst([(message) => plain(message, auth)]);
    case 'LOGIN':
      return serverFirst(loginTurns(auth));
    case 'CRAM-MD5':
      return serverFirst(cramTurns(auth, random));
    case 'XOAUTH2':
    case 'OAUTHBEARER':
      return clientFirst(tokenTurns(mechanism, auth));
    case 'EXTERNAL':
      return clientFirst([(message) => ({ user: message.toString() || 'external' })]);
    default:
      return undefined;
  }
}

/** The client speaks first; without an initial response it is asked for by an empty challenge. */
function clientFirst(turns: readonly Turn[]): SaslServer {
  return runner(turns, () => Buffer.alloc(0));
}

/** The server speaks first: the first turn gets the initial response, or nothing. */
function serverFirst([first, ...rest]: readonly Turn[]): SaslServer {
  return runner(rest, () => first?.(Buffer.alloc(0)) ?? false);
}

function runner(turns: readonly Turn[], opening: () => ReturnType<Turn>): SaslServer {
  const left = [...turns];
  return {
    next(text) {
      const outcome = text === undefined ? opening() : step(text);
      if (outcome === undefined) return { reply: '501 5.5.2 that is no base64' };
      if (outcome === false) return { reply: '535 5.7.8 wrong credentials' };
      if (Buffer.isBuffer(outcome)) return { challenge: outcome.toString('base64') };
      return { user: outcome.user, reply: '235 2.7.0 welcome' };
    },
  };

  function step(text: string): ReturnType<Turn> | undefined {
    const message = fromBase64(text === '=' ? '' : text);
    return message === undefined ? undefined : (left.shift()?.(message) ?? false);
  }
}

function fromBase64(text: string): Buffer | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  return Buffer.from(text, 'base64');
}

function check(user: string, password: string, auth: ServerAuth): { readonly user: string } | false {
  return Object.hasOwn(auth.users, user) && auth.users[user] === password ? { user } : false;
}

/** RFC 4616. */
function plain(message: Buffer, auth: ServerAuth): { readonly user: string } | false {
  const [, user, password, ...more] = message.toString().split('\0');
  return user !== undefined && password !== undefined && more.length === 0 && check(user, password, auth);
}

function loginTurns(auth: ServerAuth): readonly Turn[] {
  let user = '';
  return [
    () => Buffer.from('Username:'),
    (message) => {
      user = message.toString();
      return Buffer.from('Password:');
    },
    (message) => check(user, message.toString(), auth),
  ];
}

/** RFC 2195. */
function cramTurns(auth: ServerAuth, random: Random): readonly Turn[] {
  const challenge = `<${random.int(2 ** 31)}.${random.int(2 ** 31)}@mx.example.test>`;
  return [
    () => Buffer.from(challenge),
    (message) => {
      const text = message.toString();
      const user = text.slice(0, text.lastIndexOf(' '));
      const password = Object.hasOwn(auth.users, user) ? auth.users[user] : undefined;
      if (password === undefined) return false;
      const digest = createHmac('md5', password).update(challenge).digest('hex');
      return text === `${user} ${digest}` && { user };
    },
  ];
}

/** RFC 7628 and Google's XOAUTH2: a wrong token is told by a challenge, which the client must answer. */
function tokenTurns(mechanism: string, auth: ServerAuth): readonly Turn[] {
  return [
    (message) => {
      const [head = '', ...pairs] = message.toString().split('\x01');
      const given =
        mechanism === 'XOAUTH2' ? /^user=(.*)$/s.exec(head)?.[1] : /^n,a=([^,]*),$/.exec(head)?.[1];
      const user = mechanism === 'XOAUTH2' ? given : given?.replaceAll('=2C', ',').replaceAll('=3D', '=');
      const token = pairs.find((pair) => pair.startsWith('auth=Bearer '))?.slice(12);
      const found = user !== undefined && token !== undefined && check(user, token, auth);
      return found || Buffer.from(JSON.stringify({ status: '401', schemes: 'bearer' }));
    },
    () => false,
  ];
}

/** RFC 5802, RFC 7677. */
function scramTurns(
  hash: string,
  auth: ServerAuth,
  random: Random,
  plus: ChannelBinding | undefined,
  plusOffered: boolean,
): readonly Turn[] {
  const iterations = auth.iterations ?? 4096;
  const salt = Buffer.from(random.bytes(16));
  let header = '';
  let exchange = '';
  let nonce = '';
  let user = '';
  return [
    (message) => {
      const match = /^((y|n|p=([^,]+)),(?:a=[^,]*)?,)(n=([^,]*),r=([^,]+))$/.exec(message.toString());
      if (match === null) return false;
      header = match[1] ?? '';
      // `y`: the client could bind, and believes that we cannot (RFC 5802 §6: somebody hid our -PLUS).
      if (match[2] === 'y' && plusOffered) return false;
      if ((match[3] !== undefined) !== (plus !== undefined) || (plus && match[3] !== plus.type)) return false;
      user = (match[5] ?? '').replaceAll('=2C', ',').replaceAll('=3D', '=');
      nonce = `${match[6]}${Buffer.from(random.bytes(12)).toString('base64url')}`;
      const first = `r=${nonce},s=${salt.toString('base64')},i=${iterations}`;
      exchange = `${match[4]},${first}`;
      return Buffer.from(first);
    },
    (message) => {
      const match = /^(c=([^,]*),r=([^,]*)),p=([^,]*)$/.exec(message.toString());
      const bound = Buffer.concat([Buffer.from(header), plus === undefined ? Buffer.alloc(0) : plus.data]);
      if (match === null || match[3] !== nonce || match[2] !== bound.toString('base64')) return false;
      const whole = `${exchange},${match[1]}`;
      const signature = scramVerify(hash, auth.users[user], salt, iterations, whole, match[4] ?? '');
      return signature === undefined ? false : Buffer.from(`v=${signature}`);
    },
    (message) => message.length === 0 && { user },
  ];
}

/** @returns the server's signature, when the client's proof is right */
function scramVerify(
  hash: string,
  password: string | undefined,
  salt: Buffer,
  iterations: number,
  exchange: string,
  proof: string,
): string | undefined {
  if (password === undefined) return undefined;
  const size = createHash(hash).digest().length;
  const salted = pbkdf2Sync(password, salt, iterations, size, hash);
  const hmac = (key: Buffer, text: string): Buffer => createHmac(hash, key).update(text).digest();
  const clientKey = hmac(salted, 'Client Key');
  const stored = createHash(hash).update(clientKey).digest();
  const mask = hmac(stored, exchange);
  const expected = Buffer.from(clientKey.map((byte, i) => byte ^ (mask[i] ?? 0)));
  if (expected.toString('base64') !== proof) return undefined;
  return hmac(hmac(salted, 'Server Key'), exchange).toString('base64');
}
