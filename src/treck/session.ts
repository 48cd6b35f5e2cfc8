/**
 * One session: its options, and the client of its connection. It turns the client's pump when it is told to, keeps the
 * result of the last action, and passes events on. Of the protocol it knows nothing.
 */
import { turnUntil } from '../blocking/turn.ts';
import { SmtpClient } from '../client/client.ts';
import type { SmtpEvent } from '../core/events.ts';
import type { SmtpClientOptions, TargetOptions } from '../options.ts';
import type { TlsOptions, Transport, WaitingTransport } from '../transport/transport.ts';
import { type WorkerOptions, worker } from '../transport/worker.ts';
import * as codes from './codes.ts';
import { returnCode } from './errors.ts';
import { eventNumber } from './events.ts';
import type { SmtpHandle } from './handle.ts';

/** What the manual has no function for, and an embedded program may want to choose. */
export interface SessionOptions
  extends Pick<
    SmtpClientOptions,
    'localName' | 'pipelining' | 'chunking' | 'bodyBufferBytes' | 'clock' | 'random'
  > {
  /** Makes the transport of each connection, with the socket options that were set. @default worker */
  readonly transport?: ((options: WorkerOptions) => Transport) | undefined;
  /** May a login leave on a line without TLS? @default false */
  readonly allowPlaintext?: boolean | undefined;
}

/** Called inside tfSmtpUserExecute (and in blocking mode inside any call) with each event. */
export type EventCallback = (handle: SmtpHandle, event: number) => void;

/** Called when tfSmtpUserExecute has something to do. `eventId` is not used. */
export type NotifyCallback = (handle: SmtpHandle, userPointer: unknown, eventId: number) => void;

export class Session {
  readonly handle: SmtpHandle = Object.freeze({});
  readonly allowPlaintext: boolean;
  pointer: unknown = null;
  tlsMode: number = codes.TM_SMTP_TLSMODE_OPTIONAL;
  /** Without it TLS is never tried. */
  tlsOptions: TlsOptions | undefined;
  socketOptions: WorkerOptions = {};
  /** The notify callback runs. */
  notifying = false;
  client: SmtpClient | undefined;
  readonly #options: SmtpClientOptions;
  readonly #makeTransport: (options: WorkerOptions) => Transport;
  readonly #blocking: boolean;
  readonly #callback: EventCallback | null;
  #notify: NotifyCallback | null = null;
  /** What blocking mode waits for. */
  #line: WaitingTransport | undefined;
  /** Of the last action that was answered. */
  #result = codes.TM_ENOERROR;
  /** CONNECTED is due. */
  #opening = false;
  /** In place of it the server has refused us, and that was told. */
  #refused = false;
  #drained = false;
  #turning = false;

  constructor(
    clientOptions: SmtpClientOptions,
    blocking: boolean,
    callback: EventCallback | null,
    { transport, allowPlaintext = false }: SessionOptions,
  ) {
    this.#options = { ...clientOptions, pump: 'manual' };
    // a program that has been waiting has nothing left to do when it ends
    this.#makeTransport = transport ?? ((options) => worker({ ...options, ref: !blocking }));
    this.#blocking = blocking;
    this.#callback = callback;
    this.allowPlaintext = allowPlaintext;
  }

  /** A connection is up, or on its way up or down. */
  get isOnline(): boolean {
    return this.client !== undefined && this.client.state !== 'disconnected';
  }

  setNotify(notify: NotifyCallback | null): void {
    this.#notify = notify;
    this.#listen();
  }

