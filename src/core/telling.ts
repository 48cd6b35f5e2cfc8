/**
 * From a notice of the connection chart to the event that the caller hears, with what is at hand. Makes objects,
 * decides nothing.
 */
import type { Notice } from '../../machines/vocabulary.ts';
import type { Phase, SmtpError } from '../errors.ts';
import type { TlsInfo } from '../transport/transport.ts';
import type { Capabilities } from '../wire/capabilities.ts';
import type { Reply } from '../wire/reply.ts';
import type { SmtpEvent, UnfinishedMessage } from './events.ts';
import { ending, loginFailure, phaseOf, refusal } from './failures.ts';
import { type Entry, lineOf } from './ledger.ts';
import type { LoginAttempt } from './login.ts';

/** What happened last, and what is known by then. */
export interface Situation {
  readonly entry: Entry | undefined;
  readonly reply: Reply | undefined;
  readonly cause: Error | undefined;
  readonly implicit: boolean;
  readonly phase: Phase;
  readonly hello: Reply | undefined;
  readonly capabilities: Capabilities;
  readonly tls: TlsInfo | undefined;
  readonly login: LoginAttempt | undefined;
  readonly reason: SmtpError | undefined;
  readonly unfinished: readonly UnfinishedMessage[];
}

export function connectionEvent(notice: Notice, at: Situation): SmtpEvent | undefined {
  const { reply, tls } = at;
  switch (notice.tell) {
    case 'CONNECTED':
      if (at.hello === undefined) return undefined;
      return { name: 'CONNECTED', reply: at.hello, capabilities: at.capabilities, secure: tls !== undefined };
    case 'SECURE_OK':
      return tls && { name: 'SECURE_OK', tls };
    case 'SECURE_FAIL':
      return { name: 'SECURE_FAIL', error: ending('tls', at) };
    case 'AUTH_OK':
      return reply && { name: 'AUTH_OK', mechanism: at.login?.mechanism ?? '', reply };
    case 'AUTH_FAIL':
      return {
        name: 'AUTH_FAIL',
        mechanism: at.login?.mechanism,
        reply: authReply(at),
        error: authError(at),
      };
    case 'NOOP_ACK':
    case 'RESET':
      return reply && { name: notice.tell, reply };
    case 'TIMEOUT':
      return { name: 'TIMEOUT', phase: at.phase, error: ending('time', at) };
    case 'DISCONNECTED':
      return { name: 'DISCONNECTED', reason: at.reason, messages: at.unfinished };
    case 'REFUSED':
      return refused(notice.step, at);
    default:
      throw new Error(`the connection chart tells ${notice.tell}`);
  }
}

function refused(step: Extract<Notice, { step: unknown }>['step'], at: Situation): SmtpEvent | undefined {
  const { entry, reply } = at;
  if (entry === undefined || reply === undefined) return undefined;
  const error = refusal(reply, phaseOf(entry), lineOf(entry));
  return { name: reply.code < 500 ? 'SERVER_RETRY' : 'SERVER_ERROR', step, reply, error };
}

/** Only a reply to AUTH says something about the login. */
const authReply = (at: Situation): Reply | undefined => (at.entry?.kind === 'auth' ? at.reply : undefined);

function authError(at: Situation): SmtpError {
  const reply = authReply(at);
  const cause = at.login?.error ?? at.cause;
  const command = at.entry?.kind === 'auth' ? at.entry.command?.line : undefined;
  if (cause !== undefined)
    return loginFailure({ reply, command, cause, detail: `the login failed: ${cause.message}` });
  if (reply !== undefined) return loginFailure({ reply, command });
  if (at.login?.barred ?? at.tls === undefined) {
    const hint = "Use tls: 'always' or 'implicit', or auth.allowPlaintext where the line is trusted";
    return loginFailure({ detail: 'no mechanism may be used without TLS', hint });
  }
  const offered = at.capabilities.auth.join(' ') || 'none';
  return loginFailure({ detail: `no mechanism fits these credentials; the server offers: ${offered}` });
}
