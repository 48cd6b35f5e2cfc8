/** tfSmtpUserSetSockOpt: the socket options that Node can set, by their BSD names. */
import type { WorkerOptions } from '../transport/worker.ts';
import type { Box } from './box.ts';
import * as codes from './codes.ts';
import { type ttSmtpClientHandle, withSession } from './handle.ts';

/** An option is a whole number of four octets. */
const size = 4;
/** A buffer larger than this is cut to it, as systems do. */
const mostBytes = 2 ** 24;

const settings = new Map<string, (value: number) => WorkerOptions>([
  [`${codes.IPPROTO_TCP} ${codes.TCP_NODELAY}`, (value) => ({ noDelay: value !== 0 })],
  [`${codes.IPPROTO_TCP} ${codes.TCP_KEEPIDLE}`, (value) => ({ keepAliveInitialDelay: value * 1000 })],
  [`${codes.SOL_SOCKET} ${codes.SO_KEEPALIVE}`, (value) => ({ keepAlive: value !== 0 })],
  [`${codes.SOL_SOCKET} ${codes.SO_SNDBUF}`, (value) => ({ writeBytes: Math.min(value, mostBytes) })],
  [`${codes.SOL_SOCKET} ${codes.SO_RCVBUF}`, (value) => ({ readBytes: Math.min(value, mostBytes) })],
]);

/**
 * Sets an option of the sockets to come. TM_EPERM while there is a connection, TM_ENOPROTOOPT for an option that
 * cannot be set, TM_EAFNOSUPPORT for a family that is neither AF_INET nor AF_INET6.
 */
export function tfSmtpUserSetSockOpt(
  handle: ttSmtpClientHandle,
  family: number,
  protocolLevel: number,
  optionName: number,
  optionValuePtr: Box<number> | null,
  optionLength: number,
): number {
  return withSession(handle, (session) => {
    if (session.isOnline) return codes.TM_EPERM;
    if (family !== codes.AF_INET && family !== codes.AF_INET6) return codes.TM_EAFNOSUPPORT;
    const setting = settings.get(`${protocolLevel} ${optionName}`);
    if (setting === undefined) return codes.TM_ENOPROTOOPT;
    const value = optionValuePtr?.value;
    if (value === undefined || !Number.isInteger(value) || value < 0 || optionLength !== size) {
      return codes.TM_EINVAL;
    }
    session.socketOptions = { ...session.socketOptions, ...setting(value) };
    return codes.TM_ENOERROR;
  });
}
