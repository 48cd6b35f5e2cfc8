/**
 * A recorded session, one JSON object a line: what {@link record} writes and {@link replay} reads.
 *
 * ```
 * {"smtpump":"recording","format":1}       the first line
 * {"call":"connect","now":…,"args":[…]}    a step, or execute(); what it does follows, calls of listeners too
 * {"poll":{"type":"bytes","bytes":…}}      what the line brought; or {"threw":…} where the transport threw
 * {"random":{"$base64":…}}                 what chance gave
 * {"out":"write","sha256":…,"room":true}   what the client did with its line
 * {"told":"CONNECTED","sha256":…}          an event
 * {"done":"pending"}                       the call has returned; or {"done":…,"threw":"EPERM"}
 * {"end":true}                             the last line
 * ```
 *
 * Times are the clock's. What the client wrote and told stands in it as hashes: it is there for comparison, and logins
 * are among it. Every line has a `seal` over itself and those before it, so that a change is found where it is.
 */
import { createHash } from 'node:crypto';
import { type Json, toJson } from '../json.ts';
import type { Target, TransportEvent } from '../transport/transport.ts';

export const recordingFormat = 1;

/** The calls that a session is made of; others change nothing. */
export const calls = [
  'connect',
  'sendSender',
  'sendRecipient',
  'sendBom',
  'sendBody',
  'sendEom',
  'reset',
  'noop',
  'disconnect',
  'abort',
  'execute',
] as const;
export type CallName = (typeof calls)[number];

export type Line =
  | { readonly smtpump: 'recording'; readonly format: number }
  | { readonly call: CallName; readonly now: number; readonly args: readonly unknown[] }
  | { readonly poll: TransportEvent }
  | { readonly random: Uint8Array }
  | ({ readonly threw?: Error | undefined } & Deed)
  | { readonly told: string; readonly sha256: string }
  | { readonly done: unknown; readonly threw?: string | undefined }
  | { readonly end: true };

/** What the client does with its line, and what came back. */
export type Deed =
  | { readonly out: 'open'; readonly target: Target }
  | { readonly out: 'secure'; readonly servername: string | undefined }
  | { readonly out: 'write'; readonly octets: number; readonly sha256: string; readonly room: boolean }
  | { readonly out: 'close'; readonly graceful: boolean }
  | { readonly out: 'poll' };

/** As much of a client as is needed to record it. */
export interface Recordable {
  on(name: 'event', fn: (event: { readonly name: string }) => void): unknown;
  execute(budget?: number): unknown;
}

/** The chain of seals: each hangs on all lines before. */
export class Sealer {
  #last = '';

  seal(line: Json): string {
    this.#last = sha256(this.#last + JSON.stringify(line)).slice(0, 12);
    return this.#last;
  }
}

export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('base64url');
}

/** Equal events have equal hashes. Errors count by what they say. */
export function hashOf(event: object): string {
  const plain = (_: string, value: unknown): unknown => {
    if (value instanceof Error) return { ...value, message: value.message, cause: value.cause };
    return value instanceof Map ? [...value] : value;
  };
  return sha256(JSON.stringify(event, plain));
}

/** An argument as it is recorded; a target without what may be secret. */
export function argumentToJson(call: CallName, value: unknown): Json {
  if (value === undefined) return { $nothing: true };
  if (value instanceof Date) return { $date: value.getTime() };
  if (call === 'connect' && typeof value === 'object' && value !== null) {
    const { auth: _, tlsOptions: __, ...plain } = { auth: 0, tlsOptions: 0, ...value };
    return toJson(plain);
  }
  if (call === 'sendBom' && typeof value === 'object' && value !== null && 'date' in value) {
    return toJson({
      ...value,
      date: value.date instanceof Date ? { $date: value.date.getTime() } : value.date,
    });
  }
  return toJson(value);
}
