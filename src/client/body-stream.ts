/**
 * The body of the message at hand as a Node `Writable`: back-pressure by DRAIN, the end of the stream is the end of
 * the message. It uses the client's public members only.
 */
import { Writable } from 'node:stream';
import type { SmtpEvent } from '../core/events.ts';
import { SmtpUsageError } from '../errors.ts';

/** What the stream needs of a client. */
export interface BodyTaker {
  sendBody(chunk: Uint8Array): number;
  sendEom(): void;
  on(name: 'event', listener: (event: SmtpEvent) => void): unknown;
  off(name: 'event', listener: (event: SmtpEvent) => void): unknown;
}

export class BodyStream extends Writable {
  readonly #client: BodyTaker;
  #rest: Uint8Array | undefined;
  #done: ((error?: Error | null) => void) | undefined;
  readonly #listen = (event: SmtpEvent): void => this.#hear(event);

  constructor(client: BodyTaker) {
    super({ decodeStrings: true });
    this.#client = client;
    client.on('event', this.#listen);
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#rest = chunk;
    this.#done = done;
    this.#give();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#try(done, () => this.#client.sendEom());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#client.off('event', this.#listen);
    done(error);
  }

  #give(): void {
    const chunk = this.#rest;
    if (chunk === undefined || this.#done === undefined) return;
    try {
      const taken = this.#client.sendBody(chunk);
      this.#rest = taken < chunk.length ? chunk.subarray(taken) : undefined;
    } catch (error) {
      this.#finish(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    if (this.#rest === undefined) this.#finish(null);
  }

  #finish(error: Error | null): void {
    const done = this.#done;
    this.#rest = undefined;
    this.#done = undefined;
    done?.(error);
  }

  #hear(event: SmtpEvent): void {
    if (event.name === 'DRAIN') this.#give();
    if (event.name === 'DISCONNECTED') {
      this.destroy(
        event.reason ?? new SmtpUsageError('ENOTCONN', 'the connection ended before the body did'),
      );
    }
  }

  #try(done: (error?: Error | null) => void, step: () => void): void {
    try {
      step();
      done();
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
