/**
 * One simulated connection: two pipes, the server's end of them, and who answers a call. Knows TCP and TLS only as
 * far as a mail client can see them, and nothing of SMTP.
 *
 * ```
 *  client ── toServer ──▶ pump() ──▶ onBytes, onSecure, onClose of the server
 *  client ◀── toClient ── write(), startTls(), end(), reset() of the server
 * ```
 */
import type { Clock } from '../clock.ts';
import { Alarm } from './alarm.ts';
import type { Call, Exchange, Handshake, LineFault, SimLine, SimServer } from './exchange.ts';
import { LineError } from './line-error.ts';
import { type HelloOptions, type Parcel, Pipe, type PipeFault } from './pipe.ts';
import { Random } from './random.ts';
import type { ChannelBinding, Target } from './transport.ts';

/** What a server that expects SMTP finds instead of a command when the client starts TLS. */
const clientHello = Uint8Array.of(0x16, 0x03, 0x01, 0x00, 0x04, 0x01, 0x00, 0x00, 0x00);
const encoder = new TextEncoder();

type SavedLine = ReturnType<Line['save']>;

export class Line implements SimLine {
  readonly number: number;
  readonly target: Target;
  readonly clock: Clock;
  readonly toServer: Pipe;
  readonly toClient: Pipe;
  readonly binding: ChannelBinding;
  onBytes: ((bytes: Uint8Array) => void) | undefined;
  onClose: ((error: Error | undefined) => void) | undefined;
  onSecure: (() => void) | undefined;
  /** For the client's end: the server has read something. */
  onPumped: (() => void) | undefined;
  secure = false;
  servername: string | undefined;
  readonly #server: SimServer | undefined;
  readonly #random: Random;
  readonly #fault: LineFault | undefined;
  readonly #alarm: Alarm;
  #expected: Handshake | undefined;
  #accepted = false;
  #closed = false;
  #paused = false;
  /** How often `after` has still to run. */
  #timers = 0;
  #pumping = false;

  constructor(clock: Clock, target: Target, call: Call) {
    const { number, shape, random, fault, server } = call;
    this.#random = random;
    this.#fault = fault;
    const passing = fault !== undefined && 'after' in fault ? fault : undefined;
    this.number = number;
    this.target = target;
    this.clock = clock;
    this.toServer = new Pipe(clock, random, shape, passing?.direction === 'toServer' ? passing : undefined);
    this.toClient = new Pipe(clock, random, shape, passing?.direction === 'toClient' ? passing : undefined);
    this.binding = { type: 'tls-exporter', data: new Uint8Array(32).fill(number & 0xff) };
    this.#alarm = new Alarm(clock, () => this.pump());
    this.#server = 'missing' in server ? undefined : server;
  }

  /** A new line. */
  static dial(clock: Clock, target: Target, call: Call): Line {
    const { fault, server, shape } = call;
    const line = new Line(clock, target, call);
    const missing = fault !== undefined && !('after' in fault) ? fault.kind : undefined;
    line.#call(missing ?? ('missing' in server ? server.missing : undefined), shape.latencyMs ?? 0);
    return line;
  }

  get over(): boolean {
    if (this.#closed || !this.toClient.closed) return this.#closed;
    return this.toServer.nextAt === Number.POSITIVE_INFINITY && this.#timers === 0;
  }

  save(secrets: readonly Uint8Array[]) {
    const { number, target, secure, servername } = this;
    return {
      number,
      target,
      secure,
      servername,
      random: this.#random.save(),
      fault: this.#fault,
      expected: this.#expected,
      closed: this.#closed,
      paused: this.#paused,
      accepted: this.#accepted,
      toServer: this.toServer.save(secrets),
      toClient: this.toClient.save([]),
    };
  }

  static load(saved: SavedLine, exchange: Exchange, secrets: () => readonly Uint8Array[]): Line {
    const { number, target, fault, expected, closed, paused, accepted } = saved;
    if (exchange.redial === undefined) throw new Error('its network cannot restore a line');
    const random = new Random();
    random.load(saved.random);
    const line = new Line(exchange.clock, target, { ...exchange.redial(target), number, random, fault });
    line.secure = saved.secure;
    line.servername = saved.servername;
    line.#expected = expected;
    line.#closed = closed;
    line.#paused = paused;
    line.#accepted = accepted;
    line.toServer.load(saved.toServer, secrets);
    line.toClient.load(saved.toClient, secrets);
    line.#resume();
    return line;
  }

  #resume(): void {
    this.toServer.onQueued = () => this.#arm();
    if (this.#accepted && !this.#closed) {
      if (this.#server?.resume === undefined) throw new Error(`its server cannot resume line ${this.number}`);
      this.#server.resume(this);
    }
    this.#arm();
  }

  /** SYN, SYN+ACK, ACK: the client is open after two ways, the server accepts after three. */
  #call(missing: 'refuse' | 'unreachable' | 'unknown' | undefined, latencyMs: number): void {
    const where = this.target.path ?? `${this.target.host}:${this.target.port}`;
    if (missing === undefined) {
      this.toClient.send({ type: 'open' }, latencyMs);
      this.toServer.onQueued = () => this.#arm();
      this.toServer.send({ type: 'accept' }, 2 * latencyMs);
    } else if (missing === 'refuse') {
      const error = new LineError('ECONNREFUSED', `nobody listens at ${where}`);
      this.toClient.send({ type: 'refused', error }, latencyMs);
    } else if (missing === 'unknown') {
      this.toClient.send({ type: 'refused', error: new LineError('ENOTFOUND', `no host ${where}`) });
    }
  }

