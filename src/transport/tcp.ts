/**
 * The transport of real life: node:net and node:tls. It needs a loop that returns to Node. It knows no SMTP, and keeps
 * no socket longer than it is open.
 */
import {
  connect,
  type IpcNetConnectOpts,
  type OnReadOpts,
  type Socket,
  type TcpNetConnectOpts,
} from 'node:net';
import { checkOptionsOf } from '../checks.ts';
import { longestTimeoutMs } from '../clock.ts';
import { clearBytes, LineError } from './line-error.ts';
import { type TcpOptions, tcpChecks } from './tcp-options.ts';
import { TlsMemory } from './tls-memory.ts';
import { finishTls, type Handshake, startTls } from './tls-upgrade.ts';
import type { Target, TlsOptions, Transport, TransportEvent } from './transport.ts';

const defaultReadBytes = 262_144;
const defaultWriteBytes = 65_536;
const defaultCloseMs = 2000;

/**
 * Where what arrives in clear is put, whoever it is for: a new buffer for each read costs as much as the read. On Node
 * only: Deno does not bear it once TLS begins.
 */
const landing =
  'deno' in process.versions || 'bun' in process.versions ? undefined : Buffer.allocUnsafeSlow(65_536);

/**
 * A transport for one client; it can be opened again after each loss or close.
 * @throws SmtpUsageError EINVAL, naming the option
 */
export function tcp(options: TcpOptions = {}): Transport {
  checkOptionsOf(options, tcpChecks, 'tcp');
  return new TcpTransport(options);
}

type State = 'closed' | 'opening' | 'open' | 'securing';

export class TcpTransport implements Transport {
  onReady: (() => void) | undefined;
  readonly #options: TcpOptions;
  readonly #readBytes: number;
  readonly #tls: TlsMemory;
  #state: State = 'closed';
  #target: Target | undefined;
  #socket: Socket | undefined;
  /** Takes our listeners off the socket. */
  #release: () => void = () => {};
  #events: TransportEvent[] = [];
  #unread = 0;
  /** onReady() was called and nobody has polled since. */
  #told = false;
  #corked = false;

  constructor(options: TcpOptions) {
    this.#options = options;
    this.#tls = options.tlsMemory ?? new TlsMemory();
    this.#readBytes = options.readBytes ?? defaultReadBytes;
  }

