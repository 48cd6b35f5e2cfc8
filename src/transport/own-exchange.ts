/**
 * The network of a transport in memory that was given a server and no network: one server, whatever the target. It
 * knows neither end of the lines.
 */
import { type Checks, finite, objectWith } from '../checks.ts';
import type { Clock } from '../clock.ts';
import { stillClock } from './alarm.ts';
import { type Call, checkFault, type Exchange, type LineFault, type SimServer } from './exchange.ts';
import { type LineShape, shapeChecks } from './pipe.ts';
import { Random } from './random.ts';

export interface MemoryOptions extends LineShape {
  /** Needed as soon as anything takes time. @default a clock that stands still, with wake-ups as microtasks */
  readonly clock?: Clock | undefined;
  /** @default 1 */
  readonly seed?: number | undefined;
  /** The fault of each line. */
  readonly fault?: LineFault | undefined;
}

export const memoryChecks: Checks<MemoryOptions> = {
  ...shapeChecks,
  clock: objectWith('now'),
  seed: finite,
  fault: checkFault,
};

export class OwnExchange implements Exchange {
  readonly clock: Clock;
  readonly #server: SimServer;
  readonly #options: MemoryOptions;
  readonly #random: Random;
  #number = 0;

  constructor(server: SimServer, options: MemoryOptions) {
    this.clock = options.clock ?? stillClock;
    this.#server = server;
    this.#options = options;
    this.#random = new Random(options.seed ?? 1);
  }

  dial(): Call {
    const number = ++this.#number;
    const { fault } = this.#options;
    return { ...this.redial(), number, random: this.#random.fork(number), fault };
  }

  redial(): Pick<Call, 'shape' | 'server'> {
    return { shape: this.#options, server: this.#server };
  }

  save() {
    return { number: this.#number, random: this.#random.save() };
  }

  load({ number, random }: ReturnType<OwnExchange['save']>): void {
    this.#number = number;
    this.#random.load(random);
  }
}
