/**
 * The crank: one turn of a client's connection and transport, bounded in every phase, and the wake-ups that say when
 * the next turn is worth while. It knows no step and no option.
 *
 *   arrivals → deadlines → what may leave → events, one at a time → what the listeners asked for
 */
import { callable } from '../checks.ts';
import type { Clock } from '../clock.ts';
import type { Connection } from '../core/connection.ts';
import { type SmtpEvent, type Tracing, tracingEvents } from '../core/events.ts';
import { SmtpUsageError } from '../errors.ts';
import type { Transport } from '../transport/transport.ts';
import { quoted } from '../wire/characters.ts';
import { Alarm } from './driver.ts';

/** Who hears what a turn brings. */
export interface Audience {
  emit(event: SmtpEvent): void;
  /** A turn would do something: for who is there before the user's callback. */
  ring(): void;
}

export class Crank {
  readonly core: Connection;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly #audience: Audience;
  readonly #alarm: Alarm;
  #callback: (() => void) | undefined;
  /** There is something to do: a step was called, something arrived, or the last turn left some. */
  #due = false;
  /** Rung once, and not again before the next turn. */
  #rung = false;
  #turning = false;
  /** A deadline had come in the last turn, which had not taken all that had arrived. */
  #late = false;

  constructor(core: Connection, transport: Transport, clock: Clock, audience: Audience) {
    this.core = core;
    this.transport = transport;
    this.clock = clock;
    this.#audience = audience;
    this.#alarm = new Alarm(clock, () => this.wake());
    core.onWake = () => this.wake();
    transport.onReady = () => this.wake();
  }

  /** A turn is going on: the caller is a listener. */
  get turning(): boolean {
    return this.#turning;
  }

  save() {
    return { due: this.#due, late: this.#late };
  }

  /** The core and the transport have been restored. */
  load({ due, late }: ReturnType<Crank['save']>): void {
    this.#late = late;
    this.#alarm.set(this.core.nextDeadline());
    if (due) this.wake();
  }

  set callback(fn: (() => void) | undefined) {
    callable(fn, 'fn');
    this.#callback = fn;
    if (fn !== undefined) this.#ringAgain();
  }

  execute(budget: number): 'more' | 'pending' | 'idle' {
    if (typeof budget !== 'number' || !(budget >= 1)) {
      throw new SmtpUsageError('EINVAL', `${quoted(budget)} is not a number above 0`, 'budget');
    }
    return this.#turn(budget);
  }

  /** One turn: at most `budget` arrivals and `budget` events. */
  #turn(budget: number): 'more' | 'pending' | 'idle' {
    if (this.#turning) return 'more';
    this.#turning = true;
    this.#rung = false;
    this.#due = false;
    let exhausted = false;
    try {
      this.core.handleTurn(this.clock.now());
      this.core.handleToken();
      exhausted = this.#takeArrivals(budget);
      this.#checkTime(exhausted);
      this.core.drain(this.transport);
      this.#handOut(budget);
    } finally {
      this.core.drain(this.transport);
      this.#turning = false;
      this.#alarm.set(this.core.nextDeadline());
      this.#due ||= exhausted || this.core.busy;
    }
    if (this.#due) return 'more';
    return this.core.pending ? 'pending' : 'idle';
  }

  /** Somebody listens, or no longer listens, to tracing events: those that nobody hears are not made. */
  trace(listens: (name: keyof Tracing) => boolean): void {
    const { tracing } = this.core.outbox;
    for (const name of tracingEvents) tracing[name] = listens(name);
  }

  /** Milliseconds until a turn has something to do though nothing arrives. */
  readTimer(): number {
    if (this.#due) return 0;
    const at = this.core.nextDeadline();
    return at === Number.POSITIVE_INFINITY ? at : Math.max(0, Math.ceil(at - this.clock.now()));
  }

  /** A step was called; what a listener calls is flushed by the turn that called the listener. */
  stepped(): void {
    if (!this.#turning) this.wake();
  }

  wake(): void {
    this.#due = true;
    if (this.#turning || this.#rung) return;
    this.#rung = true;
    this.#audience.ring();
    this.#callback?.();
  }

  /** Somebody new listens for the ring: an old one may have gone unheard. */
  #ringAgain(): void {
    if (!this.#due || this.#turning) return;
    this.#rung = false;
    this.wake();
  }

  /**
   * A reply that has come in time counts, however late the crank is turned. But a server that sends a little at every
   * turn must not put its deadline off for ever: one turn is all it gets.
   */
  #checkTime(exhausted: boolean): void {
    if (!exhausted || this.#late) this.core.handleTime();
    this.#late = exhausted && this.core.nextDeadline() <= this.core.now;
  }

  /** At most `budget` arrivals; true where more may wait. */
  #takeArrivals(budget: number): boolean {
    for (let n = 0; n < budget; n++) {
      this.core.carryOut(this.transport);
      if (this.core.handleReply()) continue;
      if (!this.core.takeArrival(this.transport)) return false;
    }
    return true;
  }

  /** At most `budget` events, one at a time. */
  #handOut(budget: number): void {
    for (let n = 0; n < budget; n++) {
      this.core.handleClosed();
      const event = this.core.outbox.nextEvent();
      if (event === undefined) return;
      this.#audience.emit(event);
    }
  }
}
