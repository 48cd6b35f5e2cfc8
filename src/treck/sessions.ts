/** The functions of a session and its options, by the manual's names. */
import { SmtpClient } from '../client/client.ts';
import type { SmtpClientOptions } from '../options.ts';
import { type Box, put } from './box.ts';
import * as codes from './codes.ts';
import { returnCode } from './errors.ts';
import { free, register, sessionOf, type ttSmtpClientHandle, withSession } from './handle.ts';
import { type EventCallback, type NotifyCallback, Session, type SessionOptions } from './session.ts';

/**
 * Makes a session; many mails and many connections may use it, one connection at a time.
 *
 * @param clientName who we are, in EHLO; a name that cannot stand there, or null, leaves it to the client
 * @param eventCallback null in blocking mode, or where only the return codes matter
 * @param timeoutSeconds the limit of every wait for the server; not of the body, which no reply answers
 * @param blockingMode TM_BLOCKING_OFF or TM_BLOCKING_ON
 * @param errorCodePtr TM_ENOERROR, or TM_EINVAL for an argument that makes no sense
 * @param options beyond the manual
 * @returns null where it could not be made
 */
export function tfSmtpUserNewSession(
  clientName: string | null,
  eventCallback: EventCallback | null,
  timeoutSeconds: number,
  blockingMode: number,
  errorCodePtr?: Box<number> | null,
  options?: SessionOptions | null,
): ttSmtpClientHandle {
  try {
    const session = newSession(clientName, eventCallback, timeoutSeconds, blockingMode, options ?? {});
    put(errorCodePtr, session === undefined ? codes.TM_EINVAL : codes.TM_ENOERROR);
    return session === undefined ? null : register(session);
  } catch (error) {
    put(errorCodePtr, returnCode(error));
    return null;
  }
}

function newSession(
  clientName: string | null,
  eventCallback: EventCallback | null,
  timeoutSeconds: number,
  blockingMode: number,
  options: SessionOptions,
): Session | undefined {
  const { transport, allowPlaintext, ...rest } = options;
  const isName = clientName === null || typeof clientName === 'string';
  const isCallback = eventCallback === null || typeof eventCallback === 'function';
  const isMaker = transport === undefined || typeof transport === 'function';
  const isMode = blockingMode === codes.TM_BLOCKING_OFF || blockingMode === codes.TM_BLOCKING_ON;
  if (!isName || !isCallback || !isMode || !isMaker) return undefined;
  const clientOptions = { ...rest, timeouts: limits(timeoutSeconds * 1000) };
  new SmtpClient(clientOptions); // throws where something is wrong
  const localName = options.localName ?? (clientName === null ? undefined : nameForEhlo(clientName));
  const blocking = blockingMode === codes.TM_BLOCKING_ON;
  return new Session({ ...clientOptions, localName }, blocking, eventCallback, options);
}

/** One limit for every reply. The body has none: no reply answers it. */
function limits(ms: number): NonNullable<SmtpClientOptions['timeouts']> {
  return {
    connectMs: ms,
    secureMs: ms,
    greetingMs: ms,
    commandMs: ms,
    dataMs: ms,
    verdictMs: ms,
    quitMs: ms,
    bodyMs: Number.POSITIVE_INFINITY,
  };
}

/** The name of a program is no host name, and stays at home. */
function nameForEhlo(localName: string): string | undefined {
  try {
    new SmtpClient({ localName });
    return localName;
  } catch {
    return undefined;
  }
}

/** Frees the session, after leaving the line where it is still up. From then on the handle is TM_EINVAL everywhere. */
export function tfSmtpUserFreeSession(handle: ttSmtpClientHandle): number {
  return withSession(handle, (session) => {
    free(session.handle);
    session.leave();
    return codes.TM_ENOERROR;
  });
}

const tlsModes = [
  codes.TM_SMTP_TLSMODE_OPTIONAL,
  codes.TM_SMTP_TLSMODE_ALWAYS,
  codes.TM_SMTP_TLSMODE_IMPLICIT,
];

/** TM_EPERM while there is a connection. */
export function tfSmtpUserSetSessionOption(
  handle: ttSmtpClientHandle,
  option: number,
  value: number,
): number {
  return withSession(handle, (session) => {
    if (option !== codes.TM_SMTP_OPT_TLSMODE || !tlsModes.includes(value)) return codes.TM_EINVAL;
    if (session.isOnline) return codes.TM_EPERM;
    session.tlsMode = value;
    return codes.TM_ENOERROR;
  });
}

export function tfSmtpUserGetSessionOption(
  handle: ttSmtpClientHandle,
  option: number,
  valuePtr: Box<number> | null,
): number {
  return withSession(handle, (session) => {
    if (option !== codes.TM_SMTP_OPT_TLSMODE) return codes.TM_EINVAL;
    put(valuePtr, session.tlsMode);
    return codes.TM_ENOERROR;
  });
}

/** Hangs something of the program's own on the handle. */
export function tfSmtpUserSetPointer(handle: ttSmtpClientHandle, pointer: unknown): number {
  return withSession(handle, (session) => {
    session.pointer = pointer;
    return codes.TM_ENOERROR;
  });
}

/** What was hung on the handle; null where nothing was, or for a bad handle. May be called in the notify callback. */
export function tfSmtpUserGetPointer(handle: ttSmtpClientHandle): unknown {
  return sessionOf(handle)?.pointer ?? null;
}

/**
 * Registers who is called when tfSmtpUserExecute has something to do: a byte has come, a limit has run out, a step was
 * called. Once, and not again before the next tfSmtpUserExecute. In it only tfSmtpUserReadTimer and
 * tfSmtpUserGetPointer may be called for this session; every other function returns TM_EPERM.
 */
export function tfSmtpUserSetAsyncCB(handle: ttSmtpClientHandle, notify: NotifyCallback | null): number {
  return withSession(handle, (session) => {
    if (notify !== null && typeof notify !== 'function') return codes.TM_EINVAL;
    session.setNotify(notify);
    return codes.TM_ENOERROR;
  });
}
