/**
 * The body of the message at hand as a Node `Writable`: back-pressure by DRAIN, the end of the stream is the end of
 * the message. It uses the client's public members only.
 */
import { Writable } from 'node:stream';
import type { SmtpEvent } from '../core/events.ts';
import { asError, SmtpError } from '../errors.ts';

/** What the stream needs of a client. */
export interface BodyTaker {
  sendBody(chunk: Uint8Array): number;
  sendEom(): void;
  can(step: 'reset'): boolean;
  reset(): void;
}

export class BodyStream extends Writable {
  readonly #client: BodyTaker;
  readonly #isOpen: () => boolean;
  #rest: Uint8Array | undefined;
  #done: ((error?: Error | null) => void) | undefined;
  readonly #release: () => void;

  /**
   * @param isOpen whether the message that the stream was made for still takes its body
   * @param release called when the stream needs to hear no more
   */
  constructor(client: BodyTaker, isOpen: () => boolean, release: () => void) {
    super({ decodeStrings: true });
    this.#client = client;
    this.#isOpen = isOpen;
    this.#release = release;
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#rest = chunk;
    this.#done = done;
    this.#give();
  }

  override _final(done: (error?: Error | null) => void): void {
    if (!this.#isOpen()) return done(takenBack());
    try {
      this.#client.sendEom();
      done();
    } catch (error) {
      done(asError(error));
    }
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#release();
    // what broke off must not arrive as if it were whole
    if (!this.writableFinished && this.#isOpen() && this.#client.can('reset')) this.#client.reset();
    done(error);
  }

  #give(): void {
    const chunk = this.#rest;
    if (chunk === undefined || this.#done === undefined) return;
    if (!this.#isOpen()) return this.#finish(takenBack());
    try {
      const taken = this.#client.sendBody(chunk);
      this.#rest = taken < chunk.length ? chunk.subarray(taken) : undefined;
    } catch (error) {
      this.#finish(asError(error));
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

  /** The client tells its streams first, so that no listener's error keeps a body from flowing. */
  hear(event: SmtpEvent): void {
    if (event.name === 'DRAIN') this.#give();
    if (event.name === 'RESET' && !this.#isOpen()) this.destroy(takenBack());
    if (event.name === 'DISCONNECTED') this.destroy(event.reason ?? takenBack());
  }
}

/** The message was taken back, or another one has begun. */
function takenBack(): SmtpError {
  return new SmtpError({ code: 'EABORTED', phase: 'body', detail: 'the message ended before its body did' });
}
