/** From the client's errors to return codes, and from return codes to texts. */
import { describeCode, type ErrorCode, SmtpError, SmtpUsageError } from '../errors.ts';
import * as codes from './codes.ts';

/** Where the client has a code of another name; `ECONNECTION` is what the socket says. */
const own: Readonly<Record<Exclude<ErrorCode, 'ECONNECTION'>, number>> = {
  EINVAL: codes.TM_EINVAL,
  EPERM: codes.TM_EPERM,
  EISCONN: codes.TM_EISCONN,
  ENOTCONN: codes.TM_EPERM,
  EUNSUPPORTED: codes.TM_EOPNOTSUPP,
  ESERVERPERM: codes.TM_ESERVERPERM,
  ESERVERTEMP: codes.TM_ESERVERTEMP,
  ESERVERSYNC: codes.TM_ESERVERSYNC,
  ETIMEDOUT: codes.TM_ETIMEDOUT,
  ESHUTDOWN: codes.TM_ESHUTDOWN,
  ETLS: codes.TM_ESERVERPERM,
  EAUTH: codes.TM_ESERVERPERM,
  EABORTED: codes.TM_ECONNABORTED,
};

const sockets: Readonly<Record<string, number>> = {
  EACCES: codes.TM_EACCES,
  EPIPE: codes.TM_EPIPE,
  EAFNOSUPPORT: codes.TM_EAFNOSUPPORT,
  EADDRINUSE: codes.TM_EADDRINUSE,
  EADDRNOTAVAIL: codes.TM_EADDRNOTAVAIL,
  ENETDOWN: codes.TM_ENETDOWN,
  ENETUNREACH: codes.TM_ENETUNREACH,
  ECONNABORTED: codes.TM_ECONNABORTED,
  ECONNRESET: codes.TM_ECONNRESET,
  ENOBUFS: codes.TM_ENOBUFS,
  ETIMEDOUT: codes.TM_ETIMEDOUT,
  ECONNREFUSED: codes.TM_ECONNREFUSED,
  EHOSTUNREACH: codes.TM_EHOSTUNREACH,
};

/** The return code of an error of ours; any other error is thrown on. */
export function returnCode(error: unknown): number {
  if (!(error instanceof SmtpError || error instanceof SmtpUsageError)) throw error;
  return error.code === 'ECONNECTION' ? socketCode(error.cause) : own[error.code];
}

function socketCode(cause: unknown): number {
  const name = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return sockets[name] ?? codes.TM_EIO;
}

const texts = new Map<number, string>([
  [codes.TM_ENOERROR, 'no error'],
  [codes.TM_EINPROGRESS, 'in progress'],
  [codes.TM_EPERM, 'not allowed in this state'],
  [codes.TM_EIO, 'the connection failed'],
  [codes.TM_EACCES, 'permission denied'],
  [codes.TM_EPIPE, 'broken pipe'],
  [codes.TM_ENOPROTOOPT, 'there is no such socket option'],
  [codes.TM_EOPNOTSUPP, describeCode('EUNSUPPORTED')],
  [codes.TM_EAFNOSUPPORT, 'there is no such address family'],
  [codes.TM_EADDRINUSE, 'the address is in use'],
  [codes.TM_EADDRNOTAVAIL, 'the address cannot be had'],
  [codes.TM_ENETDOWN, 'the network is down'],
  [codes.TM_ENETUNREACH, 'the network cannot be reached'],
  [codes.TM_ECONNABORTED, describeCode('EABORTED')],
  [codes.TM_ECONNRESET, 'the connection was reset by the peer'],
  [codes.TM_ENOBUFS, 'no room for more'],
  [codes.TM_ECONNREFUSED, 'the connection was refused'],
  [codes.TM_EHOSTUNREACH, 'the host cannot be reached'],
]);
const plain = [
  'EINVAL',
  'EISCONN',
  'ESERVERPERM',
  'ESERVERTEMP',
  'ESERVERSYNC',
  'ETIMEDOUT',
  'ESHUTDOWN',
] as const;
for (const code of plain) texts.set(own[code], describeCode(code));

/** A short English text for a return code. */
export function tfStrError(errorCode: number): string {
  return texts.get(errorCode) ?? `error ${errorCode}`;
}