  /** @throws SmtpUsageError */
  connect(target: TargetOptions): number {
    if (this.isOnline) return codes.TM_EISCONN;
    const transport = this.#makeTransport(this.socketOptions);
    const waits = canWait(transport);
    if (this.#blocking && !waits) return codes.TM_EOPNOTSUPP;
    const client = new SmtpClient({ ...this.#options, transport });
    client.connect(target);
    client.on('event', (event) => this.#hear(event));
    this.#line = waits ? transport : undefined;
    this.client = client;
    this.#opening = true;
    this.#refused = false;
    this.#listen();
    return this.#begun();
  }

  /**
   * An action: a step that has a result. In blocking mode it is waited for; a call inside a callback cannot wait.
   * @throws SmtpUsageError
   */
  act(step: (client: SmtpClient) => void): number {
    if (this.client === undefined) return codes.TM_EPERM;
    step(this.client);
    return this.#begun();
  }

  /**
   * An action on the message at hand; one that was refused takes no more of them.
   * @throws SmtpUsageError
   */
  actOnMessage(step: (client: SmtpClient) => void): number {
    return this.hasMessage ? this.act(step) : codes.TM_EPERM;
  }

  /** Of the last action that was answered. */
  get result(): number {
    return this.#result;
  }

  /** There is a message at hand, and the server has not refused it. */
  get hasMessage(): boolean {
    return this.client !== undefined && this.client.state !== 'ready';
  }

  /** One turn. TM_EINPROGRESS, or the result of the last action. */
  execute(): number {
    return this.#turn() === 'idle' ? this.#result : codes.TM_EINPROGRESS;
  }

  /**
   * Octets taken. Fewer than given: the line is full; in blocking mode, which waits for it to drain: lost.
   * @throws SmtpUsageError
   */
  sendBody(octets: Uint8Array): number {
    const { client } = this;
    if (client === undefined) return 0;
    let taken = client.sendBody(octets);
    if (!this.#blocking || this.#turning) return taken;
    while (taken < octets.length) {
      this.#drained = false;
      this.#turnUntil(() => this.#drained || !client.can('sendBody'));
      if (!client.can('sendBody')) return taken;
      taken += client.sendBody(octets.subarray(taken));
    }
    this.#turn();
    return taken;
  }

  /** Leaves the line and forgets it: by QUIT, which only blocking mode waits to see answered. */
  leave(): void {
    const { client } = this;
    if (client !== undefined && this.isOnline) {
      client.removeAllListeners().setAsyncCallback(undefined);
      client.disconnect();
      if (this.#blocking && !this.#turning) this.#finish();
      else client.execute();
      if (client.can('abort')) client.abort();
      client.execute();
    }
    this.client = undefined;
  }

  #begun(): number {
    return this.#blocking && !this.#turning ? this.#finish() : codes.TM_EINPROGRESS;
  }

  #finish(): number {
    this.#turnUntil(() => false);
    return this.#result;
  }

  /** Until it is so, or nothing is awaited any more. */
  #turnUntil(done: () => boolean): void {
    const pump = {
      execute: () => this.#turn(),
      readTimer: () => this.client?.readTimer() ?? Number.POSITIVE_INFINITY,
    };
    turnUntil(pump, { wait: (ms) => this.#line?.wait(ms) ?? false }, done);
  }

  #turn(): 'more' | 'pending' | 'idle' {
    const { client } = this;
    if (client === undefined) return 'idle';
    const outer = this.#turning;
    this.#turning = true;
    try {
      const verdict = client.execute();
      // a callback may have connected again
      return client === this.client ? verdict : 'more';
    } finally {
      this.#turning = outer;
    }
  }

  #hear(event: SmtpEvent): void {
    this.#result = resultOf(event) ?? this.#result;
    if (event.name === 'DRAIN') this.#drained = true;
    if (event.name === 'CONNECTED') this.#opening = false;
    if (event.name === 'SERVER_ERROR' || event.name === 'SERVER_RETRY') this.#refused = this.#opening;
    const number = eventNumber(event, this.#refused);
    if (number !== undefined) this.#callback?.(this.handle, number);
  }

  #listen(): void {
    const notify = this.#notify;
    this.client?.setAsyncCallback(
      notify === null
        ? undefined
        : () => {
            this.notifying = true;
            try {
              notify(this.handle, this.pointer, 0);
            } finally {
              this.notifying = false;
            }
          },
    );
  }
}

/** What an event makes of the result of the last action; undefined: nothing. */
function resultOf(event: SmtpEvent): number | undefined {
  switch (event.name) {
    case 'SERVER_ERROR':
    case 'SERVER_RETRY':
    case 'AUTH_FAIL':
    case 'SECURE_FAIL':
    case 'TIMEOUT':
      return returnCode(event.error);
    case 'DISCONNECTED':
      return event.reason === undefined ? codes.TM_ENOERROR : returnCode(event.reason);
    case 'DRAIN':
    case 'SECURE_OK':
    case 'AUTH_OK':
      return undefined;
    default:
      return codes.TM_ENOERROR;
  }
}

function canWait(transport: Transport): transport is WaitingTransport {
  return 'wait' in transport && typeof transport.wait === 'function';
}