  open(target: Target): void {
    this.close(false);
    this.#target = target;
    this.#state = 'opening';
    const socket: Socket = connect({
      ...connectOptions(target, this.#options),
      ...(landing && {
        onread: landAt(landing, (bytes) => this.#socket === socket && this.#read(socket, bytes)),
      }),
    });
    this.#attach(socket);
    socket.once('connect', () => {
      if (this.#socket !== socket) return;
      this.#state = 'open';
      const { localAddress, remoteAddress } = socket;
      this.#push({ type: 'open', localAddress, remoteAddress });
    });
  }

  secure(options: TlsOptions): void {
    const raw = this.#socket;
    const target = this.#target;
    if (raw === undefined || target === undefined || this.#state !== 'open') {
      // The line may have been lost a moment ago: `lost` waits to be polled and says it.
      if (this.#events.some(({ type }) => type === 'lost')) return;
      throw new Error('secure() needs an open line');
    }
    this.#state = 'securing';
    this.#flush();
    if (this.#unread > 0 || raw.readableLength > 0) {
      this.#loseSoon(raw, clearBytes());
    } else if (raw.writableLength > 0) {
      // Clear bytes that wait must leave before the handshake.
      raw.write('', () => this.#socket === raw && this.#upgrade(raw, options, target.host));
    } else this.#upgrade(raw, options, target.host);
  }

  write(bytes: Uint8Array): boolean {
    const socket = this.#socket;
    // After a loss the event says it all; a write that crosses it must not throw.
    if (socket === undefined) return true;
    if (!this.#corked) {
      this.#corked = true;
      socket.cork();
      process.nextTick(() => this.#socket === socket && this.#flush());
    }
    return socket.write(bytes);
  }

  /** @param gone called when nothing of the line is left */
  close(graceful: boolean, gone: () => void = ignore): void {
    const socket = this.#socket;
    const busy = this.#state === 'opening' || this.#state === 'securing';
    this.#forget();
    this.#events = [];
    this.#unread = 0;
    if (socket === undefined) return gone();
    socket.once('close', gone);
    if (graceful && !busy) endGently(socket, this.#options.closeMs ?? defaultCloseMs);
    else socket.destroy();
  }

  poll(): TransportEvent | undefined {
    this.#told = false;
    const event = this.#events.shift();
    if (event?.type === 'bytes') {
      this.#unread -= event.bytes.length;
      if (this.#unread <= this.#readBytes / 2 && this.#socket?.isPaused() === true) this.#socket.resume();
    }
    return event;
  }

  #upgrade(raw: Socket, options: TlsOptions, host: string): void {
    let handshake: Handshake;
    try {
      handshake = startTls(raw, options, host, this.#options.writeBytes ?? defaultWriteBytes, this.#tls);
    } catch (error) {
      this.#loseSoon(raw, error instanceof Error ? error : new Error(String(error)));
      return;
    }
    this.#release();
    // What goes wrong below shows at the TLS socket as well; here it must only not be thrown.
    raw.on('error', ignore);
    const { socket } = handshake;
    this.#attach(socket);
    socket.once('secureConnect', () => {
      if (this.#socket === socket) this.#finish(handshake);
    });
  }

  #finish(handshake: Handshake): void {
    try {
      const tls = finishTls(handshake, this.#tls);
      this.#state = 'open';
      this.#push({ type: 'secure', tls });
    } catch (error) {
      this.#lose(handshake.socket, error instanceof Error ? error : new Error(String(error)));
    }
  }

  #attach(socket: Socket): void {
    this.#socket = socket;
    this.#corked = false;
    const onData = (bytes: Buffer): void => this.#read(socket, bytes);
    const onDrain = (): void => this.#push({ type: 'drain' });
    const onEnd = (): void => this.#lose(socket, undefined);
    const onError = (error: Error): void => this.#lose(socket, error);
    socket.on('data', onData).on('drain', onDrain).on('end', onEnd).on('close', onEnd).on('error', onError);
    this.#release = () => {
      socket
        .off('data', onData)
        .off('drain', onDrain)
        .off('end', onEnd)
        .off('close', onEnd)
        .off('error', onError);
    };
  }

  #read(socket: Socket, bytes: Buffer): void {
    this.#unread += bytes.length;
    if (this.#unread > this.#readBytes) socket.pause();
    this.#push({ type: 'bytes', bytes });
  }

  #push(event: TransportEvent): void {
    this.#events.push(event);
    if (this.#told) return;
    this.#told = true;
    this.onReady?.();
  }

  #lose(socket: Socket, error: Error | undefined): void {
    if (this.#socket !== socket) return;
    const during = this.#state === 'opening' ? 'open' : this.#state === 'securing' ? 'secure' : 'line';
    this.#forget();
    socket.destroy();
    const told = error === undefined && during !== 'line' ? cutShort() : error;
    this.#push(
      told === undefined ? { type: 'lost', during } : { type: 'lost', during, error: readable(told) },
    );
  }

  /** A call never emits: the loss is told a moment later. */
  #loseSoon(socket: Socket, error: Error): void {
    process.nextTick(() => this.#lose(socket, error));
  }

  /** Lets go of the socket; a late error of it must not be thrown. */
  #forget(): void {
    this.#flush();
    this.#release();
    this.#release = () => {};
    this.#socket?.on('error', ignore);
    this.#socket = undefined;
    this.#state = 'closed';
  }

  #flush(): void {
    if (!this.#corked) return;
    this.#corked = false;
    this.#socket?.uncork();
  }
}

/** Node calls for each arrival; what arrived is copied before the next one lands. */
function landAt(buffer: Buffer, take: (bytes: Buffer) => void): OnReadOpts {
  return {
    buffer,
    callback(length) {
      take(Buffer.from(buffer.subarray(0, length)));
      return true;
    },
  };
}

function connectOptions(target: Target, options: TcpOptions): TcpNetConnectOpts | IpcNetConnectOpts {
  const stream = { highWaterMark: options.writeBytes ?? defaultWriteBytes };
  if (target.path !== undefined) return { ...stream, path: target.path };
  const {
    noDelay = true,
    keepAlive = false,
    family = 0,
    keepAliveInitialDelay,
    localAddress,
    lookup,
  } = options;
  return {
    ...stream,
    autoSelectFamily: family === 0,
    family,
    noDelay,
    keepAlive,
    keepAliveInitialDelay,
    localAddress,
    lookup,
    ...options.connectOptions,
    host: target.host,
    port: target.port,
  };
}

/** Sends what is left and the end, reads away what still comes, and does not wait for ever. */
function endGently(socket: Socket, closeMs: number): void {
  const timer = setTimeout(() => socket.destroy(), Math.min(closeMs, longestTimeoutMs));
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
  socket.resume();
  socket.end();
}

/** When every address failed Node gives an AggregateError without a text. */
function readable(error: Error): Error {
  if (!(error instanceof AggregateError) || error.message !== '') return error;
  const texts = error.errors.map((each) => (each instanceof Error ? each.message : String(each)));
  const code = 'code' in error ? String(error.code) : 'ECONNREFUSED';
  return new LineError(code, texts.join('; '), error);
}

function cutShort(): LineError {
  return new LineError('ECONNRESET', 'the peer closed the line before it was up');
}

function ignore(): void {}
