/**
 * One direction of a simulated line: what goes in comes out in order, later, cut or joined. It knows when a parcel
 * arrives, and not what it means.
 */
import { amount, type Checks, flag } from '../checks.ts';
import type { Clock } from '../clock.ts';
import { LineError } from './line-error.ts';
import { type Masked, mask, unmask } from './mask.ts';
import type { Random } from './random.ts';
import type { TlsInfo, TlsOptions } from './transport.ts';

/** How a simulated line behaves. */
export interface LineShape {
  /** One way, ms. @default 0 */
  readonly latencyMs?: number | undefined;
  /** Up to so many ms more, at random; the order is kept. @default 0 */
  readonly jitterMs?: number | undefined;
  /** Each way. @default Infinity */
  readonly bytesPerSecond?: number | undefined;
  /** Cut what is written at random places. @default false */
  readonly cut?: boolean | undefined;
  /** Hand over as one what has arrived; with `cut` only sometimes. @default false */
  readonly join?: boolean | undefined;
  /** Unread bytes beyond which a writer is told to wait. @default 65536 */
  readonly windowBytes?: number | undefined;
  /** Longest piece that arrives at once. @default 16384 on a line of finite speed, else Infinity */
  readonly segmentBytes?: number | undefined;
}

export const shapeChecks: Checks<LineShape> = {
  latencyMs: amount,
  jitterMs: amount,
  bytesPerSecond: amount,
  cut: flag,
  join: flag,
  windowBytes: amount,
  segmentBytes: amount,
};

/** What happens to the line once `after` bytes have passed in that direction. */
export interface PipeFault {
  readonly kind: 'stall' | 'reset' | 'end';
  /** Bytes that still pass; 0 = right after the connection is up. */
  readonly after: number;
}

/** What a server can see of the client's TLS options. */
export type HelloOptions = Pick<TlsOptions, 'servername' | 'rejectUnauthorized'>;

export interface BytesParcel {
  readonly type: 'bytes';
  readonly bytes: Uint8Array;
  /** All that was written at once, `bytes` among it. */
  readonly written: Uint8Array;
  /** Was it written under TLS? */
  readonly secure: boolean;
}

/** Everything but bytes. */
export type Mark =
  | { readonly type: 'accept' }
  | { readonly type: 'open' }
  | { readonly type: 'refused'; readonly error: Error }
  | { readonly type: 'hello'; readonly options: HelloOptions }
  | { readonly type: 'tls'; readonly tls: TlsInfo }
  | { readonly type: 'fin' }
  | { readonly type: 'reset'; readonly error: Error }
  | { readonly type: 'fault'; readonly kind: PipeFault['kind'] };

export type Parcel = BytesParcel | Mark;

interface Travelling {
  readonly at: number;
  readonly parcel: Parcel;
}

const defaultWindowBytes = 65_536;
const defaultSegmentBytes = 16_384;

export class Pipe {
  /** Called when something was put in. */
  onQueued: (() => void) | undefined;
  readonly windowBytes: number;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #shape: LineShape;
  readonly #segmentBytes: number;
  readonly #fault: PipeFault | undefined;
  #queue: Travelling[] = [];
  #head = 0;
  #unread = 0;
  #sent = 0;
  /** When the last byte written has left, and when the last parcel arrives. */
  #freeAt = Number.NEGATIVE_INFINITY;
  #lastAt = Number.NEGATIVE_INFINITY;
  #failed = false;
  /** Nothing more is put in; with `#closed` it is not even counted. */
  #shut = false;
  #closed = false;

  constructor(clock: Clock, random: Random, shape: LineShape, fault?: PipeFault) {
    this.#clock = clock;
    this.#random = random;
    this.#shape = shape;
    this.#fault = fault;
    this.windowBytes = shape.windowBytes ?? defaultWindowBytes;
    const slow = (shape.bytesPerSecond ?? Number.POSITIVE_INFINITY) !== Number.POSITIVE_INFINITY;
    this.#segmentBytes = shape.segmentBytes ?? (slow ? defaultSegmentBytes : Number.POSITIVE_INFINITY);
  }

  /** Bytes written and not yet taken. */
  get unread(): number {
    return this.#unread;
  }

  get full(): boolean {
    return this.#unread > this.windowBytes;
  }

  /** Has the pipe room enough for a writer that was told to wait? */
  get roomy(): boolean {
    return this.#unread <= this.windowBytes / 2;
  }

  /** The reader is gone. */
  get closed(): boolean {
    return this.#closed;
  }

  /** When the next parcel arrives, or Infinity. */
  get nextAt(): number {
    return this.#queue[this.#head]?.at ?? Number.POSITIVE_INFINITY;
  }

