/**
 * From what happened to the {@link SmtpError} that tells it: code, phase, command, and a hint where experience has one.
 */
import type { Blame } from '../../machines/vocabulary.ts';
import { type Phase, SmtpError } from '../errors.ts';
import type { Reply } from '../wire/reply.ts';
import { type Entry, entryKinds, lineOf } from './ledger.ts';

/** The error of a 4xx or 5xx reply to a command. */
export function refusal(reply: Reply, phase: Phase, command: string | undefined): SmtpError {
  const code = reply.code < 500 ? 'ESERVERTEMP' : 'ESERVERPERM';
  return new SmtpError({ code, phase, reply, command, hint: refusalHint(reply, phase) });
}

/** What the server does not offer. */
export function unsupported(phase: Phase, detail: string): SmtpError {
  return new SmtpError({ code: 'EUNSUPPORTED', phase, detail });
}

/** So many a connection, and no more: another connection will do. */
export function exhausted(detail: string): SmtpError {
  return new SmtpError({ code: 'ESERVERTEMP', phase: 'mail', detail });
}

/** What is known when a connection ends. */
export interface Circumstances {
  readonly phase: Phase;
  readonly entry: Entry | undefined;
  readonly reply: Reply | undefined;
  readonly cause: Error | undefined;
  /** TLS from the first byte, in place of STARTTLS. */
  readonly implicit: boolean;
}

/** Why the connection ends. */
export function ending(blame: Blame, circumstances: Circumstances): SmtpError {
  const { phase, entry, reply, cause, implicit } = circumstances;
  const command = entry && lineOf(entry);
  switch (blame) {
    case 'caller':
      return new SmtpError({ code: 'EABORTED', phase, command });
    case 'line':
      return cause === undefined
        ? new SmtpError({ code: 'ESHUTDOWN', phase, command, hint: shutdownHint(phase) })
        : new SmtpError({ code: 'ECONNECTION', phase, command, cause, hint: connectionHint(cause) });
    case 'reply':
      return reply === undefined
        ? new SmtpError({ code: 'ESERVERSYNC', phase, command, cause })
        : refusal(reply, phase, command);
    case 'tls':
      return new SmtpError({ code: 'ETLS', phase, command, reply, cause, hint: tlsHint(cause, implicit) });
    case 'time':
      return new SmtpError({ code: 'ETIMEDOUT', phase, command, hint: timeHint(phase) });
    case 'protocol':
      return new SmtpError({
        code: 'ESERVERSYNC',
        phase,
        command,
        reply,
        cause,
        hint: syncHint(phase, cause),
      });
    case 'shutdown':
      return new SmtpError({ code: 'ESERVERTEMP', phase, command, reply });
  }
}

/** A login that came to nothing. */
export function loginFailure(details: {
  readonly reply?: Reply | undefined;
  readonly command?: string | undefined;
  readonly cause?: Error | undefined;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
}): SmtpError {
  return new SmtpError({ code: 'EAUTH', phase: 'auth', ...details });
}

export const phaseOf = (entry: Entry): Phase => entryKinds[entry.kind].phase;

/** Texts that errors of Node and replies of servers have been seen to carry. */
function connectionHint(cause: Error): string | undefined {
  const code = 'code' in cause ? String(cause.code) : '';
  const hints: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'Nothing listens there: check host and port',
    ENOTFOUND: 'The name has no address: check the host',
    EAI_AGAIN: 'The name could not be looked up just now',
    ENOENT: 'There is no such socket: check the path',
    EACCES: 'Access to the socket is denied',
    ENETUNREACH: 'There is no route to the host',
    EHOSTUNREACH: 'There is no route to the host',
  };
  return hints[code];
}

function shutdownHint(phase: Phase): string | undefined {
  if (phase === 'greeting') {
    return "The peer closed before it greeted: it may expect TLS from the first byte (tls: 'implicit')";
  }
  // a line that never came up has a cause
  return phase === 'connect'
    ? 'The line was idle: connect() again when there is something to send'
    : undefined;
}

function timeHint(phase: Phase): string | undefined {
  return phase === 'greeting'
    ? "The peer said nothing: it may expect TLS from the first byte (tls: 'implicit')"
    : undefined;
}

function syncHint(phase: Phase, cause: Error | undefined): string | undefined {
  const text = cause?.message ?? '';
  if (phase === 'greeting' && /\\x1[56]\\x03/.test(text)) {
    return "The peer seems to expect TLS from the first byte: try tls: 'implicit'";
  }
  if (/HTTP\//.test(text)) return 'The peer speaks HTTP: check the port';
  return undefined;
}

function tlsHint(cause: Error | undefined, implicit: boolean): string | undefined {
  if (cause === undefined) return undefined;
  const code = 'code' in cause ? String(cause.code) : '';
  if (/WRONG_VERSION_NUMBER|packet length too long/i.test(`${code} ${cause.message}`)) {
    return implicit
      ? "The peer does not speak TLS here: try tls: 'always' (STARTTLS) or another port"
      : 'The server said yes to STARTTLS and then spoke no TLS: it, or something before it, is out of order';
  }
  if (/SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/.test(code)) {
    return 'The certificate is not signed by a known authority: give its own in tlsOptions.ca';
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return 'The certificate is for another name: check the host, or give tlsOptions.servername';
  }
  if (code === 'CERT_HAS_EXPIRED') return 'The certificate has expired';
  return undefined;
}

function refusalHint(reply: Reply, phase: Phase): string | undefined {
  if (phase === 'mail' && reply.code === 530) {
    return /TLS/i.test(reply.text)
      ? "The server wants TLS first: use tls: 'always'"
      : 'The server wants a login first: give auth';
  }
  if (phase === 'rcpt' && /relay/i.test(reply.text)) {
    return 'The server does not relay for this client: a login may be needed';
  }
  return undefined;
}
