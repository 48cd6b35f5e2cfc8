/**
 * TLS over a socket that is already open: how the options become a handshake in which chain and name are verified,
 * and what is told of the result. It keeps no state.
 */
import { isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { endPointBinding } from './end-point-binding.ts';
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
  // Of two empty names Node would make `localhost`: an address is verified as such.
  const name = options.servername || host;
  // Said here, so that no environment variable can switch it off.
  const rejectUnauthorized = options.rejectUnauthorized !== false;
  const full: ConnectionOptions & { highWaterMark: number } = {
    ...options,
    socket,
    rejectUnauthorized,
    // Of a resumed session Node shows no certificate and checks no name: it may belong to another server.
    session: rejectUnauthorized ? undefined : options.session,
    highWaterMark,
    // Node verifies `servername`, else `host`; an address must not be sent as SNI (RFC 6066 §3).
    host: name,
    servername: isIP(name) === 0 ? name : '',
  };
  return connect(full);
}

export function tlsInfo(socket: TLSSocket, options: TlsOptions): TlsInfo {
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().name,
    authorized: socket.authorized && !socket.isSessionReused(),
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
