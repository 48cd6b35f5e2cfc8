/**
 * TLS over a socket that is already open: how the options become a handshake in which chain and name are verified,
 * and what is told of the result. It keeps no state.
 */
import { isIP, type Socket } from 'node:net';
import { type ConnectionOptions, checkServerIdentity, connect, type TLSSocket } from 'node:tls';
import { endPointBinding } from './end-point-binding.ts';
import { LineError } from './line-error.ts';
import type { ChannelBinding, TlsInfo, TlsOptions } from './transport.ts';

/** RFC 9266 §4.2. */
const exporterLabel = 'EXPORTER-Channel-Binding';

/**
 * Starts the handshake. Throws when the options cannot be used.
 * @param host verified when the options name no `servername`
 */
export function startTls(
  socket: Socket,
  options: TlsOptions,
  host: string,
  highWaterMark: number,
): TLSSocket {
  const name = options.servername ?? host;
  const full: ConnectionOptions & { highWaterMark: number } = {
    ...options,
    socket,
    // Said here, so that no environment variable can switch it off.
    rejectUnauthorized: options.rejectUnauthorized !== false,
    highWaterMark,
    // Node verifies `servername`, else `host`; an address must not be sent as SNI (RFC 6066 §3).
    host: name,
    servername: isIP(name) === 0 ? name : '',
  };
  return connect(full);
}

/**
 * Node does not look at the name again when a session is resumed, though the session may belong to another server.
 * @returns what is wrong with the certificate
 */
export function resumedNameError(socket: TLSSocket, options: TlsOptions, host: string): Error | undefined {
  if (!socket.isSessionReused() || options.rejectUnauthorized === false) return undefined;
  const check = options.checkServerIdentity ?? checkServerIdentity;
  const certificate = socket.getPeerCertificate(true);
  if (Object.keys(certificate).length === 0) {
    return new LineError(
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'the resumed session carries no certificate to verify',
    );
  }
  return check(options.servername ?? host, certificate);
}

export function tlsInfo(socket: TLSSocket, options: TlsOptions): TlsInfo {
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().name,
    authorized: socket.authorized,
    servername: options.servername,
    resumed: socket.isSessionReused(),
    binding: channelBinding(socket),
  };
}

/** TLS 1.3 has the exporter (RFC 9266); before it, the certificate's hash is the one that all servers know. */
function channelBinding(socket: TLSSocket): ChannelBinding | undefined {
  if (socket.getProtocol() === 'TLSv1.3') {
    const data = socket.exportKeyingMaterial(32, exporterLabel, Buffer.alloc(0));
    return { type: 'tls-exporter', data: new Uint8Array(data) };
  }
  const certificate = socket.getPeerX509Certificate();
  return certificate === undefined ? undefined : endPointBinding(certificate.raw);
}
