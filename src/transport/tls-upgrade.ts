/**
 * TLS over a socket that is already open: how the options become a handshake in which chain and name are verified,
 * and what is told of the result. What is remembered from one handshake to the next is in `tls-memory.ts`.
 */
import { isIP, type Socket } from 'node:net';
import { type ConnectionOptions, checkServerIdentity, connect, type TLSSocket } from 'node:tls';
import { endPointBinding } from './end-point-binding.ts';
import type { KnownSession, TlsMemory } from './tls-memory.ts';
import type { ChannelBinding, TlsInfo, TlsOptions } from './transport.ts';

/** RFC 9266 §4.2. */
const exporterLabel = 'EXPORTER-Channel-Binding';

/** One handshake: what was asked for, and what is known from an earlier one. */
export interface Handshake {
  readonly socket: TLSSocket;
  readonly options: TlsOptions;
  /** What the certificate must be for. */
  readonly name: string;
  readonly known: KnownSession | undefined;
}

/**
 * Starts the handshake. Throws when the options cannot be used.
 * @param host verified when the options name no `servername`
 */
export function startTls(
  raw: Socket,
  options: TlsOptions,
  host: string,
  highWaterMark: number,
  memory: TlsMemory,
): Handshake {
  // Of two empty names Node would make `localhost`: an address is verified as such.
  const name = options.servername || host;
  // Said here, so that no environment variable can switch it off.
  const rejectUnauthorized = options.rejectUnauthorized !== false;
  const known = memory.sessionFor(options, name);
  const full: ConnectionOptions & { highWaterMark: number } = {
    ...options,
    socket: raw,
    secureContext: memory.contextFor(options),
    rejectUnauthorized,
    // A session of the caller's is of unknown origin: with verification on, only our own are offered.
    session: known?.session ?? (rejectUnauthorized ? undefined : inBuffer(options.session)),
    highWaterMark,
    // Node verifies `servername`, else `host`; an address must not be sent as SNI (RFC 6066 §3).
    host: name,
    servername: isIP(name) === 0 ? name : '',
  };
  return { socket: connect(full), options, name, known };
}

/** Node 22 takes no other bytes for a session, and what has crossed to a thread is no Buffer any more. */
function inBuffer(bytes: Uint8Array | undefined): Buffer | undefined {
  return bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * The handshake is done. A resumed session has shown no certificate: the one that it was verified by is checked once
 * more, for the name and for its age.
 * @throws Error where that certificate no longer holds
 */
export function finishTls({ socket, options, name, known }: Handshake, memory: TlsMemory): TlsInfo {
  const resumed = socket.isSessionReused();
  const verifies = options.rejectUnauthorized !== false;
  if (resumed && verifies) {
    const why =
      known === undefined
        ? new Error('the resumed session is of unknown origin')
        : recheck(known, options, name);
    if (why !== undefined) {
      memory.forget(options, name);
      throw why;
    }
  }
  const certificate = resumed ? known?.certificate : socket.getPeerCertificate();
  // without verification nothing is known of the peer, and nothing worth keeping
  if (certificate !== undefined && socket.authorized) memory.learn(socket, options, name, certificate);
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().name,
    authorized: socket.authorized && (!resumed || verifies),
    servername: options.servername,
    resumed,
    binding: channelBinding(socket, resumed ? known?.certificate.raw : undefined),
  };
}

function recheck({ certificate }: KnownSession, options: TlsOptions, name: string): Error | undefined {
  if (Date.parse(certificate.valid_to) < Date.now()) {
    return Object.assign(new Error('certificate has expired'), { code: 'CERT_HAS_EXPIRED' });
  }
  return (options.checkServerIdentity ?? checkServerIdentity)(name, certificate);
}

/** TLS 1.3 has the exporter (RFC 9266); before it, the certificate's hash is the one that all servers know. */
function channelBinding(socket: TLSSocket, knownDer: Buffer | undefined): ChannelBinding | undefined {
  if (socket.getProtocol() === 'TLSv1.3') {
    // Deno has none: there the mechanisms that need a binding are not used
    if (typeof socket.exportKeyingMaterial !== 'function') return undefined;
    const data = socket.exportKeyingMaterial(32, exporterLabel, Buffer.alloc(0));
    return { type: 'tls-exporter', data: new Uint8Array(data) };
  }
  const der = knownDer ?? socket.getPeerX509Certificate()?.raw;
  return der === undefined ? undefined : endPointBinding(der);
}
