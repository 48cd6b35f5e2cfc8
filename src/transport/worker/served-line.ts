/**
 * The sockets' side of one line: a `tcp()` transport of this thread, and shared memory in place of a pump. It takes
 * no more from either side than the other has room for.
 */
import { availableParallelism } from 'node:os';
import { clearBytes } from '../line-error.ts';
import { TcpTransport } from '../tcp.ts';
import type { TlsMemory } from '../tls-memory.ts';
import type { Target, TlsOptions, TransportEvent } from '../transport.ts';
import { Outgoing } from './frames.ts';
import type { SocketOptions } from './messages.ts';
import type { SharedLine } from './shared-line.ts';

/** Unread bytes beyond which the socket is not read; the ring holds what is on the way. */
const readBytes = 65_536;
/** Unsent bytes from which the socket takes no more. */
const writeBytes = 262_144;
/** Bytes that are taken out of the ring at once; larger pieces of memory are slow to get. */
const mostTaken = 65_536;
/**
 * ms after the last byte for which the thread looks again in place of sleeping: to be woken takes longer than most
 * servers do to answer. On one core whoever looks keeps the others from working.
 */
const awakeMs = availableParallelism() > 1 ? 0.05 : 0;

export interface Host {
  /** The pump's thread has to be called. */
  signal(): void;
  /** Nothing more will be told of this line. */
  over(): void;
}

export class ServedLine {
  readonly #line: SharedLine;
  readonly #host: Host;
  readonly #transport: TcpTransport;
  /** The socket takes no more until it drains. */
  #full = false;
  /** What the ring had no room for. */
  #outgoing: Outgoing | undefined;
  /** Its last event is on its way. */
  #lost = false;
  #over = false;
  /** When something last happened, while the thread is awake for this line. */
  #busyAt = 0;
  #awake = false;

  constructor(line: SharedLine, options: SocketOptions, tlsMemory: TlsMemory, host: Host) {
    this.#line = line;
    this.#host = host;
    this.#transport = new TcpTransport({ ...options, readBytes, writeBytes, tlsMemory });
    this.#transport.onReady = () => {
      this.#tell();
      this.#stayAwake();
    };
  }

  open(target: Target): void {
    this.#guard('open', () => this.#transport.open(target));
  }

  /** The pump has written, or read. */
  wake(): void {
    this.#work();
    this.#stayAwake();
  }

  #work(): void {
    this.#take();
    this.#tell();
  }

  /** Looks for a moment longer whether the pump has written or read; only then it has to call. */
  #stayAwake(): void {
    this.#busyAt = performance.now();
    if (this.#awake || this.#over) return;
    this.#awake = true;
    setImmediate(() => this.#look());
  }

  #look(): void {
    if (this.#over) return;
    const busy = this.#line.toSockets.used > 0 && !this.#full;
    if (busy) this.#busyAt = performance.now();
    if (busy || this.#outgoing !== undefined) this.#work();
    if (this.#over) return;
    // a socket that is full calls by itself
    if (!this.#full && performance.now() - this.#busyAt < awakeMs) {
      setImmediate(() => this.#look());
      return;
    }
    this.#awake = false;
    this.#line.fallAsleep();
    // what came before the pump could see that it has to call
    this.#work();
  }

  /** @param seen how far the pump had read: what has come since came in clear, and belongs to nobody (CVE-2011-0411) */
  secure(options: TlsOptions, rest: readonly Uint8Array[], seen: number): void {
    this.#takeAll(rest);
    if (this.#lost || this.#over) return;
    if (this.#line.toPump.tail !== seen || this.#outgoing !== undefined) {
      this.#transport.close(false);
      this.#put({ type: 'lost', during: 'secure', error: clearBytes() });
    } else this.#guard('secure', () => this.#transport.secure(options));
  }

  close(graceful: boolean, rest: readonly Uint8Array[]): void {
    if (graceful) this.#takeAll(rest);
    this.#finish();
    // what was written is still leaving, and nobody else keeps the process alive for that
    this.#transport.close(graceful, () => this.#host.over());
  }

  /** The thread is about to end. */
  fail(error: Error): void {
    // the memory of a line that was closed may be another's by now
    if (!this.#over) this.#put({ type: 'lost', during: 'line', error });
  }

  /** Bytes of the pump, as many as the socket likes. */
  #take(): void {
    const ring = this.#line.toSockets;
    while (!this.#full && ring.used > 0) this.#takePiece();
    if (this.#line.satisfies()) this.#signal();
  }

  #takePiece(): void {
    const ring = this.#line.toSockets;
    const bytes = ring.read(Math.min(ring.used, mostTaken));
    ring.release();
    this.#full = !this.#transport.write(bytes);
  }

  /** All bytes of the pump, whether the socket likes it or not. */
  #takeAll(rest: readonly Uint8Array[]): void {
    while (this.#line.toSockets.used > 0) this.#takePiece();
    for (const bytes of rest) this.#full = !this.#transport.write(bytes);
  }

  /** Events of the socket, as many as the ring has room for. */
  #tell(): void {
    // the rest of the last one is news as well
    let news = this.#outgoing !== undefined;
    for (; this.#flush() && !this.#over; news = true) {
      const event = this.#transport.poll();
      if (event === undefined) {
        if (news) this.#signal();
        return;
      }
      if (event.type === 'drain') {
        this.#full = false;
        this.#take();
      } else this.#put(event);
    }
    if (!this.#over) this.#signal();
  }

  #put(event: TransportEvent): void {
    this.#lost ||= event.type === 'lost';
    this.#outgoing = new Outgoing(event);
    this.#flush();
  }

  /** True when nothing waits for room. */
  #flush(): boolean {
    const { toPump } = this.#line;
    while (this.#outgoing !== undefined) {
      if (this.#outgoing.put(toPump)) this.#outgoing = undefined;
      else {
        this.#line.block();
        // the pump may have read before it could see that
        if (toPump.used > toPump.capacity / 2 || !this.#line.unblocks()) return false;
      }
    }
    if (this.#lost && !this.#over) {
      this.#signal();
      this.#end();
    }
    return true;
  }

  #signal(): void {
    if (this.#line.signal()) this.#host.signal();
  }

  #end(): void {
    if (this.#over) return;
    this.#finish();
    this.#host.over();
  }

  #finish(): void {
    this.#over = true;
    this.#line.finish();
  }

  #guard(during: 'open' | 'secure', call: () => void): void {
    try {
      call();
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      this.#transport.close(false);
      this.#put({ type: 'lost', during, error });
    }
  }
}
