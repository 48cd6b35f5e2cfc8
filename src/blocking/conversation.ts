/**
 * What the client tells between two steps: waits for the event that answers a step, and throws where another says
 * that it has failed. It knows no option, and calls no step but to leave after a failed login.
 */
import type { SmtpClient } from '../client/client.ts';
import type { Recipient, SmtpEvent } from '../core/events.ts';
import { SmtpError, SmtpUsageError } from '../errors.ts';
import type { TlsInfo, WaitingTransport } from '../transport/transport.ts';
import { turnUntil } from './turn.ts';

/** The event of that name. */
type Told<Name extends SmtpEvent['name']> = Extract<SmtpEvent, { name: Name }>;

/** A recipient that did not get the message. */
export interface Refused {
  readonly recipient: Recipient;
  readonly error: SmtpError;
}

export class Conversation {
  /** Of this connection. */
  tls: TlsInfo | undefined;
  /** Of the message at hand. */
  refused: Refused[] = [];
  /** Those accepted for the message at hand, and not refused since. */
  recipients = 0;
  readonly #client: SmtpClient;
  readonly #transport: WaitingTransport;
  /** Events that nobody has looked at. */
  readonly #told: SmtpEvent[] = [];
  /** The message at hand was refused: there is nothing left to send of it. */
  #over = false;
  /** Why the connection is going to end. */
  #failure: SmtpError | undefined;

  constructor(client: SmtpClient, transport: WaitingTransport) {
    this.#client = client;
    this.#transport = transport;
    client.on('event', (event) => this.#told.push(event));
  }

  /** Before `connect()`. */
  startAnew(): void {
    // a line that was lost meanwhile is found now
    if (!this.#client.can('connect')) this.#client.execute();
    this.#told.length = 0;
    this.#failure = undefined;
    this.tls = undefined;
  }

  startMessage(): void {
    this.refused = [];
    this.recipients = 0;
    this.#over = false;
  }

  /** Takes what has arrived since the last step. Throws where the line is lost, or the message at hand was refused. */
  lookUp(): void {
    this.#client.execute();
    for (let event = this.#told.shift(); event !== undefined; event = this.#told.shift()) this.#judge(event);
  }

  /** The same; and the next step goes on with the message at hand. */
  lookUpMessage(): void {
    this.lookUp();
    // of a refused message the step client swallows the rest: who waited for an answer would wait for ever
    if (!this.#over) return;
    throw new SmtpUsageError('EPERM', 'the message was refused: begin another with sendSender()');
  }

  /** Waits for the event that answers a step. */
  answer<Name extends SmtpEvent['name']>(name: Name): Told<Name> {
    const answers = (event: SmtpEvent): event is Told<Name> => event.name === name;
    for (;;) {
      const event = this.#next();
      if (event.name === 'CONNECTED') this.#failure = undefined; // TLS was refused, and `optional` goes on in clear
      if (answers(event)) return event;
      this.#judge(event);
    }
  }

  /** Waits for the end of the connection, whatever else is told. @returns why, where it was not asked for */
  untilGone(): SmtpError | undefined {
    for (;;) {
      const event = this.#next();
      if (event.name === 'TIMEOUT') this.#failure ??= event.error;
      if (event.name === 'DISCONNECTED') return this.#failure ?? event.reason;
    }
  }

  #next(): SmtpEvent {
    for (;;) {
      const event = this.#told.shift();
      if (event !== undefined) return event;
      if (!turnUntil(this.#client, this.#transport, () => this.#told.length > 0)) {
        throw new Error('nothing is awaited, and no answer has come');
      }
    }
  }

  /** Keeps what an event tells, and throws where it says that the step has failed. */
  #judge(event: SmtpEvent): void {
    switch (event.name) {
      case 'SECURE_OK':
        this.tls = event.tls;
        return;
      case 'AUTH_FAIL':
        this.#client.disconnect();
        this.#failure ??= event.error;
        return;
      case 'SECURE_FAIL':
      case 'TIMEOUT':
        this.#failure ??= event.error;
        return;
      case 'SERVER_ERROR':
      case 'SERVER_RETRY':
        return this.#refuse(event);
      case 'DISCONNECTED':
        throw this.#failure ?? event.reason ?? new SmtpError({ code: 'ESHUTDOWN', phase: 'quit' });
    }
  }

  #refuse({ step, recipient, error }: Told<'SERVER_ERROR' | 'SERVER_RETRY'>): void {
    if (step === 'connect') {
      this.#failure ??= error;
      return;
    }
    if (recipient !== undefined) this.refused.push({ recipient, error });
    if (step === 'sendRecipient' || step === 'noop') throw error;
    // LMTP: the others may still be accepted
    if (recipient !== undefined && --this.recipients > 0) return;
    this.#over = true;
    throw error;
  }
}
