/**
 * A transport around another that cuts, joins, delays and breaks, repeatable by its seed. For tests that ask what
 * happens when the n-th call fails, for every n. It knows no SMTP.
 */
import {
  amount,
  type Checks,
  checkObject,
  checkOptionsOf,
  count,
  finite,
  flag,
  needed,
  objectWith,
  oneOf,
} from '../checks.ts';
import type { Clock } from '../clock.ts';
import { SmtpUsageError } from '../errors.ts';
import { fromJson, type Json, toJson } from '../json.ts';
import { Alarm } from './alarm.ts';
import { clearBytes, LineError } from './line-error.ts';
import { joinBytes } from './pipe.ts';
import { Random } from './random.ts';
import {
  canWait,
  checkTransport,
  type Target,
  type TlsOptions,
  type Transport,
  type TransportEvent,
  type WaitingTransport,
} from './transport.ts';

/** Which call fails. A `poll` counts when it brings something. */
export interface FaultPoint {
  readonly call: 'open' | 'secure' | 'write' | 'poll';
  /** From 1, over the life of the transport. */
  readonly n: number;
  /** @default ECONNRESET */
  readonly error?: Error | undefined;
}

export interface FaultOptions {
  /** @default 1 */
  readonly seed?: number | undefined;
  /** Needed for `delay`. */
  readonly clock?: Clock | undefined;
  /** Cut what is written and read at random places. @default false */
  readonly cut?: boolean | undefined;
  /** Join what was read and waits. @default false */
  readonly join?: boolean | undefined;
  /** Hold back each arrival for up to so many ms. @default 0 */
  readonly delay?: number | undefined;
  readonly failAt?: FaultPoint | undefined;
}

const checks: Checks<FaultOptions> = {
  seed: finite,
  clock: objectWith('now'),
  cut: flag,
  join: flag,
  delay: amount,
  failAt(point, option) {
    if (point === undefined) return;
    checkObject(point, option);
    oneOf(needed(point.call, `${option}.call`), ['open', 'secure', 'write', 'poll'], `${option}.call`);
    count(needed(point.n, `${option}.n`), `${option}.n`, 1);
  },
};

/** Wraps a transport. At the fault the line under it is cut, and `lost` is the next event. */
export function withFaults(transport: WaitingTransport, options?: FaultOptions): WaitingTransport;
export function withFaults(transport: Transport, options?: FaultOptions): Transport;
export function withFaults(transport: Transport, options: FaultOptions = {}): Transport {
  checkTransport(transport, 'withFaults');
  checkOptionsOf(options, checks, 'withFaults');
  if ((options.delay ?? 0) > 0 && options.clock === undefined)
    throw new SmtpUsageError('EINVAL', 'delay needs a clock', 'withFaults.clock');
  return new Faulty(transport, options);
}

interface Held {
  readonly at: number;
  readonly event: TransportEvent;
}

type Saved = ReturnType<Faulty['saveOwn']>;

class Faulty implements Transport {
  onReady: (() => void) | undefined;
  /** Only where the transport under it can. */
  readonly wait?: WaitingTransport['wait'];
  readonly save?: NonNullable<Transport['save']>;
  readonly restore?: NonNullable<Transport['restore']>;
  readonly #inner: Transport;
  readonly #options: FaultOptions;
  readonly #random: Random;
  readonly #alarm: Alarm | undefined;
  readonly #calls: Record<FaultPoint['call'], number> = { open: 0, secure: 0, write: 0, poll: 0 };
  #held: Held[] = [];
  #lastAt = Number.NEGATIVE_INFINITY;
  #broken = false;
  #phase: 'open' | 'secure' | 'line' = 'line';

  constructor(inner: Transport, options: FaultOptions) {
    this.#inner = inner;
    this.#options = options;
    this.#random = new Random(options.seed ?? 1);
    const { clock } = options;
    this.#alarm = clock === undefined ? undefined : new Alarm(clock, () => this.onReady?.());
    inner.onReady = () => this.#arrived();
    if (canWait(inner)) {
      this.wait = (timeoutMs) => this.#isDue || inner.wait(Math.min(timeoutMs, this.#heldMs)) || this.#isDue;
    }
    if (inner.save === undefined) return;
    this.save = (secrets) => ({ own: toJson(this.saveOwn()), inner: inner.save?.(secrets) });
    this.restore = (json, secrets) => {
      // made by `save`: what it came from is sealed
      const { own, inner: saved } = json as { readonly own: Json; readonly inner: Json };
      this.#load(fromJson(own) as Saved);
      inner.restore?.(saved, secrets);
    };
  }

  saveOwn() {
    const held = this.#held.map(({ at, event }) => ({ left: at - this.#now(), event }));
    return {
      held,
      calls: this.#calls,
      broken: this.#broken,
      phase: this.#phase,
      lastLeft: this.#lastAt - this.#now(),
      random: this.#random.save(),
    };
  }

