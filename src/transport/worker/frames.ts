/**
 * Transport events as they go through a ring: four bytes that say what and how long, and then the line's bytes as
 * they are, or a short JSON text. It knows no thread.
 */
import type { TlsInfo, TransportEvent } from '../transport.ts';
import type { Ring } from './ring.ts';

const headerBytes = 4;
/** The kind of a frame stands above its length. */
const lengthBits = 28;
const lengthMask = 2 ** lengthBits - 1;
const bytesKind = 1;
const eventKind = 2;
/** The least piece that is worth a frame of its own, where more is to come. */
const leastPiece = 4096;
/** Longer texts of errors are cut. */
const longestText = 500;

const decoder = new TextDecoder();

/** An event on its way into the ring, in as many frames as it takes. */
export class Outgoing {
  readonly #kind: number;
  readonly #payload: Uint8Array;
  #from = 0;

  constructor(event: TransportEvent) {
    this.#kind = event.type === 'bytes' ? bytesKind : eventKind;
    this.#payload = event.type === 'bytes' ? event.bytes : Buffer.from(textOf(event));
  }

  /** Puts into the ring what there is room for. @returns whether all of it has gone */
  put(ring: Ring): boolean {
    const left = this.#payload.length - this.#from;
    const room = ring.room - headerBytes;
    const length = Math.min(left, room);
    if (length < left && (this.#kind === eventKind || length < leastPiece / 2)) return false;
    ring.writeWord((this.#kind << lengthBits) | length);
    ring.write(this.#payload.subarray(this.#from, this.#from + length));
    ring.publish();
    this.#from += length;
    return this.#from === this.#payload.length;
  }
}

/** Takes the next event out of the ring, or undefined. */
export function takeEvent(ring: Ring): TransportEvent | undefined {
  if (ring.used === 0) return undefined;
  const header = ring.readWord();
  const bytes = ring.read(header & lengthMask);
  ring.release();
  return header >>> lengthBits === bytesKind ? { type: 'bytes', bytes } : eventOf(bytes);
}

/** What JSON cannot carry, in words that it can. */
type Plain =
  | { readonly type: 'open'; readonly localAddress?: string; readonly remoteAddress?: string }
  | { readonly type: 'drain' }
  | { readonly type: 'secure'; readonly tls: Omit<TlsInfo, 'binding'>; readonly binding?: PlainBinding }
  | { readonly type: 'lost'; readonly during: 'open' | 'secure' | 'line'; readonly error?: PlainError };

interface PlainBinding {
  readonly type: 'tls-exporter' | 'tls-server-end-point';
  readonly data: string;
}

interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
}

function textOf(event: Exclude<TransportEvent, { type: 'bytes' }>): string {
  if (event.type === 'secure') {
    const { binding, ...tls } = event.tls;
    const data = binding && { type: binding.type, data: Buffer.from(binding.data).toString('base64') };
    return JSON.stringify({ type: 'secure', tls, binding: data });
  }
  if (event.type !== 'lost' || event.error === undefined) return JSON.stringify(event);
  const { name, message } = event.error;
  const code = 'code' in event.error ? String(event.error.code) : undefined;
  return JSON.stringify({ ...event, error: { name, message: message.slice(0, longestText), code } });
}

function eventOf(bytes: Uint8Array): TransportEvent {
  // written by `textOf` of the same build
  const plain = JSON.parse(decoder.decode(bytes)) as Plain;
  if (plain.type === 'secure') {
    const { tls, binding } = plain;
    const { servername } = tls;
    if (binding === undefined) return { type: 'secure', tls: { ...tls, servername } };
    const data = new Uint8Array(Buffer.from(binding.data, 'base64'));
    return { type: 'secure', tls: { ...tls, servername, binding: { type: binding.type, data } } };
  }
  if (plain.type !== 'lost') return plain;
  const { during, error } = plain;
  return error === undefined ? { type: 'lost', during } : { type: 'lost', during, error: errorOf(error) };
}

function errorOf({ name, message, code }: PlainError): Error {
  const error = Object.assign(new Error(message), code === undefined ? {} : { code });
  return name === error.name ? error : Object.assign(error, { name });
}
