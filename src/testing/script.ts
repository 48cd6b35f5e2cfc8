/**
 * The words between a scripted server and the test that writes its script: what the client said, what to answer, what
 * was recorded. Types, and their reading; nothing of lines or time.
 */
import { amount, type Checks, callable, checkObject, finite, flag, oneOf, wrong } from '../checks.ts';
import { type Handshake, handshakes } from '../transport/exchange.ts';
import type { ServerAuth } from './sasl-server.ts';
import type { ServerSession } from './session.ts';

export interface ServerCommand {
  /**
   * In upper case; besides the verbs of RFC 5321 `CONNECT` (the greeting is due), `CONTENT` (the verdict on a message
   * after DATA; in LMTP once for each recipient) and `RESPONSE` (the client's answer to a 334). The verdict on a
   * message sent in chunks belongs to `BDAT` with `last`, in LMTP too.
   */
  readonly verb: string;
  /** As received, without CRLF; empty for CONNECT and CONTENT. */
  readonly line: string;
  /** What follows the verb. */
  readonly argument: string;
  /** Of MAIL and RCPT, without brackets; in LMTP of a verdict. */
  readonly address?: string | undefined;
  /** Of MAIL and RCPT, keywords in upper case; '' where there is no value. */
  readonly parameters: Readonly<Record<string, string>>;
  /** The BDAT that ends the message. */
  readonly last?: boolean | undefined;
}

/** An answer and what comes with it. */
export interface ReplyPlan {
  readonly reply?: string | readonly string[] | undefined;
  /** Octets as they are, no CRLF added; in place of `reply`. */
  readonly raw?: string | Uint8Array | undefined;
  /** Alone: the server's own answer, that much later. */
  readonly delayMs?: number | undefined;
  /** Afterwards: close in an orderly way, break the line, or never answer again. */
  readonly drop?: boolean | undefined;
  readonly reset?: boolean | undefined;
  readonly stall?: boolean | undefined;
}

/** A reply without CRLF; an array is one reply of several lines (`-` is filled in). */
export type ScriptedReply = string | readonly string[] | ReplyPlan;

export interface ServerRecipient {
  readonly address: string;
  readonly parameters: Readonly<Record<string, string>>;
}

export interface ServerMessage {
  readonly from: string;
  /** Recipients for whom it was accepted. */
  readonly to: readonly string[];
  readonly parameters: Readonly<Record<string, string>>;
  readonly recipients: readonly ServerRecipient[];
  /** Dots unstuffed, chunks joined. */
  readonly data: Uint8Array;
  readonly secure: boolean;
  /** How it came. */
  readonly by: 'DATA' | 'BDAT';
  /** Who was logged in. */
  readonly user: string | undefined;
  /** The number of the connection, from 1. */
  readonly connection: number;
}

export interface ServerOptions {
  /** @default '220 mx.example.test ESMTP' */
  readonly greeting?: string | readonly string[] | undefined;
  /** Without STARTTLS and AUTH, which follow from `tls` and `auth`. @default {@link politeExtensions} */
  readonly extensions?: readonly string[] | ((session: ServerSession) => readonly string[]) | undefined;
  /** LHLO, and a verdict for each recipient (RFC 2033). @default false */
  readonly lmtp?: boolean | undefined;
  /** @default 'none' */
  readonly tls?: 'none' | 'starttls' | 'implicit' | undefined;
  /** How the handshake goes. @default 'ok' */
  readonly handshake?: Handshake | undefined;
  readonly auth?: ServerAuth | undefined;
  /**
   * Answers in place of the server; undefined leaves the answer to it, which is `own`. What the server does follows
   * the code: a 2xx or 3xx is carried out, another is not.
   */
  readonly reply?:
    | ((
        command: ServerCommand,
        session: ServerSession,
        own: string | readonly string[],
      ) => ScriptedReply | undefined)
    | undefined;
  /** Time to think before each reply, ms. @default 0 */
  readonly delayMs?: number | undefined;
  /** Keep what was said. Turn it off for millions of messages. @default true */
  readonly record?: boolean | undefined;
  /** For nonces. @default 1 */
  readonly seed?: number | undefined;
}

