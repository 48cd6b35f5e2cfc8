/**
 * A transport around another that tells a sink what passes, line by line, made safe for a terminal and without
 * credentials. Of SMTP it knows just enough to hide them: what follows `AUTH`, and all until the server has
 * decided.
 */
import { wrong } from '../checks.ts';
import { printable } from '../errors.ts';
import type { Json } from '../json.ts';
import {
  canWait,
  checkTransport,
  type Target,
  type TlsOptions,
  type Transport,
  type TransportEvent,
  type WaitingTransport,
} from './transport.ts';

export interface Trace {
  readonly direction: 'in' | 'out' | 'event';
  /** A line without its end, secrets masked; or an event in words. */
  readonly text: string;
  /** Octets of the line on the wire, its end included. */
  readonly octets?: number | undefined;
  readonly event?: TransportEvent | undefined;
}

const mask = '****';
/** A longer line is told in pieces. */
const longestLine = 1000;
const decoder = new TextDecoder();

/** Wraps a transport. The sink is called while the calls are made, and must not call the transport. */
export function trace(transport: WaitingTransport, sink: (trace: Trace) => void): WaitingTransport;
export function trace(transport: Transport, sink: (trace: Trace) => void): Transport;
export function trace(transport: Transport, sink: (trace: Trace) => void): Transport {
  checkTransport(transport, 'trace');
  if (typeof sink !== 'function') throw wrong(sink, 'trace.sink', 'a function');
  return new Tracing(transport, sink);
}

class Tracing implements Transport {
  /** Only where the transport under it can. */
  readonly wait?: WaitingTransport['wait'];
  readonly save?: NonNullable<Transport['save']>;
  readonly restore?: NonNullable<Transport['restore']>;
  readonly #inner: Transport;
  readonly #sink: (trace: Trace) => void;
  readonly #veil = new Veil();
  readonly #out: Lines;
  readonly #in: Lines;

  constructor(inner: Transport, sink: (trace: Trace) => void) {
    this.#inner = inner;
    this.#sink = sink;
    const veil = this.#veil;
    this.#out = new Lines((line, octets, first) =>
      sink({ direction: 'out', text: printable(veil.outgoing(line, first), longestLine), octets }),
    );
    this.#in = new Lines((line, octets, first) =>
      sink({ direction: 'in', text: printable(veil.incoming(line, first), longestLine), octets }),
    );
    if (canWait(inner)) this.wait = (timeoutMs) => inner.wait(timeoutMs);
    if (inner.save === undefined) return;
    this.save = (secrets) => ({ login: veil.login, inner: inner.save?.(secrets) });
    // half a line that was not told yet is not told any more
    this.restore = (json, secrets) => {
      const saved = json as { readonly login: boolean; readonly inner: Json };
      veil.login = saved.login;
      inner.restore?.(saved.inner, secrets);
    };
  }

  get onReady(): (() => void) | undefined {
    return this.#inner.onReady;
  }

  set onReady(fn: (() => void) | undefined) {
    this.#inner.onReady = fn;
  }

  open(target: Target): void {
    this.#say(`connect ${target.path ?? `${target.host}:${target.port}`}`);
    this.#veil.reset();
    this.#inner.open(target);
  }

  checkTls(options: TlsOptions): void {
    this.#inner.checkTls?.(options);
  }

  secure(options: TlsOptions): void {
    this.#say(`start TLS${options.servername === undefined ? '' : ` with ${options.servername}`}`);
    this.#inner.secure(options);
  }

  write(bytes: Uint8Array): boolean {
    this.#out.take(bytes);
    return this.#inner.write(bytes);
  }

  close(graceful: boolean): void {
    this.#say(graceful ? 'close' : 'close at once');
    this.#inner.close(graceful);
  }

  poll(): TransportEvent | undefined {
    const event = this.#inner.poll();
    if (event?.type === 'bytes') this.#in.take(event.bytes);
    else if (event !== undefined) this.#say(describe(event), event);
    return event;
  }

  #say(text: string, event?: TransportEvent): void {
    this.#out.flush();
    this.#in.flush();
    this.#sink({ direction: 'event', text: printable(text), ...(event === undefined ? {} : { event }) });
  }
}

/** Cuts bytes into lines. `first` is false for the later pieces of a line that was too long to hold. */
class Lines {
  readonly #tell: (line: string, octets: number, first: boolean) => void;
  #rest: Uint8Array = new Uint8Array(0);
  #first = true;

  constructor(tell: (line: string, octets: number, first: boolean) => void) {
    this.#tell = tell;
  }

  take(bytes: Uint8Array): void {
    let from = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
      this.#hold(bytes.subarray(from, end + 1));
      this.#emit(true);
      from = end + 1;
    }
    if (from < bytes.length) this.#hold(bytes.subarray(from));
    if (this.#rest.length > longestLine) this.#emit(false);
  }

  /** Tells what is there of a line that will not be finished. */
  flush(): void {
    if (this.#rest.length > 0) this.#emit(true);
  }

  #hold(bytes: Uint8Array): void {
    const { length } = this.#rest;
    const joined = new Uint8Array(length + bytes.length);
    joined.set(this.#rest);
    joined.set(bytes, length);
    this.#rest = joined;
  }

  #emit(whole: boolean): void {
    const line = this.#rest;
    const first = this.#first;
    this.#rest = new Uint8Array(0);
    this.#first = whole;
    this.#tell(decoder.decode(line).replace(/\r?\n$/, ''), line.length, first);
  }
}

/** Hides credentials. It hides too much rather than too little: a text line `AUTH x` too. */
class Veil {
  /** From AUTH to the reply that ends it. */
  login = false;

  outgoing(line: string, first: boolean): string {
    if (this.login) return mask;
    const auth = first ? /^(\s*AUTH\s+[\w-]+)(.*)$/is.exec(line) : null;
    if (auth === null) return line;
    this.login = true;
    return auth[2] === '' ? line : `${auth[1]} ${mask}`;
  }

  incoming(line: string, first: boolean): string {
    if (!first) return this.login ? mask : line;
    if (line.startsWith('334')) {
      this.login = true;
      return `334 ${mask}`;
    }
    if (/^\d{3}(?!-)/.test(line)) this.login = false;
    return line;
  }

  reset(): void {
    this.login = false;
  }
}

function describe(event: TransportEvent): string {
  switch (event.type) {
    case 'open':
      return `open ${event.localAddress ?? 'here'} → ${event.remoteAddress ?? 'there'}`;
    case 'secure':
      return `secure ${event.tls.protocol} ${event.tls.cipher}${event.tls.authorized ? '' : ', not verified'}`;
    case 'lost':
      return `lost (${event.during})${event.error === undefined ? '' : `: ${event.error.message}`}`;
    case 'drain':
      return 'drain';
    case 'bytes':
      return 'bytes';
  }
}
