/**
 * A transport whose other end is in memory: a {@link SimServer}, or whoever answers on a network. With no latency
 * what the server says is there at the very next `poll()`; otherwise when the clock says so. It knows no SMTP, and
 * nothing of the servers of the testing kit.
 */
import { checkOptionsOf, wrong } from '../checks.ts';
import type { Clock } from '../clock.ts';
import { fromJson, type Json, toJson } from '../json.ts';
import { Alarm } from './alarm.ts';
import type { Exchange, SimLine, SimServer } from './exchange.ts';
import { Line } from './line.ts';
import { clearBytes, LineError } from './line-error.ts';
import { type MemoryOptions, memoryChecks, OwnExchange } from './own-exchange.ts';
import type { Parcel } from './pipe.ts';
import type { Target, TlsOptions, TransportEvent, WaitingTransport } from './transport.ts';

/** `wait()` moves the clock on, where it is one that is moved by hand, such as the VirtualClock. */
export interface MemoryTransport extends WaitingTransport {
  /** The server's end of the newest line, for a test that plays the server by hand. */
  readonly line: SimLine | undefined;
}

/**
 * A transport onto a simulated network, a server that answers every target, or (no argument) onto the test itself.
 * @throws SmtpUsageError EINVAL, naming the option
 */
export function memory(
  to: Exchange | SimServer = { accept() {}, resume() {} },
  options: MemoryOptions = {},
): MemoryTransport {
  if (!isOneOf(to)) throw wrong(to, 'memory', 'a server with accept(), or a network');
  checkOptionsOf(options, memoryChecks, 'memory');
  return new MemoryEnd('dial' in to ? to : new OwnExchange(to, options));
}

/** Whoever can be at the other end. */
function isOneOf(to: unknown): boolean {
  return typeof to === 'object' && to !== null && ('dial' in to || 'accept' in to);
}

type SavedLine = ReturnType<Line['save']>;

interface SavedEnd {
  readonly exchange: ReturnType<OwnExchange['save']> | undefined;
  readonly left: readonly SavedLine[];
  readonly line: SavedLine | undefined;
  readonly state: State;
  readonly full: boolean;
  readonly waiting: boolean;
  readonly secured: boolean;
}

type State = 'closed' | 'opening' | 'open' | 'securing';

