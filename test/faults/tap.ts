/**
 * A transport around another that counts what passes and keeps the client's bytes: what a test of faults and of
 * security asks of the wire. It changes nothing.
 */
import type { Target, TlsOptions, Transport, TransportEvent } from 'smtpump/testing';

export class Tap implements Transport {
  readonly calls = { open: 0, secure: 0, write: 0, poll: 0, close: 0 };
  /** What the client wrote, one array a write. */
  readonly writes: Uint8Array[] = [];
  bytesIn = 0;
  /** The names that were given to TLS. */
  readonly servernames: (string | undefined)[] = [];
  readonly #inner: Transport;

  constructor(inner: Transport) {
    this.#inner = inner;
  }

  get onReady(): (() => void) | undefined {
    return this.#inner.onReady;
  }

  set onReady(fn: (() => void) | undefined) {
    this.#inner.onReady = fn;
  }

  get bytesOut(): number {
    return this.writes.reduce((sum, bytes) => sum + bytes.length, 0);
  }

  /** All that the client wrote, one character an octet. */
  get text(): string {
    return Buffer.concat(this.writes).toString('latin1');
  }

  open(target: Target): void {
    this.calls.open++;
    this.#inner.open(target);
  }

  secure(options: TlsOptions): void {
    this.calls.secure++;
    this.servernames.push(options.servername);
    this.#inner.secure(options);
  }

  write(bytes: Uint8Array): boolean {
    this.calls.write++;
    this.writes.push(bytes.slice());
    return this.#inner.write(bytes);
  }

  close(graceful: boolean): void {
    this.calls.close++;
    this.#inner.close(graceful);
  }

  poll(): TransportEvent | undefined {
    const event = this.#inner.poll();
    if (event !== undefined) this.calls.poll++;
    if (event?.type === 'bytes') this.bytesIn += event.bytes.length;
    return event;
  }
}
