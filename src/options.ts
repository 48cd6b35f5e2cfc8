/**
 * The options of a client: what may be given, what is the default, what is refused and how that is said.
 * It makes the settings of one connection; it opens nothing.
 */
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { domainToASCII } from 'node:url';
import type { TlsPolicy } from '../machines/vocabulary.ts';
import { callable, checkKeys, checkObject, count, flag, objectWith, oneOf, wrong } from './checks.ts';
import { type Clock, systemRandom } from './clock.ts';
import { type ConnectionSettings, defaultTimeouts, type Login, type Timeouts } from './core/settings.ts';
import { type AuthOptions, checkCredentials } from './sasl/credentials.ts';
import { checkTransport, type TlsOptions, type Transport } from './transport/transport.ts';
import { parseHelo } from './wire/address.ts';
import type { BareLineEnds } from './wire/body.ts';
import { findRefused } from './wire/characters.ts';

/** Where and how to connect; each of these may be given anew to `connect()`. */
export interface TargetOptions {
  /** Name or address of the server. @default 'localhost' */
  readonly host?: string | undefined;
  /** @default 587; 465 with `tls: 'implicit'` */
  readonly port?: number | undefined;
  /** A unix socket, in place of host and port. */
  readonly path?: string | undefined;
  readonly auth?: AuthOptions | undefined;
  /** @default 'optional' */
  readonly tls?: TlsPolicy | undefined;
  /** node:tls options; the certificate and the name are verified unless `rejectUnauthorized` is false. */
  readonly tlsOptions?: TlsOptions | undefined;
}

export interface SmtpClientOptions extends TargetOptions {
  /** The name for EHLO. @default the address literal of our end of the line, or the machine's name */
  readonly localName?: string | undefined;
  /** @default 'smtp' */
  readonly protocol?: 'smtp' | 'lmtp' | undefined;
  /** Send groups of commands where the server takes them (RFC 2920). @default true */
  readonly pipelining?: boolean | undefined;
  /** Use BDAT where the server takes it (RFC 3030). @default true */
  readonly chunking?: boolean | undefined;
  /**
   * Messages whose end has left and whose verdict is due, at most; fewer where 4 MiB of their content in chunks are not
   * answered. @default 16
   */
  readonly messagesInFlight?: number | undefined;
  /** In milliseconds; see {@link Timeouts} for each default. */
  readonly timeouts?: Partial<Timeouts> | undefined;
  /** `'manual'`: nothing moves but by `execute()`. @default 'auto' */
  readonly pump?: 'auto' | 'manual' | undefined;
  /** Bare CR and bare LF in a body become CRLF, or are refused by `sendBody`. @default 'normalise' */
  readonly bareLineEnds?: BareLineEnds | undefined;
  /** Octets of a body that are held for a slow line before `sendBody` takes 0. @default 262144 */
  readonly bodyBufferBytes?: number | undefined;
  /** @default tcp() */
  readonly transport?: Transport | undefined;
  /** @default systemClock */
  readonly clock?: Clock | undefined;
  /** So many random octets. @default node:crypto's */
  readonly random?: ((bytes: number) => Uint8Array) | undefined;
}

const policies: readonly TlsPolicy[] = ['never', 'optional', 'always', 'implicit'];
const known: Readonly<Record<keyof SmtpClientOptions, true>> = {
  host: true,
  port: true,
  path: true,
  auth: true,
  tls: true,
  tlsOptions: true,
  localName: true,
  protocol: true,
  pipelining: true,
  chunking: true,
  messagesInFlight: true,
  timeouts: true,
  pump: true,
  bareLineEnds: true,
  bodyBufferBytes: true,
  transport: true,
  clock: true,
  random: true,
};
const targetKeys = ['host', 'port', 'path', 'auth', 'tls', 'tlsOptions'];

/** Checks everything that can be checked before a connection. Throws SmtpUsageError EINVAL, naming the option. */
export function checkOptions(options: SmtpClientOptions): void {
  checkObject(options, 'options');
  checkKeys(options, Object.keys(known), 'options');
  if (options.transport !== undefined) checkTransport(options.transport, 'transport');
  settingsFor(options, {});
  oneOf(options.pump, ['auto', 'manual'], 'pump');
  objectWith('now')(options.clock, 'clock');
}