  /** @param extraMs beyond the latency, for what takes more than one way */
  send(mark: Mark, extraMs = 0): void {
    if (this.#shut) return;
    this.#put(mark, Math.max(this.#clock.now(), this.#freeAt) + extraMs);
    this.#failIfDue();
    this.onQueued?.();
  }

  /** Takes the bytes; false when the writer should wait. */
  write(bytes: Uint8Array, secure: boolean): boolean {
    if (this.#closed) return true;
    this.#unread += bytes.length;
    if (this.#shut || bytes.length === 0) return !this.full;
    const allowed = this.#fault === undefined || this.#failed ? bytes.length : this.#fault.after - this.#sent;
    if (allowed >= bytes.length) this.#pieces(bytes, bytes, secure);
    else if (allowed > 0) this.#pieces(bytes.subarray(0, allowed), bytes, secure);
    this.#failIfDue();
    if (allowed < bytes.length && !this.#shut) this.#pieces(bytes.subarray(allowed), bytes, secure);
    this.onQueued?.();
    return !this.full;
  }

  /** The oldest parcel that has arrived. */
  take(): Parcel | undefined {
    const now = this.#clock.now();
    const first = this.#queue[this.#head];
    if (first === undefined || first.at > now) return undefined;
    this.#step();
    if (first.parcel.type !== 'bytes') return first.parcel;
    const parcel = this.#shape.join === true ? this.#joined(first.parcel, now) : first.parcel;
    this.#unread -= parcel.bytes.length;
    return parcel;
  }

  /** @param secrets octets that may be in it, and are not to be saved */
  save(secrets: readonly Uint8Array[]) {
    const now = this.#clock.now();
    const queue = this.#queue.slice(this.#head).map(({ at, parcel }) => ({
      left: at - now,
      parcel: saveParcel(parcel, secrets),
    }));
    return {
      queue,
      unread: this.#unread,
      sent: this.#sent,
      freeLeft: this.#freeAt - now,
      lastLeft: this.#lastAt - now,
      failed: this.#failed,
      shut: this.#shut,
      closed: this.#closed,
    };
  }

  load(saved: ReturnType<Pipe['save']>, secrets: () => readonly Uint8Array[]): void {
    const now = this.#clock.now();
    this.#queue = saved.queue.map(({ left, parcel }) => ({
      at: now + left,
      parcel: loadParcel(parcel, secrets),
    }));
    this.#unread = saved.unread;
    this.#sent = saved.sent;
    this.#freeAt = now + saved.freeLeft;
    this.#lastAt = now + saved.lastLeft;
    this.#failed = saved.failed;
    this.#shut = saved.shut;
    this.#closed = saved.closed;
  }

  /** Nothing more ever arrives; what is written counts as unread for good. */
  stall(): void {
    this.#shut = true;
    this.#queue = [];
    this.#head = 0;
  }

  /** The reader is gone: what waits and what is still written is thrown away, and nobody has to wait. */
  close(): void {
    this.stall();
    this.#closed = true;
    this.#unread = 0;
  }

  #pieces(bytes: Uint8Array, written: Uint8Array, secure: boolean): void {
    const speed = this.#shape.bytesPerSecond ?? Number.POSITIVE_INFINITY;
    for (let from = 0; from < bytes.length; ) {
      const rest = Math.min(bytes.length - from, this.#segmentBytes);
      const length = this.#shape.cut === true ? 1 + this.#random.int(rest) : rest;
      this.#freeAt = Math.max(this.#clock.now(), this.#freeAt) + (length / speed) * 1000;
      const piece = length === bytes.length ? bytes : bytes.subarray(from, from + length);
      this.#put({ type: 'bytes', bytes: piece, written, secure }, this.#freeAt);
      from += length;
    }
    this.#sent += bytes.length;
  }

  #put(parcel: Parcel, leavesAt: number): void {
    const { latencyMs = 0, jitterMs = 0 } = this.#shape;
    const jitter = jitterMs > 0 ? this.#random.next() * jitterMs : 0;
    this.#lastAt = Math.max(this.#lastAt, leavesAt + latencyMs + jitter);
    this.#queue.push({ at: this.#lastAt, parcel });
  }

  #failIfDue(): void {
    if (this.#fault === undefined || this.#failed || this.#shut || this.#sent < this.#fault.after) return;
    this.#put({ type: 'fault', kind: this.#fault.kind }, this.#freeAt);
    this.#failed = true;
    // After an orderly end the other direction's reader may still be heard.
    this.#shut = this.#fault.kind !== 'end';
  }

  #step(): void {
    this.#head++;
    if (this.#head === this.#queue.length) {
      this.#queue.length = 0;
      this.#head = 0;
    } else if (this.#head > 64 && this.#head * 2 > this.#queue.length) {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
    }
  }

  #joined(first: BytesParcel, now: number): BytesParcel {
    const parts = [first.bytes];
    for (;;) {
      const next = this.#queue[this.#head];
      if (next === undefined || next.at > now || next.parcel.type !== 'bytes') break;
      if (next.parcel.secure !== first.secure) break;
      if (this.#shape.cut === true && this.#random.chance(0.5)) break;
      parts.push(next.parcel.bytes);
      this.#step();
    }
    return parts.length === 1 ? first : { ...first, bytes: joinBytes(parts) };
  }
}

function saveParcel(parcel: Parcel, secrets: readonly Uint8Array[]) {
  if (parcel.type !== 'bytes') return parcel;
  const { type, bytes, secure } = parcel;
  return { type, bytes: mask(bytes, parcel.written, secrets), secure };
}

type SavedParcel = Mark | { readonly type: 'bytes'; readonly bytes: Masked; readonly secure: boolean };

function loadParcel(saved: SavedParcel, secrets: () => readonly Uint8Array[]): Parcel {
  if (saved.type === 'bytes') return { ...saved, ...unmask(saved.bytes, secrets) };
  return 'error' in saved ? { ...saved, error: LineError.again(saved.error) } : saved;
}

/** One array out of many. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
