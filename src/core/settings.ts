/**
 * What one connection is told to be, checked and complete. The client makes it from options; the core only reads it.
 */
import type { TlsPolicy } from '../../machines/vocabulary.ts';
import type { Credentials } from '../sasl/credentials.ts';
import type { Target, TlsOptions } from '../transport/transport.ts';
import type { BareLineEnds } from '../wire/body.ts';

/** Time limits in milliseconds; `Infinity` is none. Defaults are those of RFC 5321 §4.5.3.2 where it has one. */
export interface Timeouts {
  /** The line comes up. @default 120_000 */
  readonly connectMs: number;
  /** The TLS handshake. @default 120_000 */
  readonly secureMs: number;
  /** The greeting. @default 300_000 */
  readonly greetingMs: number;
  /** Every command without a limit of its own. @default 300_000 */
  readonly commandMs: number;
  /** The answer to DATA. @default 120_000 */
  readonly dataMs: number;
  /** The line takes a piece of the body. @default 180_000 */
  readonly bodyMs: number;
  /** The answer to the end of a message. @default 600_000 */
  readonly verdictMs: number;
  /** The answer to QUIT. @default 10_000 */
  readonly quitMs: number;
  /** From `connect()` to CONNECTED, all in all. @default Infinity */
  readonly totalMs: number;
  /** From MAIL to the verdict, for each message; where it has to go again, from its first MAIL. @default Infinity */
  readonly messageMs: number;
}

export const defaultTimeouts: Timeouts = {
  connectMs: 120_000,
  secureMs: 120_000,
  greetingMs: 300_000,
  commandMs: 300_000,
  dataMs: 120_000,
  bodyMs: 180_000,
  verdictMs: 600_000,
  quitMs: 10_000,
  totalMs: Infinity,
  messageMs: Infinity,
};

/** Who is asked for an access token, when the server is ready for the login. */
export type TokenSource = () => string | Promise<string>;

export interface Login {
  readonly credentials: Credentials;
  /** Where the token must be asked for first. */
  readonly token: TokenSource | undefined;
  /** May a mechanism run on a line without TLS? */
  readonly allowPlaintext: boolean;
}

export interface ConnectionSettings {
  readonly target: Target;
  readonly lmtp: boolean;
  readonly tls: TlsPolicy;
  readonly tlsOptions: TlsOptions;
  readonly login: Login | undefined;
  /** The name for EHLO; undefined: the address literal of our end of the line. */
  readonly localName: string | undefined;
  /** The name where our end has no address. */
  readonly fallbackName: string;
  readonly pipelining: boolean;
  readonly chunking: boolean;
  readonly messagesInFlight: number;
  readonly timeouts: Timeouts;
  readonly bareLineEnds: BareLineEnds;
  /** How many octets of a body are held for a line that is slow. */
  readonly bodyBufferBytes: number;
  random(bytes: number): Uint8Array;
}

/** Before the first `connect()`. */
export const defaultSettings: ConnectionSettings = {
  target: { host: 'localhost', port: 587 },
  lmtp: false,
  tls: 'optional',
  tlsOptions: {},
  login: undefined,
  localName: undefined,
  fallbackName: 'localhost',
  pipelining: true,
  chunking: true,
  messagesInFlight: 16,
  timeouts: defaultTimeouts,
  bareLineEnds: 'normalise',
  bodyBufferBytes: 256 * 1024,
  random: (bytes) => new Uint8Array(bytes),
};