/** The settings of one connection: what `connect()` was given stands before the client's own. */
export function settingsFor(options: SmtpClientOptions, target: TargetOptions): ConnectionSettings {
  checkObject(target, 'target');
  checkKeys(target, targetKeys, 'target');
  // who names a host does not mean the socket that was named before
  const elsewhere = target.host !== undefined || target.port !== undefined ? { path: undefined } : {};
  const merged = { ...options, ...elsewhere, ...target };
  const tls = oneOf(merged.tls, policies, 'tls') ?? 'optional';
  const host = checkHost(merged.host);
  const { localName, random } = options;
  const tlsOptions = tlsOptionsFor(merged.tlsOptions, host);
  options.transport?.checkTls?.(tlsOptions);
  callable(random, 'random');
  return {
    target: { host, port: checkPort(merged.port, tls), path: checkPath(merged.path) },
    lmtp: oneOf(options.protocol, ['smtp', 'lmtp'], 'protocol') === 'lmtp',
    tls,
    tlsOptions,
    login: merged.auth === undefined ? undefined : loginFor(merged.auth),
    localName: localName === undefined ? undefined : parseHelo(localName, 'localName'),
    fallbackName: machineName(),
    pipelining: flag(options.pipelining, 'pipelining'),
    chunking: flag(options.chunking, 'chunking'),
    messagesInFlight: count(options.messagesInFlight, 'messagesInFlight', 1) ?? 16,
    timeouts: checkTimeouts(options.timeouts),
    bareLineEnds: oneOf(options.bareLineEnds, ['normalise', 'refuse'], 'bareLineEnds') ?? 'normalise',
    bodyBufferBytes: count(options.bodyBufferBytes, 'bodyBufferBytes', 1) ?? 256 * 1024,
    random: random ?? systemRandom,
  };
}

function checkHost(host: string | undefined): string {
  if (host === undefined) return 'localhost';
  if (!isHost(host) || host === '') throw wrong(host, 'host', 'a host name or an address');
  if (host.includes(':') && isIP(host) === 0) {
    throw wrong(host, 'host', 'a host name or an address; the port is an option of its own');
  }
  return host;
}

/** Nothing that could be more than a name (RFC 1035 §2.3.4); whether it is one, whoever looks it up finds out. */
function isHost(text: unknown): text is string {
  return typeof text === 'string' && text.length <= 255 && findRefused(text) < 0 && !/[\s/@]/.test(text);
}

function checkPort(port: number | undefined, tls: TlsPolicy): number {
  if (port === undefined) return tls === 'implicit' ? 465 : 587;
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw wrong(port, 'port', 'a number from 1 to 65535');
  return port;
}

function checkPath(path: string | undefined): string | undefined {
  if (path !== undefined && (typeof path !== 'string' || path === '' || path.includes('\0'))) {
    throw wrong(path, 'path', 'the path of a socket');
  }
  return path;
}

/** The name is always given, so that it is always verified (S4); an address is no name for SNI (RFC 6066 §3). */
function tlsOptionsFor(given: TlsOptions | undefined, host: string): TlsOptions {
  if (given !== undefined) checkObject(given, 'tlsOptions');
  const servername = given?.servername;
  if (servername !== undefined && !isHost(servername)) {
    throw wrong(servername, 'tlsOptions.servername', 'a host name');
  }
  // SNI is in A-labels and without the dot of the root (RFC 6066 §3)
  const name = isIP(host) === 0 ? domainToASCII(host).replace(/\.$/, '') : '';
  return { ...given, servername: servername ?? name };
}

function loginFor(auth: AuthOptions): Login {
  const credentials = checkCredentials(auth, 'auth');
  return {
    credentials,
    token: typeof auth.token === 'function' ? auth.token : undefined,
    allowPlaintext: auth.allowPlaintext ?? false,
  };
}

function checkTimeouts(given: Partial<Timeouts> | undefined): Timeouts {
  if (given === undefined) return defaultTimeouts;
  checkObject(given, 'timeouts');
  checkKeys(given, Object.keys(defaultTimeouts), 'timeouts');
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined && !(typeof value === 'number' && value > 0)) {
      throw wrong(value, `timeouts.${name}`, 'a number of milliseconds above 0');
    }
  }
  return { ...defaultTimeouts, ...withoutUndefined(given) };
}

function withoutUndefined<T extends object>(object: T): T {
  // only keys that hold nothing are left out
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}

/** The machine's own name where it can stand in EHLO; asked once. */
function machineName(): string {
  ownName ??= readMachineName();
  return ownName;
}

let ownName: string | undefined;

function readMachineName(): string {
  try {
    return parseHelo(hostname(), 'hostname');
  } catch {
    return 'localhost';
  }
}
