/**
 * The transport of a loop that never returns to Node: the sockets live in one thread, shared by all clients of the
 * process, and what they hear waits in shared memory until it is polled. The thread uses `tcp()`; here stands the
 * pump's side of a line. It knows no SMTP, and touches no socket.
 *
 * Measured on Node 20, two cores, beside `tcp()` (bench row `worker`): an empty poll 15–25 ns; a NOOP 13 µs asleep in
 * `wait()` or polled without rest and 60 µs in Node's loop (tcp 30–70); a body at 1.1 GB a second (tcp 2.5). Message ports
 * in place of rings: a poll 30 ns, the same round trip, and nothing that bounds what waits at a thread that does not
 * look. Without the moment that both sides look before they sleep, the round trip was 130–160 µs.
 */
import { availableParallelism } from 'node:os';
import { type Checks, checkOptionsOf, flag, wrong } from '../checks.ts';
import { socketChecks } from './tcp-options.ts';
import type { Target, TlsOptions, TransportEvent, WaitingTransport } from './transport.ts';
import { checkCrossing } from './worker/crossing.ts';
import { takeEvent } from './worker/frames.ts';
import { type Seat, takeSeat, threadFile } from './worker/host.ts';
import { giveBack, takeMemory } from './worker/line-memory.ts';
import type { SocketOptions } from './worker/messages.ts';
import { SharedLine } from './worker/shared-line.ts';

/** Those of `tcp()` that are plain data, and: */
export interface WorkerOptions extends SocketOptions {
  /** Bytes that the pump has not read, beyond which the socket is not read; made a power of two. @default 262144 */
  readonly readBytes?: number | undefined;
  /** Bytes that the socket has not taken, from which `write()` returns false; made a power of two. @default 524288 */
  readonly writeBytes?: number | undefined;
  /**
   * Does a line keep the process alive until all that was written has left, as a socket does? @default true
   */
  readonly ref?: boolean | undefined;
}

const defaultReadBytes = 262_144;
const defaultWriteBytes = 524_288;
const mostBytes = 2 ** 28;
const checks: Checks<WorkerOptions> = { ...socketChecks, readBytes: size, writeBytes: size, ref: flag };
/** ms that a wait looks before it sleeps; on one core that would keep the sockets' thread from working. */
const awakeMs = availableParallelism() > 1 ? 0.05 : 0;

/**
 * A transport for one client; it can be opened again after each loss or close. TLS sessions are remembered in the
 * thread, for all clients.
 * @throws SmtpUsageError EINVAL, naming the option that is wrong or cannot cross to the thread
 */
export function worker(options: WorkerOptions = {}): WaitingTransport {
  // what lives in this thread is told apart from what nobody knows
  checkCrossing(options, 'worker');
  checkOptionsOf(options, checks, 'worker');
  return new WorkerTransport(options);
}

class WorkerTransport implements WaitingTransport {
  readonly copies = true;
  onReady: (() => void) | undefined;
  readonly #options: SocketOptions;
  readonly #sizes: readonly [writeBytes: number, readBytes: number];
  readonly #keeps: boolean;
  #line: PumpLine | undefined;
  /** onReady() was called and nobody has polled since. */
  #told = false;

  constructor({ ref = true, readBytes, writeBytes, ...options }: WorkerOptions) {
    threadFile();
    this.#options = options;
    this.#sizes = [writeBytes ?? defaultWriteBytes, readBytes ?? defaultReadBytes];
    this.#keeps = ref;
  }

  checkTls(options: TlsOptions): void {
    checkCrossing(options, 'tlsOptions');
  }