  /** Hands the server what has arrived. A server whose own output is not read reads nothing either, as real ones do. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (!this.#paused && !this.toClient.full) {
        const parcel = this.toServer.take();
        if (parcel === undefined) break;
        this.#deliver(parcel);
      }
    } finally {
      this.#pumping = false;
    }
    this.#arm();
    this.onPumped?.();
  }

  write(data: Uint8Array | string): boolean {
    if (this.#closed) return true;
    return this.toClient.write(typeof data === 'string' ? encoder.encode(data) : data, this.secure);
  }

  end(): void {
    if (!this.#closed) this.toClient.send({ type: 'fin' });
  }

  reset(): void {
    if (this.#closed) return;
    this.toClient.send({ type: 'reset', error: new LineError('ECONNRESET', 'the server reset the line') });
    this.#shut();
  }

  stall(): void {
    this.toClient.stall();
    this.toServer.stall();
    this.#alarm.cancel();
  }

  startTls(outcome: Handshake = 'ok'): void {
    this.#expected = outcome;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#arm();
  }

  after(ms: number, fn: () => void): void {
    this.#timers++;
    const run = (): void => {
      this.#timers--;
      // what arrives at the same moment has come first
      this.pump();
      if (!this.#closed) fn();
    };
    if (this.clock.wake === undefined) throw new Error('the clock of this line cannot wake anyone');
    this.clock.wake(this.clock.now() + ms, run);
  }

  #deliver(parcel: Parcel): void {
    if (parcel.type === 'accept') this.#accept();
    else if (this.#closed) return;
    else if (parcel.type === 'bytes') this.onBytes?.(parcel.bytes);
    else if (parcel.type === 'hello') this.#shake(parcel.options);
    else if (parcel.type === 'fin') this.#hangUp(undefined);
    else if (parcel.type === 'reset') this.#hangUp(parcel.error);
    else if (parcel.type === 'fault') this.#fail(parcel.kind);
  }

  #accept(): void {
    this.#accepted = true;
    this.#server?.accept(this);
  }

  #fail(kind: PipeFault['kind']): void {
    if (kind === 'stall') this.stall();
    else if (kind === 'end') this.end();
    else {
      const { onClose } = this;
      this.reset();
      onClose?.(new LineError('ECONNRESET', 'the line broke'));
    }
  }

  #shake(options: HelloOptions): void {
    const outcome = this.#expected;
    this.#expected = undefined;
    if (outcome === undefined) this.onBytes?.(clientHello);
    else if (outcome === 'fail') {
      const error = new LineError(
        'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
        'the server refused the handshake',
      );
      this.toClient.send({ type: 'reset', error });
      this.#hangUp(error);
    } else if (outcome !== 'stall') this.#greet(outcome, options);
  }

  /** The certificate is shown; the client may refuse it. */
  #greet(outcome: 'ok' | 'wrong-name' | 'untrusted', options: HelloOptions): void {
    const error = outcome === 'ok' ? undefined : certificateError(outcome);
    if (error !== undefined && options.rejectUnauthorized !== false) {
      this.toClient.send({ type: 'reset', error });
      return;
    }
    const { servername } = options;
    const tls = { protocol: 'TLSv1.3', cipher: 'SIMULATED', authorized: error === undefined, servername };
    this.toClient.send({ type: 'tls', tls: { ...tls, resumed: false, binding: this.binding } });
    this.secure = true;
    this.servername = servername;
    this.onSecure?.();
  }

  #hangUp(error: Error | undefined): void {
    const { onClose } = this;
    this.#shut();
    onClose?.(error);
  }

  #shut(): void {
    this.#closed = true;
    this.onBytes = this.onClose = this.onSecure = undefined;
  }

  #arm(): void {
    if (this.#pumping) return;
    const at = this.toServer.nextAt;
    if (this.#paused || this.toClient.full || at === Number.POSITIVE_INFINITY) this.#alarm.cancel();
    else this.#alarm.set(at);
  }
}

function certificateError(outcome: 'wrong-name' | 'untrusted'): LineError {
  return outcome === 'wrong-name'
    ? new LineError('ERR_TLS_CERT_ALTNAME_INVALID', "the certificate's names do not include the host")
    : new LineError('SELF_SIGNED_CERT_IN_CHAIN', 'the certificate is signed by nobody known');
}
