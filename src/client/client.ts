/**
 * The step client. Its one law: **nothing happens but in `execute()`.** A step only queues (and throws on misuse);
 * sockets are touched and listeners run inside `execute()` and nowhere else. With `pump: 'auto'` Node's event loop
 * calls it; with `pump: 'manual'` you do.
 *
 * This file checks what the caller gives and turns the crank. It decides nothing of the protocol: legality is asked
 * of the charts, everything else is the core's.
 */
import type { Writable } from 'node:stream';
import type { Step } from '../../machines/vocabulary.ts';
import { type Clock, systemClock } from '../clock.ts';
import { Connection } from '../core/connection.ts';
import type { Message, Recipient, SmtpEvent, SmtpListeners } from '../core/events.ts';
import { takeBody } from '../core/intake.ts';
import type { Mail } from '../core/mail.ts';
import { mailProblem, recipientProblem } from '../core/offers.ts';
import { SmtpUsageError } from '../errors.ts';
import type { Json } from '../json.ts';
import { checkOptions, type SmtpClientOptions, settingsFor, type TargetOptions } from '../options.ts';
import { tcp } from '../transport/tcp.ts';
import type { Capabilities } from '../wire/capabilities.ts';
import type { Reply } from '../wire/reply.ts';
import { type BomOptions, headerFor } from './begin.ts';
import { BodyStream } from './body-stream.ts';
import { Crank } from './crank.ts';
import { Driver } from './driver.ts';
import { checkRecipient, checkSender, type RecipientOptions, type SenderOptions } from './envelope.ts';
import { illegal, isLegal, type StepFacts, stepNamed, steps } from './legality.ts';
import { Listeners } from './listeners.ts';
import { restoreClient, saveClient } from './snapshot.ts';
import { type SmtpState, stateOf } from './state.ts';

/**
 * An SMTP or LMTP client of single steps. Steps queue; {@link execute} does the work and calls the listeners, and
 * nothing else does. A listener that throws keeps no other from hearing; what it threw comes out of `execute()`.
 */
export class SmtpClient extends Listeners<SmtpListeners> {
  readonly #options: SmtpClientOptions;
  readonly #clock: Clock;
  readonly #core = new Connection();
  readonly #crank: Crank;
  /** Bodies that are being written as streams. */
  readonly #streams = new Set<BodyStream>();
  /** What {@link connect} was given last. */
  #target: TargetOptions | undefined;