export const serverChecks: Checks<ServerOptions> = {
  greeting: reply,
  extensions: (given, option) => typeof given === 'function' || reply(given, option),
  lmtp: flag,
  tls: (tls, option) => oneOf(tls, ['none', 'starttls', 'implicit'], option),
  handshake: (handshake, option) => oneOf(handshake, handshakes, option),
  auth: (auth, option) => auth === undefined || checkObject(auth, option),
  reply: callable,
  delayMs: amount,
  record: flag,
  seed: finite,
};

function reply(given: string | readonly string[] | undefined, option: string): void {
  if (given === undefined || typeof given === 'string' || isLines(given)) return;
  throw wrong(given, option, 'a text or a list of texts');
}

export const politeExtensions: readonly string[] = [
  'PIPELINING',
  '8BITMIME',
  'SMTPUTF8',
  'SIZE 52428800',
  'ENHANCEDSTATUSCODES',
  'DSN',
];

/** Commands that must be the last of a group (RFC 2920 §3.1; RFC 3207 §4.3; RFC 4954 §4). */
export const barriers: ReadonlySet<string> = new Set(
  'EHLO HELO LHLO DATA STARTTLS AUTH RESPONSE NOOP VRFY EXPN ETRN QUIT'.split(' '),
);
/** RFC 5321 §4.5.3.1.4, with room for the parameters of extensions and long tokens. */
export const longestLine = 65_536;

/** Parameters that only an announced extension allows. */
export const extensionOf: Readonly<Record<string, string>> = {
  SIZE: 'SIZE',
  BODY: '8BITMIME',
  SMTPUTF8: 'SMTPUTF8',
  RET: 'DSN',
  ENVID: 'DSN',
  NOTIFY: 'DSN',
  ORCPT: 'DSN',
  BY: 'DELIVERBY',
  REQUIRETLS: 'REQUIRETLS',
  'MT-PRIORITY': 'MT-PRIORITY',
};

/** A scripted reply in its long form. */
export function planOf(scripted: ScriptedReply | undefined, own: ReplyPlan['reply']): ReplyPlan {
  if (scripted === undefined) return { reply: own };
  if (typeof scripted === 'string' || isLines(scripted)) return { reply: scripted };
  const { delayMs, ...rest } = scripted;
  return Object.keys(rest).length === 0 ? { reply: own, delayMs } : scripted;
}

/** The lines of a reply, with `-` in all but the last where the script wrote a blank. */
export function replyLines(reply: string | readonly string[]): readonly string[] {
  if (typeof reply === 'string') return [reply];
  return reply.map((line, i) =>
    i < reply.length - 1 && /^\d{3} /.test(line) ? `${line.slice(0, 3)}-${line.slice(4)}` : line,
  );
}

/** An address in brackets and its parameters, after `FROM:` or `TO:`; undefined when it is none. */
export function parsePath(text: string): { address: string; parameters: Record<string, string> } | undefined {
  const start = /^ ?</.exec(text);
  if (start === null) return undefined;
  let end = start[0].length;
  for (let quoted = false; end < text.length && (quoted || text[end] !== '>'); end++) {
    if (text[end] === '"') quoted = !quoted;
    else if (quoted && text[end] === '\\') end++;
  }
  if (text[end] !== '>') return undefined;
  const parameters: Record<string, string> = {};
  for (const word of text.slice(end + 1).split(' ')) {
    if (word === '') continue;
    const equals = word.indexOf('=');
    const keyword = (equals < 0 ? word : word.slice(0, equals)).toUpperCase();
    parameters[keyword] = equals < 0 ? '' : word.slice(equals + 1);
  }
  return { address: text.slice(start[0].length, end), parameters };
}

function isLines(reply: readonly string[] | ReplyPlan): reply is readonly string[] {
  return Array.isArray(reply);
}

/** The code of the last line that has one. */
export function codeOf(text: string): number {
  const codes = text.split('\n').flatMap((line) => (/^\d{3}/.test(line) ? [Number(line.slice(0, 3))] : []));
  return codes.at(-1) ?? 0;
}
