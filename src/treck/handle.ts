/**
 * Handles: what stands for a session outside, and the one door through which every function goes. A handle that was
 * freed, or never was one, opens nothing.
 */
import { TM_EINVAL, TM_EPERM } from './codes.ts';
import { returnCode } from './errors.ts';
import type { Session } from './session.ts';

declare const inside: unique symbol;

/** A session, as a program holds it. */
export interface SmtpHandle {
  readonly [inside]?: never;
}

/** As the functions take it: null is what a session that could not be made leaves. */
export type ttSmtpClientHandle = SmtpHandle | null;

const sessions = new WeakMap<SmtpHandle, Session>();

export function register(session: Session): SmtpHandle {
  sessions.set(session.handle, session);
  return session.handle;
}

export function free(handle: SmtpHandle): void {
  sessions.delete(handle);
}

/** Undefined for a handle that is none (any more). */
export function sessionOf(handle: ttSmtpClientHandle): Session | undefined {
  return typeof handle === 'object' && handle !== null ? sessions.get(handle) : undefined;
}

/**
 * Does the deed, and makes a return code of what it throws. TM_EINVAL: no such session. TM_EPERM: called in the
 * notify callback of the session.
 */
export function withSession(handle: ttSmtpClientHandle, deed: (session: Session) => number): number {
  const session = sessionOf(handle);
  if (session === undefined) return TM_EINVAL;
  if (session.notifying) return TM_EPERM;
  try {
    return deed(session);
  } catch (error) {
    return returnCode(error);
  }
}
