/**
 * A simulated network on a virtual clock: hosts and ports on one side, transports on the other, and between them
 * latency, bandwidth, cuts and scripted faults; repeatable to the byte. It knows nothing of SMTP.
 */
import { type Checks, checkOptionsOf, finite, needed, objectWith } from '../checks.ts';
import type { Clock } from '../clock.ts';
import { type Json, restoring, seal, unseal } from '../json.ts';
import {
  type Call,
  checkFault,
  type Exchange,
  type LineFault,
  type SimServer,
} from '../transport/exchange.ts';
import { type MemoryTransport, memory } from '../transport/memory.ts';
import { type LineShape, shapeChecks } from '../transport/pipe.ts';
import { Random } from '../transport/random.ts';
import type { Target } from '../transport/transport.ts';

export interface SimNetworkOptions extends LineShape {
  /** Usually a VirtualClock. */
  readonly clock: Clock;
  /** @default 1 */
  readonly seed?: number | undefined;
}

export interface ListenOptions extends LineShape {
  /** For every line to this server, or for the n-th (from 1). */
  readonly fault?: LineFault | ((number: number) => LineFault | undefined) | undefined;
}

const checks: Checks<SimNetworkOptions> = { ...shapeChecks, clock: objectWith('now'), seed: finite };
const listenChecks: Checks<ListenOptions> = {
  ...shapeChecks,
  fault: (fault, option) => typeof fault === 'function' || checkFault(fault, option),
};

interface SavedNetwork {
  readonly dialled: number;
  readonly random: readonly number[];
  readonly listeners: readonly { readonly where: string; readonly lines: number; readonly server?: Json }[];
}

interface Listener {
  readonly server: SimServer;
  readonly options: ListenOptions;
  lines: number;
}

export class SimNetwork implements Exchange {
  readonly clock: Clock;
  readonly #shape: LineShape;
  readonly #random: Random;
  readonly #listeners = new Map<string, Listener>();
  #dialled = 0;

  /** @throws SmtpUsageError EINVAL, naming the option */
  constructor(options: SimNetworkOptions) {
    checkOptionsOf(options, checks, 'SimNetwork');
    needed(options.clock, 'SimNetwork.clock');
    this.clock = options.clock;
    this.#shape = options;
    this.#random = new Random(options.seed ?? 1);
  }

  /** Lines dialled so far, the failed ones too. */
  get dialled(): number {
    return this.#dialled;
  }

  /**
   * Puts a server on the network.
   * @param where `host:port`, a unix path, a host (any port), a port (any host) or `*`; the first of these that
   *   fits a call answers it. A host that is known with another port refuses; an unknown host is not found.
   * @throws SmtpUsageError EINVAL, naming the option
   */
  listen(where: string | number, server: SimServer, options: ListenOptions = {}): this {
    objectWith('accept')(server, 'listen.server');
    checkOptionsOf(options, listenChecks, 'listen');
    this.#listeners.set(String(where), { server, options, lines: 0 });
    return this;
  }

  /** Takes a server off the network; open lines stay. */
  close(where: string | number): void {
    this.#listeners.delete(String(where));
  }

  /** A new transport for one client. */
  transport(): MemoryTransport {
    return memory(this);
  }

  dial(target: Target): Call {
    const number = ++this.#dialled;
    const random = this.#random.fork(number);
    const listener = this.#find(target);
    if (listener === undefined) return { ...this.redial(target), number, random };
    const { fault } = listener.options;
    const nth = ++listener.lines;
    return {
      ...this.redial(target),
      number,
      random,
      fault: typeof fault === 'function' ? fault(nth) : fault,
    };
  }

  redial(target: Target): Pick<Call, 'shape' | 'server'> {
    const listener = this.#find(target);
    if (listener !== undefined) {
      return { shape: { ...this.#shape, ...listener.options }, server: listener.server };
    }
    return { shape: this.#shape, server: { missing: this.#knows(target) ? 'refuse' : 'unknown' } };
  }

  /**
   * What the network knows, and the servers that can be saved; the lines between them are the transports'. Whatever a
   * server has heard stands in it, logins too.
   */
  save(): Json {
    const listeners = [...this.#listeners].map(([where, { lines, server }]) => ({
      where,
      lines,
      server: server.save?.(),
    }));
    // a server's JSON is its own, and stays as it is
    return seal('network', { dialled: this.#dialled, random: this.#random.save(), listeners });
  }

  /**
   * Goes on where another network stood, which had the same listeners. Restore it before the clients that are on it.
   * @throws SmtpUsageError EINVAL
   */
  restore(json: Json): this {
    const saved = unseal('network', json) as SavedNetwork & Json;
    return restoring('network', () => {
      this.#dialled = saved.dialled;
      this.#random.load(saved.random);
      for (const { where, lines, server } of saved.listeners) {
        const listener = this.#listeners.get(where);
        if (listener === undefined) throw new Error(`nobody listens at ${where}`);
        listener.lines = lines;
        if (server !== undefined) listener.server.restore?.(server);
      }
      return this;
    });
  }

  #find({ host, port, path }: Target): Listener | undefined {
    const places = path === undefined ? [`${host}:${port}`, host, String(port), '*'] : [path];
    for (const place of places) {
      const listener = this.#listeners.get(place);
      if (listener !== undefined) return listener;
    }
    return undefined;
  }

  #knows({ host, path }: Target): boolean {
    if (path !== undefined) return true;
    for (const place of this.#listeners.keys()) if (place.startsWith(`${host}:`)) return true;
    return [...this.#listeners.keys()].every((place) => /^\d+$/.test(place));
  }
}
