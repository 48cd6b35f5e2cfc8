/**
 * What a login is made of, and the check that the client makes at construction, before any traffic.
 * It must not know the mechanisms' formats, only which of these things they need.
 */
import { checkKeys } from '../checks.ts';
import { SmtpUsageError } from '../errors.ts';
import { checkText, findRefused, octets, quoted } from '../wire/characters.ts';
import { type Holdings, mechanismNames } from './choose.ts';
import { Secret } from './secret.ts';

/** The `auth` option as the user writes it. */
export interface AuthOptions {
  readonly user?: string | undefined;
  readonly password?: string | Secret | undefined;
  /** An OAuth 2.0 access token, or what fetches one at login. */
  readonly token?: string | Secret | (() => string | Promise<string>) | undefined;
  /** Whom to act for, where that is not `user`. */
  readonly authzid?: string | undefined;
  /** The only mechanism to try. */
  readonly mechanism?: string | undefined;
  /** The mechanisms that may be tried. The order is always strongest first. @default all */
  readonly mechanisms?: readonly string[] | undefined;
  /** May credentials leave without TLS? @default false */
  readonly allowPlaintext?: boolean | undefined;
}

const keys = ['user', 'password', 'token', 'authzid', 'mechanism', 'mechanisms', 'allowPlaintext'];

/** Checked, with secrets sealed and the token at hand. */
export interface Credentials {
  readonly user?: string | undefined;
  readonly password?: Secret | undefined;
  readonly token?: Secret | undefined;
  readonly authzid?: string | undefined;
  readonly mechanisms?: readonly string[] | undefined;
  readonly mechanism?: string | undefined;
}

/**
 * Checks the option and seals its secrets. A token that must be fetched first is left out: {@link sealToken} takes
 * it later. Control characters are refused everywhere: they separate the fields of several mechanisms, and SASLprep
 * (RFC 4013 §2.3) forbids them in names and passwords.
 * @throws SmtpUsageError EINVAL, without quoting a secret
 */
export function checkCredentials(auth: AuthOptions, option: string): Credentials {
  if (typeof auth !== 'object' || auth === null) {
    throw wrong('it is no object, such as { user, password }', option);
  }
  checkKeys(auth, keys, option);
  checkName(auth.user, `${option}.user`);
  checkName(auth.authzid, `${option}.authzid`);
  const mechanism = auth.mechanism === undefined ? undefined : known(auth.mechanism, `${option}.mechanism`);
  const mechanisms = checkList(auth.mechanisms, `${option}.mechanisms`);
  if (mechanism !== undefined && mechanisms !== undefined) {
    throw wrong('give either mechanism or mechanisms', `${option}.mechanism`);
  }
  if (auth.allowPlaintext !== undefined && typeof auth.allowPlaintext !== 'boolean') {
    throw wrong(`${quoted(auth.allowPlaintext)} is neither true nor false`, `${option}.allowPlaintext`);
  }
  checkParts(auth, mechanism === undefined ? mechanisms : [mechanism], option);
  return {
    user: auth.user,
    authzid: auth.authzid,
    password: auth.password === undefined ? undefined : sealPassword(auth.password, `${option}.password`),
    token: readyToken(auth.token, `${option}.token`),
    mechanism,
    mechanisms,
  };
}

/** In octets, so that what passes here fits into an AUTH line of 12288 (RFC 4954 §4) with all that goes beside it. */
const longest = { name: 1024, password: 4096, token: 8000 } as const;

/** Checks and seals an access token: visible ASCII, since a control character would end its field. */
export function sealToken(token: unknown, option: string): Secret {
  const text = token instanceof Secret ? token.reveal() : token;
  if (typeof text === 'string' && text.length <= longest.token && /^[\x21-\x7e]+$/.test(text)) {
    return new Secret(text);
  }
  throw wrong(`a token is 1 to ${longest.token} visible ASCII characters`, option);
}

/** Which mechanisms these credentials can serve; `pendingToken` where the token is yet to be fetched. */
export function holdings(credentials: Credentials, pendingToken = false): Holdings {
  const { user, password, token, mechanism, mechanisms } = credentials;
  const allowed = mechanism === undefined ? mechanisms : [mechanism];
  return {
    password: user !== undefined && password !== undefined,
    token: user !== undefined && (token !== undefined || pendingToken),
    // Never by themselves: a server must not be able to turn a login with a password into one without.
    external: allowed?.includes('EXTERNAL') === true,
    anonymous: allowed?.includes('ANONYMOUS') === true,
    ...(allowed !== undefined && { allowed }),
  };
}

/** Is there enough for at least one mechanism? */
function checkParts(auth: AuthOptions, allowed: readonly string[] | undefined, option: string): void {
  const selfSufficient = allowed?.some((name) => name === 'EXTERNAL' || name === 'ANONYMOUS') === true;
  const has = auth.password !== undefined || auth.token !== undefined;
  if (!has && !selfSufficient) throw wrong('a password or a token is missing', option);
  if (has && (auth.user === undefined || auth.user === '')) throw wrong('it is missing', `${option}.user`);
}

function checkName(name: unknown, option: string): void {
  if (name === undefined) return;
  checkText(name, option);
  if (name === '') throw wrong('it is empty', option);
  checkLength(name, longest.name, option);
}

function checkLength(text: string, limit: number, option: string): void {
  if (octets(text) > limit) throw wrong(`it is longer than ${limit} octets`, option);
}

function sealPassword(password: unknown, option: string): Secret {
  const text = password instanceof Secret ? password.reveal() : password;
  if (typeof text !== 'string') throw wrong('it is no string', option);
  if (text === '') throw wrong('it is empty', option);
  checkLength(text, longest.password, option);
  if (findRefused(text) >= 0) {
    throw wrong('it holds a control character (a line end from the file it was read from?)', option);
  }
  return new Secret(text);
}

function readyToken(token: unknown, option: string): Secret | undefined {
  return token === undefined || typeof token === 'function' ? undefined : sealToken(token, option);
}

function checkList(names: unknown, option: string): readonly string[] | undefined {
  if (names === undefined) return undefined;
  if (!Array.isArray(names) || names.length === 0) throw wrong('it is no list of mechanisms', option);
  return names.map((name) => known(name, option));
}

function known(name: unknown, option: string): string {
  const upper = typeof name === 'string' ? name.toUpperCase() : '';
  if (mechanismNames.includes(upper)) return upper;
  throw wrong(`${quoted(name)} is none of ${mechanismNames.join(', ')}`, option);
}

function wrong(message: string, option: string): SmtpUsageError {
  return new SmtpUsageError('EINVAL', message, option);
}
