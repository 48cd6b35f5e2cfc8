/**
 * One message on its way: what has been heard of it and of each of its recipients, and who waits to hear. It calls no
 * step and decides nothing; the client's events say what happened.
 */
import type { Message, Recipient, SmtpEvent } from '../core/events.ts';
import { SmtpError } from '../errors.ts';
import type { Reply } from '../wire/reply.ts';
import { Deferred } from './deferred.ts';
import { type RecipientResult, type RecipientStatus, SendError, type SendResult } from './result.ts';

type Ack<Name extends SmtpEvent['name']> = Extract<SmtpEvent, { name: Name }>;
type Refusal = Ack<'SERVER_ERROR' | 'SERVER_RETRY'>;

/** A recipient whose end may be open. */
interface Fate {
  readonly recipient: Recipient;
  status: RecipientStatus | undefined;
  reply: Reply | undefined;
  error: Error | undefined;
}

export class Delivery {
  readonly message: Message;
  readonly sender = new Deferred<Ack<'SENDER_ACK'>>().mute();
  readonly bom = new Deferred<Ack<'BOM_ACK'>>().mute();
  readonly end = new Deferred<SendResult>().mute();
  /** Why nobody got it, once that is so. */
  failure: Error | undefined;
  /** The message has its outcome. */
  over = false;
  /** Its end was called for: it cannot be taken back. */
  ended = false;
  /** Bodies that are being given, one after the other. */
  pouring: Promise<void> | undefined;
  /** Its caller has given it up, and the line with it. */
  givenUp: SmtpError | undefined;
  readonly #fates = new Map<number, Fate>();
  readonly #acks = new Map<number, Deferred<Ack<'RECIPIENT_ACK'>>>();
  readonly #interrupted = new Set<Deferred<never>>();

  constructor(message: Message) {
    this.message = message;
  }

  /** A recipient more. @returns what answers it */
  addRecipient(recipient: Recipient): Promise<Ack<'RECIPIENT_ACK'>> {
    const ack = new Deferred<Ack<'RECIPIENT_ACK'>>();
    if (this.failure !== undefined) ack.reject(this.failure);
    this.#fates.set(recipient.id, { recipient, status: undefined, reply: undefined, error: undefined });
    this.#acks.set(recipient.id, ack.mute());
    return ack.promise;
  }

  /** One for each recipient, in the order given. */
  results(otherwise: RecipientStatus = 'unsent'): RecipientResult[] {
    return [...this.#fates.values()].map(({ status = otherwise, ...rest }) => ({ status, ...rest }));
  }

  /** The promise, unless the message ends first. */
  async until<T>(promise: Promise<T>): Promise<T> {
    const interrupt = new Deferred<never>().mute();
    if (this.failure !== undefined) interrupt.reject(this.failure);
    this.#interrupted.add(interrupt);
    try {
      return await Promise.race([promise, interrupt.promise]);
    } finally {
      this.#interrupted.delete(interrupt);
    }
  }

  hear(event: SmtpEvent): void {
    switch (event.name) {
      case 'SENDER_ACK':
        return this.sender.resolve(event);
      case 'RECIPIENT_ACK':
        return this.#acks.get(event.recipient.id)?.resolve(event);
      case 'BOM_ACK':
        return this.bom.resolve(event);
      case 'EOM_ACK':
        return this.#deliver(event);
      case 'SERVER_ERROR':
      case 'SERVER_RETRY':
        return this.#refuse(event);
    }
  }

  /** LMTP: recipients who have it though the message has no verdict. */
  deliveredTo(recipients: readonly Recipient[]): void {
    for (const { id } of recipients) this.#decide(id, { status: 'delivered' });
  }

  /** It has come to an end, and whoever has no result yet gets this one. */
  fail(error: Error, outcome: RecipientStatus, reply?: Reply): void {
    if (this.over) return;
    for (const id of this.#fates.keys()) this.#decide(id, { status: outcome, reply, error });
    this.failure = error instanceof SmtpError ? new SendError(error, this.results()) : error;
    this.over = true;
    const waiting = [this.sender, ...this.#acks.values(), this.bom, this.end, ...this.#interrupted];
    for (const wait of waiting) wait.reject(this.failure);
  }

  #deliver({ message, reply, accepted }: Ack<'EOM_ACK'>): void {
    if (this.over) return;
    for (const { id } of accepted) this.#decide(id, { status: 'delivered', reply });
    this.over = true;
    this.end.resolve({ message, reply, recipients: this.results() });
  }

  #refuse({ name, step, recipient, reply, error }: Refusal): void {
    const status = name === 'SERVER_RETRY' ? 'deferred' : 'refused';
    if (recipient === undefined) return this.fail(error, status, reply);
    this.#decide(recipient.id, { status, reply, error });
    this.#acks.get(recipient.id)?.reject(error);
    // LMTP: verdicts come one by one, and where all are no, no other event says so
    const open = [...this.#fates.values()].some((fate) => fate.status === undefined);
    if (step === 'sendEom' && !open) this.fail(error, status);
  }

  /** The first result stands. */
  #decide(id: number, result: Omit<RecipientResult, 'recipient'>): void {
    const fate = this.#fates.get(id);
    if (fate !== undefined && fate.status === undefined) Object.assign(fate, result);
  }
}
