/**
 * Who is at the two ends of a simulated connection: a network that answers calls, a server that has one end of a line,
 * and what can go wrong between. Types, and the check of a fault.
 */
import { amount, checkObject, needed, oneOf } from '../checks.ts';
import type { Clock } from '../clock.ts';
import type { Json } from '../json.ts';
import type { LineShape, PipeFault } from './pipe.ts';
import type { Random } from './random.ts';
import type { ChannelBinding, Target } from './transport.ts';

/** A fault of one line, scripted before it is opened. */
export type LineFault =
  /** Nobody listens: `lost` with ECONNREFUSED. */
  | { readonly kind: 'refuse' }
  /** Nothing ever answers, not even to the call. */
  | { readonly kind: 'unreachable' }
  /** After so many bytes in that direction: silence both ways, a reset, or the server's orderly end. */
  | (PipeFault & { readonly direction: 'toServer' | 'toClient' });

const faultKinds = ['refuse', 'unreachable', 'stall', 'reset', 'end'] as const satisfies LineFault['kind'][];

/** @throws SmtpUsageError EINVAL, naming the option */
export function checkFault(fault: LineFault | undefined, option: string): void {
  if (fault === undefined) return;
  checkObject(fault, option);
  oneOf(needed(fault.kind, `${option}.kind`), faultKinds, `${option}.kind`);
  if (fault.kind === 'refuse' || fault.kind === 'unreachable') return;
  const { after, direction } = fault;
  amount(needed(after, `${option}.after`), `${option}.after`);
  oneOf(needed(direction, `${option}.direction`), ['toServer', 'toClient'], `${option}.direction`);
}

/** How the server's side of a TLS handshake goes. Certificates that do not fit pass only unverified. */
export type Handshake = (typeof handshakes)[number];
export const handshakes = ['ok', 'fail', 'stall', 'wrong-name', 'untrusted'] as const;

/** The server's end of a line. */
export interface SimLine {
  /** 1 for the first line of a network. */
  readonly number: number;
  readonly target: Target;
  readonly clock: Clock;
  readonly secure: boolean;
  /** Both ends have closed, or the client is gone and nothing of what it said is left to be heard. */
  readonly over?: boolean;
  /** What the client's TLS told; undefined before the handshake. */
  readonly servername: string | undefined;
  /** The simulated channel binding, the same on both ends. */
  readonly binding: ChannelBinding;
  /** Strings go out as UTF-8, as they are. False when the client reads too slowly; bytes are taken all the same. */
  write(data: Uint8Array | string): boolean;
  /** Nothing more will be written; the client's bytes still come until it closes. */
  end(): void;
  /** Breaks the line: the client sees ECONNRESET. No further callback. */
  reset(): void;
  /** From now on nothing arrives, at neither end. */
  stall(): void;
  /** Expects the client's handshake next, and lets it end so. */
  startTls(outcome?: Handshake): void;
  /** Stops reading, as a slow server does; what the client writes fills its window. */
  pause(): void;
  resume(): void;
  /** Runs `fn` so many ms later, unless the line is closed by then. */
  after(ms: number, fn: () => void): void;
  onBytes: ((bytes: Uint8Array) => void) | undefined;
  /** The client closed, or the line broke (`error`). */
  onClose: ((error: Error | undefined) => void) | undefined;
  onSecure: (() => void) | undefined;
}

/** Whoever can answer a simulated connection. */
export interface SimServer {
  /** The connection is up. Set the callbacks of the line here. */
  accept(line: SimLine): void;
  /**
   * The connection was restored, after the server itself: set the callbacks, and go on where it stood. A server
   * without this has no open line restored.
   */
  resume?(line: SimLine): void;
  /** What it knows, of its lines too. Logins may be among what it has heard. */
  save?(): Json;
  /** Into a new server, before its lines are restored. */
  restore?(saved: Json): void;
}

/** The answer to a call. */
export interface Call {
  readonly number: number;
  readonly shape: LineShape;
  readonly random: Random;
  readonly server: SimServer | { readonly missing: 'refuse' | 'unreachable' | 'unknown' };
  readonly fault?: LineFault | undefined;
}

/** A network, as far as a transport needs one. */
export interface Exchange {
  readonly clock: Clock;
  dial(target: Target): Call;
  /** Who is at the other end of a line that was dialled before; without this no line is restored. */
  redial?(target: Target): Pick<Call, 'shape' | 'server'>;
}
