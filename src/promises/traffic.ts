/**
 * What is under way on one connection: hears what the client tells, and settles what waits for it. One listener for
 * all of it, from `connect()` to DISCONNECTED. It uses the client's public members only.
 */
import type { SmtpClient } from '../client/client.ts';
import type { SenderOptions } from '../client/envelope.ts';
import type { SmtpEvent } from '../core/events.ts';
import { asError, SmtpError } from '../errors.ts';
import { type Body, pour } from './body.ts';
import { Deferred } from './deferred.ts';
import { Delivery } from './delivery.ts';

/** The event of that name. */
export type Told<Name extends SmtpEvent['name']> = Extract<SmtpEvent, { name: Name }>;

export class Traffic {
  readonly client: SmtpClient;
  /** Mail can be sent. */
  readonly opened = new Deferred<void>().mute();
  readonly closed = new Deferred<void>();
  /** Why the line was lost. */
  lost: SmtpError | undefined;
  /** The message that the steps belong to. */
  newest: Delivery | undefined;
  /** Messages without an outcome. */
  readonly #underWay = new Map<number, Delivery>();
  /** Who waits for an answer to RSET and to NOOP, oldest first. */
  readonly #resets: Deferred<Told<'RESET'>>[] = [];
  readonly #noops: Deferred<Told<'NOOP_ACK'>>[] = [];
  #drain = new Deferred<void>();
  /** A message has had its outcome. */
  #settled = new Deferred<void>();
  #loginError: SmtpError | undefined;

  constructor(client: SmtpClient) {
    this.client = client;
    const hear = (event: SmtpEvent): void => {
      this.#hear(event);
      if (event.name === 'DISCONNECTED') client.off('event', hear);
    };
    client.connect();
    client.on('event', hear);
  }

  /** Messages without an outcome. */
  get size(): number {
    return this.#underWay.size;
  }

  /** Resolves when one of them has it. */
  get oneSettles(): Promise<void> {
    return this.#settled.promise;
  }

  // ── messages ──

  begin(sender: string | SenderOptions): Delivery {
    const delivery = new Delivery(this.client.sendSender(sender));
    this.#underWay.set(delivery.message.id, delivery);
    this.newest = delivery;
    return delivery;
  }

  /** The message that the step just called belongs to: steps are legal within one only. */
  current(): Delivery {
    if (this.newest === undefined) throw new Error('a step without a message');
    return this.newest;
  }

  /** One body after the other. */
  pour(body: Body, delivery: Delivery): Promise<void> {
    const before = delivery.pouring;
    const sink = {
      sendBody: (chunk: string | Uint8Array) => {
        if (delivery.failure !== undefined) throw delivery.failure; // by now another message may be open
        return this.client.sendBody(chunk);
      },
      drained: () => delivery.until(this.#drain.promise),
      until: <T>(promise: Promise<T>) => delivery.until(promise),
    };
    const pouring = (before === undefined ? pour(body, sink) : before.then(() => pour(body, sink))).then(
      () => {
        if (delivery.pouring === pouring) delivery.pouring = undefined;
      },
      (error) => {
        this.withdraw(delivery, asError(error));
        throw error;
      },
    );
    pouring.catch(() => {});
    delivery.pouring = pouring;
    return pouring;
  }

  /** Takes the message back where it has not ended. */
  withdraw(delivery: Delivery, error: Error): void {
    if (delivery.over || delivery !== this.newest || delivery.ended) return;
    if (this.client.can('reset')) this.takeBack(error);
  }

  takeBack(error: Error): Deferred<Told<'RESET'>> {
    this.client.reset();
    const answer = new Deferred<Told<'RESET'>>().mute();
    this.#resets.push(answer);
    const newest = this.newest;
    if (newest !== undefined && !newest.ended && !newest.over) {
      newest.fail(error, 'unsent');
      this.#settle(newest);
    }
    return answer;
  }

  noop(): Deferred<Told<'NOOP_ACK'>> {
    this.client.noop();
    const answer = new Deferred<Told<'NOOP_ACK'>>().mute();
    this.#noops.push(answer);
    return answer;
  }

  abort(): void {
    if (!this.client.can('abort')) return;
    this.client.abort();
    // who waits for a turn hears it even before the line is closed
    this.lost ??= new SmtpError({ code: 'EABORTED', phase: 'quit' });
  }

  // ── what the client tells ──

  #hear(event: SmtpEvent): void {
    if (event.name === 'CONNECTED') this.opened.resolve();
    if (event.name === 'AUTH_FAIL') {
      this.#loginError = event.error;
      this.client.disconnect();
    }
    if (event.name === 'DRAIN') {
      this.#drain.resolve();
      this.#drain = new Deferred();
    }
    if (event.name === 'RESET') this.#resets.shift()?.resolve(event);
    if (event.name === 'NOOP_ACK') this.#noops.shift()?.resolve(event);
    if (event.name === 'SERVER_ERROR' || event.name === 'SERVER_RETRY') {
      if (event.step === 'reset') this.#resets.shift()?.reject(event.error);
      if (event.step === 'noop') this.#noops.shift()?.reject(event.error);
    }
    if (event.name === 'DISCONNECTED') this.#end(event);
    else if ('message' in event && event.message !== undefined) this.#hearOf(event.message.id, event);
  }

  #hearOf(id: number, event: SmtpEvent): void {
    const delivery = this.#underWay.get(id);
    delivery?.hear(event);
    if (delivery?.over) this.#settle(delivery);
  }

  #settle(delivery: Delivery): void {
    this.#underWay.delete(delivery.message.id);
    this.#settled.resolve();
    this.#settled = new Deferred();
  }

  #end({ reason, messages }: Told<'DISCONNECTED'>): void {
    this.lost = reason;
    const detail = 'the connection was closed before the answer came';
    const error = reason ?? new SmtpError({ code: 'EABORTED', phase: 'quit', detail });
    this.opened.reject(this.#loginError ?? error);
    for (const { message, outcome, accepted = [] } of messages) {
      const delivery = this.#underWay.get(message.id);
      delivery?.deliveredTo(accepted);
      delivery?.fail(delivery.givenUp ?? error, outcome);
    }
    for (const delivery of this.#underWay.values()) {
      delivery.fail(delivery.givenUp ?? error, 'unsent');
      this.#settle(delivery);
    }
    for (const wait of [...this.#resets.splice(0), ...this.#noops.splice(0)]) wait.reject(error);
    this.closed.resolve();
  }
}