  #load({ calls, broken, phase, held, lastLeft, random }: Saved): void {
    Object.assign(this.#calls, calls);
    this.#broken = broken;
    this.#phase = phase;
    this.#held = held.map(({ left, event }) => ({ at: this.#now() + left, event: eventAgain(event) }));
    this.#lastAt = this.#now() + lastLeft;
    this.#random.load(random);
    const [first] = this.#held;
    if (first !== undefined) this.#alarm?.set(first.at);
  }

  open(target: Target): void {
    this.#forget();
    this.#phase = 'open';
    this.#inner.open(target);
    if (this.#strikes('open')) this.#break();
  }

  checkTls(options: TlsOptions): void {
    this.#inner.checkTls?.(options);
  }

  secure(options: TlsOptions): void {
    if (this.#broken) return;
    this.#phase = 'secure';
    // What is held back has arrived, as far as the handshake is concerned.
    if (this.#strikes('secure')) this.#break();
    else if (this.#held.some(({ event }) => event.type === 'bytes')) this.#break(clearBytes());
    else this.#inner.secure(options);
  }

  write(bytes: Uint8Array): boolean {
    if (this.#broken) return true;
    if (this.#strikes('write')) {
      this.#break();
      return true;
    }
    let room = true;
    for (const piece of this.#cut(bytes)) room = this.#inner.write(piece);
    return room;
  }

  close(graceful: boolean): void {
    this.#forget();
    this.#inner.close(graceful);
  }

  poll(): TransportEvent | undefined {
    this.#fetch();
    const first = this.#held[0];
    if (first === undefined) return undefined;
    if (first.at > this.#now()) {
      this.#alarm?.set(first.at);
      return undefined;
    }
    if (!this.#broken && this.#strikes('poll')) {
      this.#break();
      return this.poll();
    }
    this.#held.shift();
    const event = this.#options.join === true ? this.#joined(first.event) : first.event;
    if (event.type === 'open' || event.type === 'secure') this.#phase = 'line';
    return event;
  }

  /** Everything that the line has for us goes through our own queue. */
  #fetch(): void {
    if (this.#broken) return;
    for (let event = this.#inner.poll(); event !== undefined; event = this.#inner.poll()) {
      const { delay = 0 } = this.#options;
      if (delay > 0)
        this.#lastAt = Math.max(this.#lastAt, this.#now() + Math.floor(this.#random.next() * (delay + 1)));
      if (event.type !== 'bytes') this.#held.push({ at: this.#lastAt, event });
      else
        for (const bytes of this.#cut(event.bytes))
          this.#held.push({ at: this.#lastAt, event: { type: 'bytes', bytes } });
    }
  }

  #joined(event: TransportEvent): TransportEvent {
    if (event.type !== 'bytes') return event;
    const parts = [event.bytes];
    for (let next = this.#held[0]; next !== undefined; next = this.#held[0]) {
      if (next.event.type !== 'bytes' || next.at > this.#now() || this.#random.chance(0.25)) break;
      parts.push(next.event.bytes);
      this.#held.shift();
    }
    return parts.length === 1 ? event : { type: 'bytes', bytes: joinBytes(parts) };
  }

  #cut(bytes: Uint8Array): Uint8Array[] {
    if (this.#options.cut !== true || bytes.length < 2) return [bytes];
    const pieces: Uint8Array[] = [];
    for (let from = 0; from < bytes.length; ) {
      const to = from + 1 + this.#random.int(bytes.length - from);
      pieces.push(bytes.subarray(from, to));
      from = to;
    }
    return pieces;
  }

  #strikes(call: FaultPoint['call']): boolean {
    const { failAt } = this.#options;
    this.#calls[call]++;
    return failAt !== undefined && failAt.call === call && failAt.n === this.#calls[call];
  }

  #break(
    error: Error = this.#options.failAt?.error ?? new LineError('ECONNRESET', 'an injected fault'),
  ): void {
    this.#inner.close(false);
    this.#broken = true;
    this.#held = [{ at: 0, event: { type: 'lost', during: this.#phase, error } }];
    this.#alarm?.set(this.#now());
  }

  #arrived(): void {
    this.onReady?.();
  }

  #now(): number {
    return this.#options.clock?.now() ?? 0;
  }

  /** How long the next event is still held back. */
  get #heldMs(): number {
    const [first] = this.#held;
    return first === undefined ? Number.POSITIVE_INFINITY : Math.max(0, first.at - this.#now());
  }

  get #isDue(): boolean {
    return this.#heldMs === 0;
  }

  #forget(): void {
    this.#held = [];
    this.#broken = false;
    this.#lastAt = Number.NEGATIVE_INFINITY;
    this.#alarm?.cancel();
  }
}

function eventAgain(saved: TransportEvent): TransportEvent {
  return 'error' in saved && saved.error !== undefined
    ? { ...saved, error: LineError.again(saved.error) }
    : saved;
}
