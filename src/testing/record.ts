/**
 * Records a session over any transport: the caller's steps, what came over the line, chance and time. The format is in
 * recording.ts. No credential is written.
 */
import type { Clock } from '../clock.ts';
import { fromJson, type Json, toJson } from '../json.ts';
import type { Target, TlsOptions, Transport, TransportEvent } from '../transport/transport.ts';
import {
  argumentToJson,
  type CallName,
  calls,
  type Deed,
  hashOf,
  type Line,
  type Recordable,
  recordingFormat,
  Sealer,
  sha256,
} from './recording.ts';

/** What a client is to be made with, so that it can be recorded or replayed. */
export interface RecordingParts {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: (bytes: number) => Uint8Array;
}

export interface RecordOptions extends RecordingParts {
  /** Gets each line, without its end, at once. @default they are kept for {@link Recording.text} */
  readonly write?: ((line: string) => void) | undefined;
}

export interface Recording<C> {
  /** The client that was made: use it as any other. */
  readonly client: C;
  /** The lines so far, unless `write` takes them. */
  readonly text: string;
  /** Writes the last line; what happens later is not recorded. */
  end(): void;
}

/**
 * Makes a client that records all it does.
 *
 * ```ts
 * const recording = record((parts) => new SmtpClient({ ...options, ...parts }), { transport: tcp(), clock, random });
 * ```
 * A token that is fetched must be there at once.
 */
export function record<C extends Recordable>(
  make: (parts: RecordingParts) => C,
  { transport, clock, random, write }: RecordOptions,
): Recording<C> {
  const tape = new Tape(clock, write);
  const client = make({
    transport: new RecordedTransport(transport, tape),
    clock: tape.clock,
    random(bytes) {
      const octets = random(bytes);
      tape.write({ random: octets });
      return octets;
    },
  });
  client.on('event', (event) => tape.write({ told: event.name, sha256: hashOf(event) }));
  for (const name of calls) tape.watch(client, name);
  return {
    client,
    get text() {
      return tape.text;
    },
    end: () => tape.end(),
  };
}

class Tape {
  readonly clock: Clock;
  readonly #inner: Clock;
  readonly #sink: ((line: string) => void) | undefined;
  readonly #sealer = new Sealer();
  readonly #lines: string[] = [];
  /** The time stands still while a call goes on. */
  #now: number | undefined;
  #ended = false;

  constructor(clock: Clock, sink: ((line: string) => void) | undefined) {
    this.#inner = clock;
    this.#sink = sink;
    const now = (): number => this.#now ?? clock.now();
    this.clock = { now, ...(clock.wake && { wake: clock.wake.bind(clock) }) };
    this.write({ smtpump: 'recording', format: recordingFormat });
  }

  get text(): string {
    return this.#lines.map((line) => `${line}\n`).join('');
  }

  write(line: Line): void {
    if (this.#ended) return;
    const json = toJson(line);
    const text = JSON.stringify({ ...Object(json), seal: this.#sealer.seal(json) });
    if (this.#sink === undefined) this.#lines.push(text);
    else this.#sink(text);
  }

  end(): void {
    this.write({ end: true });
    this.#ended = true;
  }

  /** Puts itself before the client's method. */
  watch(client: Recordable, name: CallName): void {
    const method: unknown = Reflect.get(client, name);
    if (typeof method !== 'function') return;
    const value = (...args: unknown[]): unknown =>
      this.#call(name, args, () => Reflect.apply(method, client, args));
    Object.defineProperty(client, name, { value, configurable: true, writable: true });
  }

  #call(name: CallName, args: readonly unknown[], run: () => unknown): unknown {
    const outer = this.#now;
    this.#now ??= this.#inner.now();
    this.write({ call: name, now: this.#now, args: args.map((one) => argumentToJson(name, one)) });
    try {
      const result = run();
      this.write({ done: plainResult(result) });
      return result;
    } catch (error) {
      this.write({ done: null, threw: codeOf(error) });
      throw error;
    } finally {
      this.#now = outer;
    }
  }
}

class RecordedTransport implements Transport {
  readonly #inner: Transport;
  readonly #tape: Tape;

  constructor(inner: Transport, tape: Tape) {
    this.#inner = inner;
    this.#tape = tape;
  }

  get onReady(): (() => void) | undefined {
    return this.#inner.onReady;
  }

  set onReady(fn: (() => void) | undefined) {
    this.#inner.onReady = fn;
  }

  open(target: Target): void {
    this.#do({ out: 'open', target }, () => this.#inner.open(target));
  }

  secure(options: TlsOptions): void {
    this.#do({ out: 'secure', servername: options.servername }, () => this.#inner.secure(options));
  }

  write(bytes: Uint8Array): boolean {
    const deed = { out: 'write', octets: bytes.length, sha256: sha256(bytes) } as const;
    let room = true;
    this.#try({ ...deed, room }, () => {
      room = this.#inner.write(bytes);
    });
    this.#tape.write({ ...deed, room });
    return room;
  }

  close(graceful: boolean): void {
    this.#do({ out: 'close', graceful }, () => this.#inner.close(graceful));
  }

  poll(): TransportEvent | undefined {
    let event: TransportEvent | undefined;
    this.#try({ out: 'poll' }, () => {
      event = this.#inner.poll();
    });
    if (event !== undefined) this.#tape.write({ poll: event });
    return event;
  }

  #do(deed: Deed, run: () => void): void {
    this.#try(deed, run);
    this.#tape.write(deed);
  }

  #try(deed: Deed, run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#tape.write({ ...deed, threw: error instanceof Error ? error : new Error(String(error)) });
      throw error;
    }
  }
}

/** What a call gave, as far as it is plain. */
export function plainResult(result: unknown): Json {
  return result === undefined ? null : toJson(fromJson(toJson(result)));
}

/** The code of an error, else its name: enough to see that it is the same. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return 'code' in error ? String(error.code) : error.name;
}
