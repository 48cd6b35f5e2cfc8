/** The functions of a connection, by the manual's names. */
import { isIP } from 'node:net';
import type { Reply } from '../wire/reply.ts';
import * as codes from './codes.ts';
import { sessionOf, type ttSmtpClientHandle, withSession } from './handle.ts';
import { policyOf } from './ssl.ts';

/** Where the server is: the caller resolves names. Fits what `net.Server.address()` returns. */
export interface SocketAddress {
  /** IPv4 or IPv6. */
  readonly address: string;
  readonly port: number;
}

/**
 * Connects, secures by the TLS mode, and logs in where a user name is given. TM_EINVAL for a bad address, and for a
 * user name without a password.
 */
export function tfSmtpUserConnect(
  handle: ttSmtpClientHandle,
  serverAddress: SocketAddress | null,
  userName: string | null,
  password: string | null,
): number {
  return withSession(handle, (session) => {
    if (typeof serverAddress !== 'object' || serverAddress === null) return codes.TM_EINVAL;
    if (isIP(serverAddress.address) === 0) return codes.TM_EINVAL;
    const anonymous = userName === null || userName === '';
    if (!anonymous && (password === null || password === '')) return codes.TM_EINVAL;
    return session.connect({
      host: serverAddress.address,
      port: serverAddress.port,
      tls: policyOf(session),
      tlsOptions: session.tlsOptions,
      auth: anonymous
        ? undefined
        : { user: userName, password: password ?? '', allowPlaintext: session.allowPlaintext },
    });
  });
}

/** QUIT, then close. */
export function tfSmtpUserDisconnect(handle: ttSmtpClientHandle): number {
  return withSession(handle, (session) => session.act((client) => client.disconnect()));
}

/**
 * RSET: abandons the message. One whose text stands open on the wire (after DATA, before tfSmtpUserSendEom) can only be
 * cut off, with the line: then the result is TM_ECONNABORTED.
 */
export function tfSmtpUserReset(handle: ttSmtpClientHandle): number {
  return withSession(handle, (session) => session.act((client) => client.reset()));
}

/** NOOP: keeps an idle connection alive. */
export function tfSmtpUserSendNoop(handle: ttSmtpClientHandle): number {
  return withSession(handle, (session) => session.act((client) => client.noop()));
}

/**
 * Does what there is to do; the event callback is called inside it, and nowhere else. Returns TM_EINPROGRESS while
 * anything is awaited, else the result of the last action. A loop that calls nothing else makes progress.
 */
export function tfSmtpUserExecute(handle: ttSmtpClientHandle): number {
  return withSession(handle, (session) => session.execute());
}

/**
 * Milliseconds until the wait for the server runs out; 0: tfSmtpUserExecute has something to do now; -1: nothing is
 * awaited, or the handle is bad. May be called in the notify callback.
 */
export function tfSmtpUserReadTimer(handle: ttSmtpClientHandle): number {
  const left = sessionOf(handle)?.client?.readTimer() ?? Number.POSITIVE_INFINITY;
  return left === Number.POSITIVE_INFINITY ? -1 : left;
}

/** The last reply of the server, whatever it answered; null before the greeting, and for a bad handle. */
export function tfSmtpUserGetLastServerResponse(handle: ttSmtpClientHandle): Reply | null {
  const session = sessionOf(handle);
  return session === undefined || session.notifying ? null : (session.client?.lastReply ?? null);
}
