/**
 * The server's end of a line with manners of its own: it drips, it slips octets in before TLS, and a server that has
 * said its last word hears and says nothing more. It knows no SMTP.
 */
import type { ChannelBinding, Clock, Handshake, SimLine, Target } from 'smtpump/testing';

export interface Manners {
  /** Each few octets so many ms after the last; 0 is at once. */
  readonly dripMs: number;
  readonly handshake: Handshake;
  /** Written in clear when TLS is about to begin. */
  readonly injected: string | undefined;
  /** Told what passes, for a transcript. */
  passed(direction: 'C' | 'S', what: Uint8Array | string): void;
  onInjected(): void;
}

/** Most pieces that one write is dripped in. */
const mostDrops = 40;

export class NastyLine implements SimLine {
  readonly #line: SimLine;
  readonly #manners: Manners;
  readonly #drops: (Uint8Array | 'end')[] = [];
  /** The server has said its last word. */
  #done = false;
  #onBytes: ((bytes: Uint8Array) => void) | undefined;

  constructor(line: SimLine, manners: Manners) {
    this.#line = line;
    this.#manners = manners;
    line.onBytes = (bytes) => {
      manners.passed('C', bytes);
      if (!this.#done) this.#onBytes?.(bytes);
    };
  }

  get number(): number {
    return this.#line.number;
  }

  get target(): Target {
    return this.#line.target;
  }

  get clock(): Clock {
    return this.#line.clock;
  }

  get secure(): boolean {
    return this.#line.secure;
  }

  get servername(): string | undefined {
    return this.#line.servername;
  }

  get binding(): ChannelBinding {
    return this.#line.binding;
  }

  get onBytes(): ((bytes: Uint8Array) => void) | undefined {
    return this.#onBytes;
  }

  set onBytes(fn) {
    this.#onBytes = fn;
  }

  get onClose(): ((error: Error | undefined) => void) | undefined {
    return this.#line.onClose;
  }

  set onClose(fn) {
    this.#line.onClose = (error) => {
      this.#manners.passed('C', error === undefined ? 'closes' : `breaks: ${error.message}`);
      fn?.(error);
    };
  }

  get onSecure(): (() => void) | undefined {
    return this.#line.onSecure;
  }

  set onSecure(fn) {
    this.#line.onSecure = () => {
      this.#manners.passed('S', 'is secure');
      fn?.();
    };
  }

  write(data: Uint8Array | string): boolean {
    if (this.#done) return true;
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    if (this.#manners.dripMs === 0) return this.#say(bytes);
    const size = Math.max(2, Math.ceil(bytes.length / mostDrops));
    const idle = this.#drops.length === 0;
    for (let at = 0; at < bytes.length; at += size) this.#drops.push(bytes.subarray(at, at + size));
    if (idle) this.#drip();
    return true;
  }

  end(): void {
    if (this.#drops.length > 0) this.#drops.push('end');
    else this.#hangUp();
  }

  reset(): void {
    this.#manners.passed('S', 'breaks the line');
    this.#drops.length = 0;
    this.#line.reset();
  }

  stall(): void {
    this.#manners.passed('S', 'stalls');
    this.#line.stall();
  }

  startTls(): void {
    const { handshake, injected } = this.#manners;
    this.#manners.passed('S', `expects TLS, which will be ${handshake}`);
    if (injected !== undefined && !this.#line.secure && this.#drops.length === 0) {
      this.#manners.onInjected();
      this.#say(Buffer.from(injected));
    }
    this.#line.startTls(handshake);
  }

  pause(): void {
    this.#line.pause();
  }

  resume(): void {
    this.#line.resume();
  }

  after(ms: number, fn: () => void): void {
    this.#line.after(ms, () => {
      if (!this.#done) fn();
    });
  }

  /** Says this and closes; what the server was about to do it does not do. */
  lastWord(text: string): void {
    if (this.#done) return;
    this.#drops.length = 0;
    this.#say(Buffer.from(text));
    this.#done = true;
    this.#hangUp();
  }

  #say(bytes: Uint8Array): boolean {
    this.#manners.passed('S', bytes);
    return this.#line.write(bytes);
  }

  #hangUp(): void {
    this.#manners.passed('S', 'closes');
    this.#line.end();
  }

  /** The first drop falls at once. */
  #drip(): void {
    const drop = this.#drops[0];
    if (drop === undefined) return;
    if (drop === 'end') {
      this.#drops.length = 0;
      this.#hangUp();
      return;
    }
    this.#say(drop);
    this.#line.after(this.#manners.dripMs, () => {
      this.#drops.shift();
      this.#drip();
    });
  }
}