  open(target: Target): void {
    this.close(false);
    const line = new PumpLine(this.#sizes, () => {
      if (this.#line === line) this.#call();
    });
    line.open(target, this.#options, this.#keeps);
    this.#line = line;
  }

  secure(options: TlsOptions): void {
    this.checkTls(options);
    if (this.#line === undefined) throw new Error('secure() needs an open line');
    this.#line.secure(options);
  }

  write(bytes: Uint8Array): boolean {
    // After a loss the event says it all; a write that crosses it must not throw.
    return this.#line?.write(bytes) ?? true;
  }

  close(graceful: boolean): void {
    this.#line?.close(graceful);
    this.#line = undefined;
  }

  poll(): TransportEvent | undefined {
    this.#told = false;
    const event = this.#line?.poll();
    if (event?.type === 'lost') this.#line = undefined;
    return event;
  }

  wait(timeoutMs: number): boolean {
    if (this.#line !== undefined) return this.#line.wait(timeoutMs);
    // nothing can come: only time passes
    if (timeoutMs !== Number.POSITIVE_INFINITY) Atomics.wait(nothing, 0, 0, timeoutMs);
    return false;
  }

  #call(): void {
    if (this.#told) return;
    this.#told = true;
    this.onReady?.();
  }
}

function size(bytes: number | undefined, option: string): void {
  if (bytes === undefined || (Number.isInteger(bytes) && bytes >= 0 && bytes <= mostBytes)) return;
  throw wrong(bytes, option, `a number of bytes up to ${mostBytes}`);
}

const nothing = new Int32Array(new SharedArrayBuffer(4));

/** The pump's side of one line, from its opening to its end. */
class PumpLine {
  readonly #shared: SharedLine;
  readonly #memory: SharedArrayBuffer;
  readonly #onSignal: () => void;
  #seat: Seat | undefined;
  /** What the ring had no room for, or what must not overtake a handshake. */
  #rest: Uint8Array[] = [];
  #restBytes = 0;
  /** A write returned false, and no drain came since. */
  #full = false;
  #securing = false;
  #gone: Error | undefined;
  /** The memory is another line's by now. */
  #over = false;

  constructor([writeBytes, readBytes]: readonly [number, number], onSignal: () => void) {
    this.#memory = takeMemory(writeBytes, readBytes);
    this.#shared = new SharedLine(this.#memory, 'pump');
    this.#onSignal = onSignal;
  }

  open(target: Target, options: SocketOptions, keeps: boolean): void {
    const guest = {
      signalled: () => {
        if (this.#over) return;
        this.#shared.heard();
        this.#push();
        if (this.#ready) this.#onSignal();
      },
      gone: (error: Error) => {
        this.#gone = error;
        this.#onSignal();
      },
    };
    this.#seat = takeSeat(guest, keeps);
    const { line, thread } = this.#seat;
    thread.post({ type: 'open', line, target, options, memory: this.#memory });
  }

  secure(options: TlsOptions): void {
    const rest = this.#takeRest();
    this.#securing = true;
    const seen = this.#shared.toPump.head;
    this.#seat?.thread.post({ type: 'secure', line: this.#seat.line, options, rest, seen });
  }

  close(graceful: boolean): void {
    // what waits for a handshake must never leave in clear
    const rest = graceful && !this.#securing ? this.#takeRest() : [];
    this.#seat?.thread.post({ type: 'close', line: this.#seat.line, graceful, rest });
    this.#seat = undefined;
    this.#end();
  }

  write(bytes: Uint8Array): boolean {
    if (bytes.length > 0) {
      this.#rest.push(bytes);
      this.#restBytes += bytes.length;
    }
    this.#push();
    const rest = this.#rest.at(-1);
    // what the ring had no room for: at most once in the time that it takes to drain
    if (rest !== undefined) this.#rest[this.#rest.length - 1] = new Uint8Array(rest);
    return !this.#full;
  }

  poll(): TransportEvent | undefined {
    if (this.#restBytes > 0) this.#push();
    if (this.#full && this.#drained) {
      this.#full = false;
      return { type: 'drain' };
    }
    const event = takeEvent(this.#shared.toPump);
    if (event === undefined) return this.#lost();
    if (this.#shared.unblocks()) this.#wake();
    if (event.type === 'secure') {
      this.#securing = false;
      this.#push();
    }
    if (event.type === 'lost') this.#end();
    return event;
  }

  wait(timeoutMs: number): boolean {
    const until = performance.now() + timeoutMs;
    for (;;) {
      const seen = this.#shared.signals;
      this.#push();
      if (this.#ready) return true;
      const now = performance.now();
      if (!(until > now)) return false;
      // most answers come sooner than a thread is woken; room comes when the sockets' thread has had the processor
      const awake = this.#full ? 0 : awakeMs;
      while (performance.now() - now < awake) if (this.#ready) return true;
      this.#shared.sleep(seen, until - performance.now());
    }
  }

  get #ready(): boolean {
    return this.#shared.toPump.used > 0 || this.#death !== undefined || (this.#full && this.#drained);
  }

  get #drained(): boolean {
    const { toSockets } = this.#shared;
    return this.#restBytes === 0 && toSockets.used <= toSockets.capacity / 2;
  }

  /** Moves into the ring what there is room for. */
  #push(): void {
    if (this.#restBytes === 0 || this.#securing) return;
    const ring = this.#shared.toSockets;
    const before = this.#restBytes;
    for (let room = ring.room; room > 0; room = ring.room) {
      const [bytes] = this.#rest;
      if (bytes === undefined) break;
      const taken = bytes.length <= room ? bytes : bytes.subarray(0, room);
      ring.write(taken);
      if (taken === bytes) this.#rest.shift();
      else this.#rest[0] = bytes.subarray(room);
      this.#restBytes -= taken.length;
    }
    if (this.#restBytes < before) ring.publish();
    if (this.#restBytes > 0 || ring.room === 0) this.#full = true;
    // a drain is due, and it comes when the sockets' thread has read enough
    if (this.#full) this.#shared.want();
    this.#wake();
  }

  #wake(): void {
    if (this.#shared.wake()) this.#seat?.thread.post({ type: 'wake', line: this.#seat.line });
  }

  /** Copies: what is posted is cloned with all the memory that it is a view of. */
  #takeRest(): Uint8Array[] {
    const rest = this.#rest.map((bytes) => new Uint8Array(bytes));
    this.#rest = [];
    this.#restBytes = 0;
    return rest;
  }

  #end(): void {
    this.#over = true;
    this.#rest = [];
    this.#restBytes = 0;
    giveBack(this.#memory);
  }

  #lost(): TransportEvent | undefined {
    const error = this.#death;
    return error && { type: 'lost', during: 'line', error };
  }

  get #death(): Error | undefined {
    return this.#gone ?? this.#seat?.thread.death;
  }
}
