/**
 * The options of real sockets, and what is refused of them before one is opened. What Node's own options in
 * `connectOptions` are good for, Node finds out.
 */
import { isIP, type TcpNetConnectOpts } from 'node:net';
import {
  amount,
  type Checks,
  callable,
  checkObject,
  count,
  flag,
  objectWith,
  oneOf,
  wrong,
} from '../checks.ts';
import type { TlsMemory } from './tls-memory.ts';

export interface TcpOptions {
  /** Send small segments at once. @default true */
  readonly noDelay?: boolean | undefined;
  /** Probe an idle line. @default false */
  readonly keepAlive?: boolean | undefined;
  /** ms without traffic before the first probe. @default the system's */
  readonly keepAliveInitialDelay?: number | undefined;
  /** Our own address. @default the system's choice */
  readonly localAddress?: string | undefined;
  /** 4 or 6; 0 = both, tried in turn (RFC 8305). @default 0 */
  readonly family?: 0 | 4 | 6 | undefined;
  /** @default dns.lookup */
  readonly lookup?: TcpNetConnectOpts['lookup'] | undefined;
  /** Any other option of net.connect; it goes before those above. For example `autoSelectFamilyAttemptTimeout`. */
  readonly connectOptions?: Partial<Omit<TcpNetConnectOpts, 'host' | 'port' | 'path'>> | undefined;
  /** Share one among transports, and they resume each other's TLS sessions. @default one of its own */
  readonly tlsMemory?: TlsMemory | undefined;
  /** Unread bytes beyond which the socket is not read. @default 262144 */
  readonly readBytes?: number | undefined;
  /** Unsent bytes from which `write()` returns false. @default 65536 */
  readonly writeBytes?: number | undefined;
  /** ms that a graceful close may take. @default 2000 */
  readonly closeMs?: number | undefined;
}

/** Those that are plain data. */
export const socketChecks = {
  noDelay: flag,
  keepAlive: flag,
  keepAliveInitialDelay: amount,
  localAddress: address,
  family: (family, option) => oneOf(family, [0, 4, 6], option),
  connectOptions: (options, option) => options === undefined || checkObject(options, option),
  readBytes: count,
  writeBytes: count,
  closeMs: amount,
} as const satisfies Checks<Omit<TcpOptions, 'lookup' | 'tlsMemory'>>;

export const tcpChecks: Checks<TcpOptions> = {
  ...socketChecks,
  lookup: callable,
  tlsMemory: objectWith('contextFor'),
};

function address(given: string | undefined, option: string): void {
  if (given !== undefined && isIP(given) === 0) throw wrong(given, option, 'an IP address');
}
