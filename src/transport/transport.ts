/**
 * What carries the bytes. The core talks to nothing else of the outside world; a transport knows nothing of SMTP.
 *
 * The contract: a call never emits; what happened is fetched with {@link Transport.poll}, and `onReady` only says
 * that there is something to fetch. After `close()` nothing more is reported until the next `open()`.
 */
import type { ConnectionOptions } from 'node:tls';
import { wrong } from '../checks.ts';
import type { Json } from '../json.ts';

/** Where to connect: a unix socket when `path` is given, else host and port. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly path?: string | undefined;
}

/** node:tls options of the connection. `servername` is filled in by the client; verification is on by default. */
export type TlsOptions = Omit<ConnectionOptions, 'socket' | 'host' | 'port' | 'path'>;

/** Ties a login to the TLS channel (RFC 5929, RFC 9266). */
export interface ChannelBinding {
  readonly type: 'tls-exporter' | 'tls-server-end-point';
  readonly data: Uint8Array;
}

export interface TlsInfo {
  /** For example `TLSv1.3`. */
  readonly protocol: string;
  readonly cipher: string;
  /** Was the certificate chain and the name verified? */
  readonly authorized: boolean;
  readonly servername: string | undefined;
  readonly resumed: boolean;
  readonly binding?: ChannelBinding | undefined;
}

export type TransportEvent =
  /** The line is up; `localAddress` is our own end, where there is one. */
  | {
      readonly type: 'open';
      readonly localAddress?: string | undefined;
      readonly remoteAddress?: string | undefined;
    }
  | { readonly type: 'bytes'; readonly bytes: Uint8Array }
  /** After a `write()` that returned false: there is room again. */
  | { readonly type: 'drain' }
  | { readonly type: 'secure'; readonly tls: TlsInfo }
  /**
   * The line is gone, or was never up. `during` says what was being tried; without `error` the peer closed it
   * in an orderly way. It is the last event until the next `open()`.
   */
  | {
      readonly type: 'lost';
      readonly during: 'open' | 'secure' | 'line';
      readonly error?: Error | undefined;
    };

export interface Transport {
  open(target: Target): void;
  /** Starts the TLS handshake on the open line. Answered by `secure`, or `lost` with `during: 'secure'`. */
  secure(options: TlsOptions): void;
  /** Takes the bytes, which must not change until they have left. Returns false when full: a `drain` will come. */
  write(bytes: Uint8Array): boolean;
  /** `graceful`: what was written still leaves before the line is closed. No further event comes. */
  close(graceful: boolean): void;
  /** The next thing that happened, oldest first. */
  poll(): TransportEvent | undefined;
  /**
   * Everything that the line holds, bytes under way too, as plain JSON; a transport whose line is the world's cannot be
   * saved, and has no such method.
   * @param secrets octets that may be under way and must not be saved: those of a login
   */
  save?(secrets: readonly Uint8Array[]): Json;
  /** Into a new transport: what {@link save} gave. `secrets` gives the same octets again, where they are needed. */
  restore?(saved: Json, secrets: () => readonly Uint8Array[]): void;
  /** Called when `poll()` has something again; set by whoever turns the pump. */
  onReady: (() => void) | undefined;
  /**
   * Asked before a connection: can the transport use these options?
   * @throws SmtpUsageError EINVAL, naming the option
   */
  checkTls?(options: TlsOptions): void;
}

/** The function that makes one is none. @throws SmtpUsageError EINVAL, naming the option */
export function checkTransport(given: Transport, option: string): void {
  if (typeof given?.poll !== 'function')
    throw wrong(given, option, 'a transport, as tcp() and worker() give it');
}

/** A transport that can be waited for where nothing returns to Node's event loop. */
export interface WaitingTransport extends Transport {
  /**
   * Sleeps until `poll()` may have something, so many milliseconds at most; `Infinity` is for ever.
   * @returns false when the time ran out
   */
  wait(timeoutMs: number): boolean;
  /** `write()` keeps nothing of what it is given: the bytes may change when it has returned. @default false */
  readonly copies?: boolean | undefined;
}

export function canWait(transport: Transport): transport is WaitingTransport {
  return 'wait' in transport && typeof transport.wait === 'function';
}
