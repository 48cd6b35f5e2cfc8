/** Real sockets on the loopback, for tests: a listener whose ends are all closed afterwards, and a watcher of events. */
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { createSecureContext, TLSSocket, type TLSSocketOptions } from 'node:tls';
import { afterEach } from 'vitest';
import { tcp } from '../../src/transport/tcp.ts';
import type { Transport, TransportEvent } from '../../src/transport/transport.ts';
import { type WorkerOptions, worker } from '../../src/transport/worker.ts';

export type Make = (options?: WorkerOptions) => Transport;

/** The transports that open sockets: each behaves as the others do. */
export const transports: readonly (readonly [name: string, make: Make])[] = [
  ['tcp', tcp],
  ['worker', worker],
];

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

export interface Listener {
  readonly port: number;
  /** The server's ends, oldest first. */
  readonly sockets: Socket[];
  /** The first of them; a client in another thread may know sooner that the line is up. */
  readonly first: Promise<Socket>;
}

/** Listens on the loopback; every connection goes to `serve`. */
export async function listen(
  serve: (socket: Socket) => void = () => {},
  where: ListenOptions = { host: '127.0.0.1', port: 0 },
): Promise<Listener> {
  const sockets: Socket[] = [];
  let accept = (_socket: Socket) => {};
  const first = new Promise<Socket>((resolve) => {
    accept = resolve;
  });
  const server = createServer((socket) => {
    sockets.push(socket);
    accept(socket);
    socket.on('error', () => {});
    serve(socket);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(where, resolve));
  cleanups.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: portOf(server), sockets, first };
}

/** Of a server that listens; 0 on a unix socket. */
export function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Runs when the test is over. */
export function atEnd(cleanup: () => void): void {
  cleanups.push(cleanup);
}

/** The server's side of a handshake on an open socket. */
export function serveTls(
  socket: Socket,
  options: TLSSocketOptions & { key: string; cert: string },
): TLSSocket {
  const { key, cert, maxVersion, minVersion } = options;
  const secureContext = createSecureContext({
    key,
    cert,
    ...(maxVersion === undefined ? {} : { maxVersion }),
    ...(minVersion === undefined ? {} : { minVersion }),
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  });
  const secure = new TLSSocket(socket, { ...options, secureContext, isServer: true });
  secure.on('error', () => {});
  return secure;
}

/** Polls whenever told to, and lets a test wait for what has come. */
export class Watch {
  readonly transport: Transport;
  readonly events: TransportEvent[] = [];
  text = '';
  #waiting: (() => void)[] = [];

  constructor(transport: Transport) {
    this.transport = transport;
    transport.onReady = () => this.drain();
    cleanups.push(() => transport.close(false));
  }

  drain(): void {
    for (let event = this.transport.poll(); event !== undefined; event = this.transport.poll()) {
      this.events.push(event);
      if (event.type === 'bytes') this.text += Buffer.from(event.bytes).toString('latin1');
    }
    for (const check of this.#waiting) check();
  }

  until(test: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!test()) return;
        this.#waiting = this.#waiting.filter((other) => other !== check);
        resolve();
      };
      this.#waiting.push(check);
      check();
    });
  }

  /** Waits for the next event of that kind that was not waited for before. */
  async next<T extends TransportEvent['type']>(type: T): Promise<Extract<TransportEvent, { type: T }>> {
    const is = (event: TransportEvent): event is Extract<TransportEvent, { type: T }> => event.type === type;
    await this.until(() => this.events.some(is));
    const index = this.events.findIndex(is);
    const [event] = this.events.splice(0, index + 1).slice(-1);
    if (event === undefined || !is(event)) throw new Error('unreachable');
    return event;
  }

  hears(text: string): Promise<void> {
    return this.until(() => this.text.includes(text));
  }

  say(text: string): boolean {
    return this.transport.write(Buffer.from(text));
  }
}

export function once(socket: Socket, event: string): Promise<void> {
  return new Promise((resolve) => {
    socket.once(event, () => resolve());
  });
}

/** What the socket hears until it ends. */
export async function readAll(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
  });
  socket.resume();
  await once(socket, 'end');
  return text;
}

/** So many turns of the event loop: what could happen without anyone's help has happened. */
export async function turns(n = 50): Promise<void> {
  for (let i = 0; i < n; i++) await new Promise((resolve) => setImmediate(resolve));
}