  /** @throws SmtpUsageError EINVAL, naming the option */
  constructor(options: SmtpClientOptions = {}) {
    super();
    checkOptions(options);
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const driver = options.pump === 'manual' ? undefined : new Driver(this);
    this.#crank = new Crank(this.#core, options.transport ?? tcp(), this.#clock, {
      emit: (event) => this.#emit(event),
      ring: () => driver?.wake(),
    });
  }

  // ── what can be asked ──

  /** What the newest message, else the connection, is doing. */
  get state(): SmtpState {
    return stateOf(this.#core);
  }

  /** TLS is on. */
  get secure(): boolean {
    return this.#core.tls !== undefined;
  }

  /** What the server offers; undefined until CONNECTED. */
  get capabilities(): Capabilities | undefined {
    return this.#core.capabilities;
  }

  /** The last reply of the server, whatever it answered; undefined before the greeting. */
  get lastReply(): Reply | undefined {
    return this.#core.lastReply;
  }

  /** Commands that the server has not answered. */
  get due(): number {
    return this.#core.ledger.due;
  }

  /** Is this step legal now? */
  can(step: Step): boolean {
    return isLegal(stepNamed(step), this.#core);
  }

  // ── steps: they queue, and throw on misuse ──

  /**
   * Opens, secures, greets, introduces, logs in; then CONNECTED. What is given stands before the client's options.
   * @throws SmtpUsageError EISCONN, EINVAL
   */
  connect(target: TargetOptions = {}): void {
    const settings = settingsFor(this.#options, target);
    this.#require(steps.connect);
    this.#target = target;
    this.#core.connect(settings);
    this.#crank.stepped();
  }

  /**
   * MAIL FROM (RFC 5321 §4.1.1.2): begins a message.
   * @returns the message, as its events carry it
   * @throws SmtpUsageError EINVAL, EPERM, ENOTCONN, EUNSUPPORTED
   */
  sendSender(sender: string | SenderOptions): Message {
    this.#require(steps.sendSender);
    const checked = checkSender(sender);
    const { capabilities, settings } = this.#core;
    this.#offered(capabilities && mailProblem(checked.parameters, capabilities, settings.chunking), 'sender');
    const { message } = this.#core.transactions.begin(checked);
    this.#crank.stepped();
    return message;
  }

  /**
   * RCPT TO (RFC 5321 §4.1.1.3).
   * @returns the recipient, as its events carry it
   * @throws SmtpUsageError EINVAL, EPERM, ENOTCONN, EUNSUPPORTED
   */
  sendRecipient(recipient: string | RecipientOptions): Recipient {
    const mail = this.#requireMail(steps.sendRecipient);
    const extras = checkRecipient(recipient, mail.sender);
    this.#offered(this.capabilities && recipientProblem(extras.parameters, this.capabilities), 'recipient');
    const address = typeof recipient === 'string' ? recipient : recipient.address;
    const added = this.#core.transactions.addRecipient(mail, address, extras);
    this.#crank.stepped();
    return added;
  }

  /**
   * Begin of message: DATA and the header (RFC 5321 §4.1.1.4).
   * @throws SmtpUsageError EINVAL, EPERM, ENOTCONN
   */
  sendBom(options: BomOptions = {}): void {
    const mail = this.#requireMail(steps.sendBom);
    const header = headerFor(mail, options, this.#core.settings, this.#clock);
    this.#core.transactions.open(mail, header);
    this.#crank.stepped();
  }

  /**
   * A piece of the body. A string is UTF-8, and is taken whole or not at all. Bytes that were taken must not be
   * changed before the message's outcome.
   * @returns octets taken; fewer than given: wait for DRAIN
   * @throws SmtpUsageError EPERM, ENOTCONN, EUNSUPPORTED (8-bit octets that the server cannot take), EINVAL
   */
  sendBody(chunk: string | Uint8Array): number {
    const mail = this.#requireMail(steps.sendBody);
    const taken = takeBody(mail, chunk, this.#core.capabilities);
    this.#crank.stepped();
    return taken;
  }

  /**
   * End of message.
   * @throws SmtpUsageError EPERM, ENOTCONN
   */
  sendEom(): void {
    this.#core.transactions.end(this.#requireMail(steps.sendEom));
    this.#crank.stepped();
  }

  /**
   * RSET (RFC 5321 §4.1.1.5): takes back the newest message that has not ended.
   * @throws SmtpUsageError EPERM, ENOTCONN
   */
  reset(): void {
    this.#require(steps.reset);
    this.#core.reset();
    this.#crank.stepped();
  }

  /**
   * NOOP (RFC 5321 §4.1.1.9).
   * @throws SmtpUsageError EPERM, ENOTCONN
   */
  noop(): void {
    this.#require(steps.noop);
    this.#core.noop();
    this.#crank.stepped();
  }

  /**
   * QUIT after the verdicts of all ended messages, then close (RFC 5321 §4.1.1.10).
   * @throws SmtpUsageError ENOTCONN
   */
  disconnect(): void {
    this.#require(steps.disconnect);
    this.#core.disconnect();
    this.#crank.stepped();
  }

  /**
   * Closes at once.
   * @throws SmtpUsageError ENOTCONN
   */
  abort(): void {
    this.#require(steps.abort);
    this.#core.abort();
    this.#crank.stepped();
  }

  /**
   * The body of the message at hand as a `Writable` with back-pressure; its end is the end of the message. Destroyed
   * before its end it takes the message back, by {@link reset}.
   * @throws SmtpUsageError EPERM, ENOTCONN
   */
  bodyStream(): Writable {
    const mail = this.#requireMail(steps.sendBody);
    const { transactions } = this.#core;
    const isOpen = (): boolean => transactions.newest === mail && isLegal(steps.sendBody, this.#core);
    const stream = new BodyStream(this, isOpen, () => this.#streams.delete(stream));
    this.#streams.add(stream);
    return stream;
  }

  // ── saved and restored ──

  /**
   * All that is pending, bodies and the memory transport's octets too, as plain JSON without credentials and options.
   * @throws SmtpUsageError EPERM in a listener, while a {@link bodyStream} is open, over a real socket
   */
  save(): Json {
    return saveClient(this.#crank, this.#target, this.#streams.size > 0);
  }

  /**
   * A client without listeners that goes on where {@link save} was called: same octets, same events, same times left.
   * @param options those of the saved client, with a new `transport` onto its server, or onto that one restored
   * @param target `auth` and `tlsOptions`, where `connect()` was given them
   * @throws SmtpUsageError EINVAL where the JSON was changed or is of another format, EPERM over a real socket
   */
  static restore(saved: Json, options: SmtpClientOptions, target: TargetOptions = {}): SmtpClient {
    const client = new SmtpClient(options);
    client.#target = restoreClient(saved, client.#crank, options, target);
    return client;
  }

  // ── the crank ──

  /**
   * Does what there is to do, at most `budget` arrivals and `budget` events, and says whether to call again: now
   * (`'more'`), when something has arrived or {@link readTimer} runs out (`'pending'`), or after the next step
   * (`'idle'`). Calling too early, too late or too often is harmless.
   * @param budget a whole number above 0. @default 64
   */
  execute(budget = 64): 'more' | 'pending' | 'idle' {
    return this.#crank.execute(budget);
  }

  /** Milliseconds until `execute()` has something to do though nothing arrives: 0 is now, `Infinity` never. */
  readTimer(): number {
    return this.#crank.readTimer();
  }

  /** `fn` is called when `execute()` would do something: at most once until the next `execute()`, never inside it. */
  setAsyncCallback(fn: (() => void) | undefined): void {
    this.#crank.callback = fn;
  }

  #emit(event: SmtpEvent): void {
    const { name } = event;
    if (this.#streams.size > 0) for (const stream of this.#streams) stream.hear(event);
    // the name and the event belong together: one union, discriminated by `name`
    if (this.hears(name)) (this.emit as (name: string, event: SmtpEvent) => boolean).call(this, name, event);
    const isTracing = name === 'COMMAND' || name === 'REPLY' || name === 'STATE';
    if (!isTracing && this.hears('event')) this.emit('event', event);
    this.rethrow();
  }

  protected override listenersChanged(): void {
    super.listenersChanged();
    this.#crank.trace((name) => this.listenerCount(name) > 0);
  }

  // ── legality ──

  #require(step: StepFacts): void {
    if (!isLegal(step, this.#core)) throw illegal(step, this.state, this.#core);
  }

  /** The message that the step belongs to. */
  #requireMail(step: StepFacts): Mail {
    const { newest } = this.#core.transactions;
    if (newest === undefined || !isLegal(step, this.#core)) throw illegal(step, this.state, this.#core);
    return newest;
  }

  /** What the server is known not to offer throws; what is not known yet is found when it leaves. */
  #offered(problem: string | undefined, option: string): void {
    if (problem !== undefined) throw new SmtpUsageError('EUNSUPPORTED', problem, option);
  }
}