class MemoryEnd implements MemoryTransport {
  onReady: (() => void) | undefined;
  readonly #exchange: Exchange;
  readonly #alarm: Alarm;
  #newest: Line | undefined;
  /** Those that we have left, and whose server may still hear of us. */
  #left: Line[] = [];
  /** Undefined when closed or lost. */
  #line: Line | undefined;
  #state: State = 'closed';
  /** Did a write return false, and no drain came since? */
  #full = false;
  /** Has poll() come back empty since the last event? Only then a wake-up is owed. */
  #waiting = true;
  #secured = false;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
    this.#alarm = new Alarm(exchange.clock, () => {
      this.#waiting = false;
      this.onReady?.();
    });
  }

  get line(): SimLine | undefined {
    return this.#newest;
  }

  open(target: Target): void {
    this.close(false);
    this.#state = 'opening';
    this.#full = this.#secured = false;
    this.#waiting = true;
    this.#attach(Line.dial(this.#exchange.clock, target, this.#exchange.dial(target)));
  }

  #attach(line: Line): void {
    this.#newest = this.#line = line;
    line.toClient.onQueued = () => this.#arm();
    line.onPumped = () => this.#arm();
    this.#arm();
  }

  secure(options: TlsOptions): void {
    if (this.#line === undefined || this.#state !== 'open') throw new Error('secure() needs an open line');
    this.#state = 'securing';
    this.#secured = true;
    const { servername, rejectUnauthorized } = options;
    this.#line.toServer.send({ type: 'hello', options: { servername, rejectUnauthorized } });
  }

  write(bytes: Uint8Array): boolean {
    // After a loss the event says it all; a write that crosses it must not throw.
    if (this.#line === undefined) return true;
    const room = this.#line.toServer.write(bytes, this.#secured);
    if (!room) this.#full = true;
    return room;
  }

  close(graceful: boolean): void {
    const line = this.#line;
    if (line === undefined) return;
    const error = new LineError('ECONNRESET', 'the client broke the line');
    line.toServer.send(graceful ? { type: 'fin' } : { type: 'reset', error });
    this.#detach(line);
    line.pump();
  }

  poll(): TransportEvent | undefined {
    const line = this.#line;
    if (line === undefined) return undefined;
    line.pump();
    const event = this.#next(line);
    this.#waiting = event === undefined;
    if (event === undefined) this.#arm();
    else this.#alarm.cancel();
    return event;
  }

  wait(timeoutMs: number): boolean {
    const { clock } = this.#exchange;
    if (!isMovable(clock)) throw new Error('a line in memory can be waited for on a VirtualClock only');
    const until = clock.now() + timeoutMs;
    const at = Math.min(clock.next, until);
    if (at === Number.POSITIVE_INFINITY) throw new Error('nothing is left that could happen on this line');
    clock.advanceTo(at);
    return at < until;
  }

  #next(line: Line): TransportEvent | undefined {
    if (this.#drained(line)) {
      this.#full = false;
      return { type: 'drain' };
    }
    for (;;) {
      const parcel = line.toClient.take();
      if (parcel === undefined) return undefined;
      const event = this.#understand(line, parcel);
      if (event !== undefined) return event;
    }
  }

  #understand(line: Line, parcel: Parcel): TransportEvent | undefined {
    switch (parcel.type) {
      case 'open':
        this.#state = 'open';
        return { type: 'open', localAddress: '192.0.2.1', remoteAddress: '192.0.2.25' };
      case 'bytes':
        if (this.#state === 'securing') return this.#lose(line, clearBytes());
        return { type: 'bytes', bytes: parcel.bytes };
      case 'tls':
        this.#state = 'open';
        return { type: 'secure', tls: parcel.tls };
      case 'fin':
        return this.#lose(line, this.#state === 'securing' ? cutShort() : undefined);
      case 'reset':
      case 'refused':
        return this.#lose(line, parcel.error);
      case 'fault':
        return this.#fail(line, parcel.kind);
      default:
        return undefined;
    }
  }

  #fail(line: Line, kind: 'stall' | 'reset' | 'end'): TransportEvent | undefined {
    if (kind === 'reset') return this.#lose(line, new LineError('ECONNRESET', 'the line broke'));
    if (kind === 'end') return this.#lose(line, this.#state === 'securing' ? cutShort() : undefined);
    line.stall();
    return undefined;
  }

  #lose(line: Line, error: Error | undefined): TransportEvent {
    const during = this.#state === 'opening' ? 'open' : this.#state === 'securing' ? 'secure' : 'line';
    line.toServer.send(error === undefined ? { type: 'fin' } : { type: 'reset', error });
    this.#detach(line);
    line.pump();
    return error === undefined ? { type: 'lost', during } : { type: 'lost', during, error };
  }

  #detach(line: Line): void {
    this.#line = undefined;
    this.#left = [...this.#left.filter(({ over }) => !over), line];
    this.#state = 'closed';
    this.#alarm.cancel();
    // What the server still says is thrown away, but must not keep it from reading our last bytes.
    line.onPumped = undefined;
    line.toClient.onQueued = undefined;
    line.toClient.close();
  }

  save(secrets: readonly Uint8Array[]): Json {
    const exchange = this.#exchange;
    return toJson({
      exchange: exchange instanceof OwnExchange ? exchange.save() : undefined,
      left: this.#left.filter(({ over }) => !over).map((line) => line.save(secrets)),
      line: this.#line?.save(secrets),
      ...{ state: this.#state, full: this.#full, waiting: this.#waiting, secured: this.#secured },
    });
  }

  restore(json: Json, secrets: () => readonly Uint8Array[]): void {
    // made by save() of this class: what it came from is sealed
    const saved = fromJson(json) as SavedEnd;
    const exchange = this.#exchange;
    if (saved.exchange !== undefined && exchange instanceof OwnExchange) exchange.load(saved.exchange);
    this.#left = saved.left.map((one) => Line.load(one, exchange, secrets));
    this.#newest = this.#left.at(-1);
    this.#state = saved.state;
    this.#full = saved.full;
    this.#waiting = saved.waiting;
    this.#secured = saved.secured;
    if (saved.line !== undefined) this.#attach(Line.load(saved.line, exchange, secrets));
  }

  #drained(line: Line): boolean {
    return this.#full && line.toServer.roomy && this.#state !== 'opening';
  }

  #arm(): void {
    const line = this.#line;
    if (line === undefined || !this.#waiting) return;
    const at = this.#drained(line) ? this.#exchange.clock.now() : line.toClient.nextAt;
    if (at !== Number.POSITIVE_INFINITY) this.#alarm.set(at);
  }
}

/** A clock that whoever waits may move. */
interface MovableClock extends Clock {
  /** When the next wake-up is due, or Infinity. */
  readonly next: number;
  advanceTo(at: number): void;
}

function isMovable(clock: Clock): clock is MovableClock {
  return 'advanceTo' in clock && typeof clock.advanceTo === 'function' && 'next' in clock;
}

function cutShort(): LineError {
  return new LineError('ECONNRESET', 'the server closed the line before TLS was up');
}
