/**
 * An eventemitter3 in which a listener that throws keeps no other from hearing. Each event is one argument; it knows
 * no event by name.
 */
import { EventEmitter } from 'eventemitter3';

export class Listeners<Types extends EventEmitter.ValidEventTypes> extends EventEmitter<Types> {
  /** What listeners have thrown and nobody has taken. */
  readonly #thrown: unknown[] = [];
  /** The names that somebody listens to. */
  #heard: ReadonlySet<unknown> = new Set();
  /** The listener as it is registered, by the listener as it was given. */
  readonly #guards = new WeakMap<object, unknown>();

  override on<Name extends EventEmitter.EventNames<Types>>(
    name: Name,
    fn: EventEmitter.EventListener<Types, Name>,
    context?: unknown,
  ): this {
    super.on(name, this.#guard(fn), context);
    this.listenersChanged();
    return this;
  }

  override addListener<Name extends EventEmitter.EventNames<Types>>(
    name: Name,
    fn: EventEmitter.EventListener<Types, Name>,
    context?: unknown,
  ): this {
    return this.on(name, fn, context);
  }

  override once<Name extends EventEmitter.EventNames<Types>>(
    name: Name,
    fn: EventEmitter.EventListener<Types, Name>,
    context?: unknown,
  ): this {
    super.once(name, this.#guard(fn), context);
    this.listenersChanged();
    return this;
  }

  override removeListener<Name extends EventEmitter.EventNames<Types>>(
    name: Name,
    fn?: EventEmitter.EventListener<Types, Name>,
    context?: unknown,
    once?: boolean,
  ): this {
    super.removeListener(name, fn && this.#guardOf(fn), context, once);
    this.listenersChanged();
    return this;
  }

  override removeAllListeners(name?: EventEmitter.EventNames<Types>): this {
    super.removeAllListeners(name);
    this.listenersChanged();
    return this;
  }

  override off<Name extends EventEmitter.EventNames<Types>>(
    name: Name,
    fn?: EventEmitter.EventListener<Types, Name>,
    context?: unknown,
    once?: boolean,
  ): this {
    return this.removeListener(name, fn, context, once);
  }

  /** Throws what listeners have thrown since the last time: the error, or all of them as an AggregateError. */
  rethrow(): void {
    if (this.#thrown.length === 0) return;
    const thrown = this.#thrown.splice(0);
    if (thrown.length === 1) throw thrown[0];
    if (thrown.length > 1) throw new AggregateError(thrown, `${thrown.length} listeners threw`);
  }

  /** Does somebody listen to it? */
  protected hears(name: EventEmitter.EventNames<Types>): boolean {
    return this.#heard.has(name);
  }

  /** Somebody has come or gone. */
  protected listenersChanged(): void {
    this.#heard = new Set(this.eventNames());
  }

  #guardOf<F>(fn: F): F {
    // a guard was made of this very listener, and takes what it takes
    return typeof fn === 'function' ? ((this.#guards.get(fn) as F | undefined) ?? fn) : fn;
  }

  #guard<F>(fn: F): F {
    if (typeof fn !== 'function') return fn;
    const known = this.#guards.get(fn);
    if (known !== undefined) return known as F;
    const thrown = this.#thrown;
    const guard = function (this: unknown, event: unknown): void {
      try {
        fn.call(this, event);
      } catch (error) {
        thrown.push(error);
      }
    };
    this.#guards.set(fn, guard);
    // it takes what the listener takes
    return guard as F;
  }
}
