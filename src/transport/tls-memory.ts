/**
 * What makes the next handshake cheap: one secure context for each set of trust options, and the session of the last
 * verified handshake with each name under them. Node checks neither chain nor name of a resumed session, so a session
 * is kept only once both were verified, and offered only for the same name under the very same options.
 */
import { createHash } from 'node:crypto';
import { createSecureContext, type PeerCertificate, type SecureContext, type TLSSocket } from 'node:tls';
import type { TlsOptions } from './transport.ts';

/** A session with what it was verified for. */
export interface KnownSession {
  readonly session: Buffer;
  readonly certificate: PeerCertificate;
}

/** Configurations that are remembered; beyond it the oldest is forgotten. */
const most = 256;

export class TlsMemory {
  readonly #contexts = new Map<string, SecureContext>();
  readonly #sessions = new Map<string, KnownSession>();
  readonly #keys = new WeakMap<TlsOptions, string>();
  readonly #ids = new WeakMap<object, number>();
  #lastId = 0;

  /** The context of these options, made once. Throws what node:tls throws at options that it cannot use. */
  contextFor(options: TlsOptions): SecureContext {
    if (options.secureContext !== undefined) return options.secureContext;
    const key = this.#keyOf(options);
    const context = this.#contexts.get(key) ?? createSecureContext(options);
    remember(this.#contexts, key, context);
    return context;
  }

  sessionFor(options: TlsOptions, name: string): KnownSession | undefined {
    return this.#sessions.get(`${name} ${this.#keyOf(options)}`);
  }

  /** Keeps the sessions that a verified handshake brings; each is worth more than the one before. */
  learn(socket: TLSSocket, options: TlsOptions, name: string, certificate: PeerCertificate): void {
    const key = `${name} ${this.#keyOf(options)}`;
    const keep = (session: Buffer): void => remember(this.#sessions, key, { session, certificate });
    // by TLS 1.3 tickets come when they come; before it the session is there with the handshake
    const session = socket.getProtocol() === 'TLSv1.3' ? undefined : socket.getSession();
    if (session !== undefined) keep(session);
    socket.on('session', keep);
  }

  forget(options: TlsOptions, name: string): void {
    this.#sessions.delete(`${name} ${this.#keyOf(options)}`);
  }

  /** Equal for options whose values are the same: plain data by value, everything else by identity. */
  #keyOf(options: TlsOptions): string {
    let key = this.#keys.get(options);
    if (key === undefined) {
      const entries = Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1));
      key = entries.map(([name, value]) => `${name}=${this.#mark(value)}`).join(' ');
      this.#keys.set(options, key);
    }
    return key;
  }

  #mark(value: unknown): string {
    if ((typeof value !== 'object' || value === null) && typeof value !== 'function')
      return JSON.stringify(value) ?? '';
    if (value instanceof Uint8Array) return `bytes ${createHash('sha256').update(value).digest('base64')}`;
    if (Array.isArray(value)) return `[${value.map((item) => this.#mark(item)).join()}]`;
    let id = this.#ids.get(value);
    if (id === undefined) {
      id = ++this.#lastId;
      this.#ids.set(value, id);
    }
    return `#${id}`;
  }
}

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > most && oldest !== undefined) map.delete(oldest);
}
