// @ts-check
/**
 * The sink in the client's own process: a transport whose other end is a {@link SinkSession}, without sockets, time
 * or pipes between. What it costs is a few scans of the bytes; what is left is the client's core.
 */
import { greeting, SinkSession } from './session.mjs';

/** Replies as bytes, made once: a client's run must not pay for the server's encoder. @type {Map<string, Buffer>} */
const encoded = new Map();

/** @implements {Transport} */
export class MemorySink {
  /** @type {(() => void) | undefined} */
  onReady;
  #counts;
  #chunking;
  #session;
  /** @type {TransportEvent[]} */
  #events = [];
  #next = 0;

  /**
   * @param {{ messages: number, octets: number }} counts @param {boolean} [chunking]
   * @typedef {import('smtpump').Transport} Transport
   * @typedef {import('smtpump').TransportEvent} TransportEvent
   */
  constructor(counts, chunking = false) {
    this.#counts = counts;
    this.#chunking = chunking;
    this.#session = new SinkSession(counts, chunking);
  }

  open() {
    this.#session = new SinkSession(this.#counts, this.#chunking);
    this.#push({ type: 'open', localAddress: '192.0.2.1' });
    this.#say(greeting);
  }

  secure() {
    throw new Error('this sink speaks no TLS');
  }

  /** @param {Uint8Array} bytes */
  write(bytes) {
    const buffer =
      bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const replies = this.#session.take(buffer);
    if (replies !== '') this.#say(replies);
    if (this.#session.quit) this.#push({ type: 'lost', during: 'line' });
    return true;
  }

  close() {
    this.#events = [];
    this.#next = 0;
  }

  poll() {
    const event = this.#events[this.#next];
    if (event === undefined) return undefined;
    this.#next++;
    if (this.#next === this.#events.length) {
      this.#events.length = 0;
      this.#next = 0;
    }
    return event;
  }

  /** @param {string} replies */
  #say(replies) {
    let bytes = encoded.get(replies);
    if (bytes === undefined) {
      bytes = Buffer.from(replies, 'latin1');
      if (encoded.size < 1000) encoded.set(replies, bytes);
    }
    this.#push({ type: 'bytes', bytes });
  }

  /** @param {TransportEvent} event */
  #push(event) {
    this.#events.push(event);
    this.onReady?.();
  }
}
