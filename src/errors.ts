/**
 * What can go wrong, in two families that never mix: misuse by the caller throws {@link SmtpUsageError} at once;
 * the world's failures are events and results that carry an {@link SmtpError}.
 * This file knows replies only by their shape, and no other part of the package.
 */

/** Codes of misuse: a wrong value, a step out of order, a thing the server does not offer. */
export type UsageCode = 'EINVAL' | 'EPERM' | 'EISCONN' | 'ENOTCONN' | 'EUNSUPPORTED';

/** Codes of the world's failures. `EUNSUPPORTED` is among them for steps that were called ahead. */
export type FailureCode =
  | 'ESERVERPERM'
  | 'ESERVERTEMP'
  | 'ESERVERSYNC'
  | 'ETIMEDOUT'
  | 'ESHUTDOWN'
  | 'ECONNECTION'
  | 'ETLS'
  | 'EAUTH'
  | 'EABORTED'
  | 'EUNSUPPORTED';

export type ErrorCode = UsageCode | FailureCode;

/**
 * What the connection was doing when the failure came: the command that was due, or what else was awaited. `connect` is
 * also the phase of a line that is up and has nothing to do; `body`, where the caller's next piece is awaited.
 */
export type Phase =
  | 'connect'
  | 'tls'
  | 'greeting'
  | 'ehlo'
  | 'starttls'
  | 'auth'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'body'
  | 'verdict'
  | 'rset'
  | 'noop'
  | 'quit';

/** The shape of a server reply as errors carry it (RFC 5321 §4.2). */
export interface ReplyLike {
  readonly code: number;
  readonly enhanced?: readonly [number, number, number] | undefined;
  readonly lines: readonly string[];
  readonly text: string;
}

const texts: Readonly<Record<ErrorCode, string>> = {
  EINVAL: 'invalid value',
  EPERM: 'step out of order',
  EISCONN: 'already connected',
  ENOTCONN: 'not connected',
  EUNSUPPORTED: 'not offered by the server',
  ESERVERPERM: 'the server refused for good',
  ESERVERTEMP: 'the server refused for now',
  ESERVERSYNC: 'the server broke the protocol',
  ETIMEDOUT: 'the time limit ran out',
  ESHUTDOWN: 'the server closed the connection',
  ECONNECTION: 'the connection failed',
  ETLS: 'TLS could not be negotiated',
  EAUTH: 'the login failed',
  EABORTED: 'given up by the caller',
};

/** A short English text for a code. */
export function describeCode(code: ErrorCode): string {
  return texts[code];
}

/** Thrown at once by a step, a constructor or an option: the caller can mend it. Nothing was sent. */
export class SmtpUsageError extends Error {
  override readonly name = 'SmtpUsageError';
  readonly code: UsageCode;
  /** The option or argument that is wrong, for example `sender.address`. */
  readonly option: string | undefined;

  constructor(code: UsageCode, message: string, option?: string) {
    super(option === undefined ? message : `${option}: ${message}`);
    this.code = code;
    this.option = option;
  }
}

export interface SmtpErrorDetails {
  readonly code: FailureCode;
  readonly phase: Phase;
  readonly reply?: ReplyLike | undefined;
  /** The command line that failed, secrets masked. */
  readonly command?: string | undefined;
  readonly cause?: unknown;
  /** What the reader may try, in one sentence. */
  readonly hint?: string | undefined;
  /** What happened, where the code's own text says too little. */
  readonly detail?: string | undefined;
  /** @default true for ESERVERTEMP, ETIMEDOUT, ESHUTDOWN and ECONNECTION */
  readonly retryable?: boolean | undefined;
}

const retryableCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ESERVERTEMP',
  'ETIMEDOUT',
  'ESHUTDOWN',
  'ECONNECTION',
]);

/** A failure of the world: server, network, time. Carried by events and results, never thrown by a step. */
export class SmtpError extends Error {
  override readonly name = 'SmtpError';
  readonly code: FailureCode;
  /** What the connection was doing; `connect` also where it was idle. */
  readonly phase: Phase;
  readonly reply: ReplyLike | undefined;
  readonly command: string | undefined;
  /** May the same attempt succeed later? */
  readonly retryable: boolean;
  readonly hint: string | undefined;

  constructor(details: SmtpErrorDetails) {
    super(sentence(details), details.cause === undefined ? undefined : { cause: details.cause });
    this.code = details.code;
    this.phase = details.phase;
    this.reply = details.reply;
    this.command = details.command;
    this.hint = details.hint;
    this.retryable = details.retryable ?? retryableCodes.has(details.code);
  }
}

/** `mail: the server refused for good (ESERVERPERM): 550 5.1.8 no such sender. Command: MAIL FROM:<a@b>. Hint.` */
function sentence(details: SmtpErrorDetails): string {
  const { code, phase, reply, command, hint, cause } = details;
  let text = `${phase}: ${printable(details.detail ?? describeCode(code))} (${code})`;
  if (reply !== undefined) text += `: ${reply.code} ${printable(reply.text)}`;
  else if (details.detail === undefined && cause instanceof Error && cause.message !== '')
    text += `: ${printable(cause.message)}`;
  if (command !== undefined) text += `. Command: ${printable(command)}`;
  if (hint !== undefined) text += `. ${hint}`;
  return text;
}

/**
 * Makes foreign text safe for a terminal or a log: line ends become spaces, control characters and those that turn the
 * reading direction or cannot be seen become `\xNN` or `\u{NNNN}`, and the length is bounded.
 */
export function printable(text: string, limit = 500): string {
  const cut = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return cut.replace(/\r?\n/g, ' ').replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escaped);
}

function escaped(character: string): string {
  const point = (character.codePointAt(0) ?? 0).toString(16);
  return point.length <= 2 ? `\\x${point.padStart(2, '0')}` : `\\u{${point}}`;
}

/** Whatever was thrown, as an error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
