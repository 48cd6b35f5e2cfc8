/**
 * The steps with `await`, on one connection. Each method calls a step of the client and waits for the event that
 * answers it. It uses the client's public members only, and decides nothing of the protocol.
 */
import type { BomOptions } from '../client/begin.ts';
import { SmtpClient } from '../client/client.ts';
import type { RecipientOptions, SenderOptions } from '../client/envelope.ts';
import { asError, type Phase, SmtpError, SmtpUsageError } from '../errors.ts';
import type { SmtpClientOptions } from '../options.ts';
import type { Body } from './body.ts';
import { Deferred } from './deferred.ts';
import type { Delivery } from './delivery.ts';
import { bomOf, checkMail, type Mail, recipientsOf } from './mail.ts';
import { SendError, type SendResult } from './result.ts';
import { type CallOptions, refuseAborted, withSignal } from './signal.ts';
import { type Told, Traffic } from './traffic.ts';
import { Turns } from './turns.ts';

/** Messages that `send()` has begun and that have no verdict, at most; the client keeps fewer of them on the wire. */
const mostUnderWay = 64;

/**
 * Opens a connection, secures it and logs in, as the options say.
 *
 * @param options of a new client; or a client that is not connected, for example one whose pump is yours
 * @returns the connection, once mail can be sent
 * @throws SmtpError where the connection or the login fails; the line is closed by then. SmtpUsageError EINVAL, EISCONN
 */
export async function connect(
  options: SmtpClientOptions | SmtpClient = {},
  { signal }: CallOptions = {},
): Promise<SmtpConnection> {
  refuseAborted(signal, 'connect');
  const traffic = new Traffic(options instanceof SmtpClient ? options : clientOf(options));
  let givenUp: SmtpError | undefined;
  try {
    await withSignal(traffic.opened.promise, signal, 'connect', (error) => {
      givenUp = error;
      traffic.abort();
    });
  } catch (error) {
    throw givenUp ?? error;
  }
  return new SmtpConnection(traffic);
}

function clientOf(options: SmtpClientOptions): SmtpClient {
  const client = new SmtpClient(options);
  if (options.pump !== 'manual') return client;
  const text = 'nobody could turn it before connect() is done: make the client yourself, and give that';
  throw new SmtpUsageError('EINVAL', text, 'pump');
}

/**
 * A connection that mail can be sent on. {@link send} sends a whole mail; the other methods are the client's steps,
 * each of which resolves with the event that answers it and rejects with the `SmtpError` of a refusal.
 *
 * Steps may be called ahead, without waiting for the one before; then wait for all of them, by `Promise.all`. Misuse
 * rejects with an `SmtpUsageError`. When the line is lost whatever waits rejects with the reason. The steps of a message
 * and `send()` do not mix: finish the one before the other.
 *
 * **A call that is given up** by its signal rejects with `EABORTED`, whose `cause` is the signal's reason. A message
 * that has not ended is taken back (by RSET, where some of it has left; while its content stands open after DATA it
 * can only be cut off, with the line). For every other call the line is closed at once, since the answer would still
 * come: then the other calls on this connection fail as well.
 */
export class SmtpConnection implements AsyncDisposable {
  /** What it runs on: for `on()`, `capabilities`, `secure`, `execute()`. */
  readonly client: SmtpClient;
  readonly #traffic: Traffic;
  readonly #turns = new Turns();

  /** @internal Use {@link connect}. */
  constructor(traffic: Traffic) {
    this.client = traffic.client;
    this.#traffic = traffic;
  }

  // ── a whole mail ──

  /**
   * Sends a mail. Many can be sent at once: they go in the order of the calls, each as soon as the line takes it.
   *
   * A refused recipient is no failure as long as somebody gets the mail: look at the result's `recipients`.
   * @throws SendError where nobody got it, or the connection failed; its `recipients` say who may have it all the
   *   same. SmtpUsageError for a mail that cannot be sent. What the body's source throws, as it is; then the message
   *   was taken back
   */
  async send(mail: Mail, { signal }: CallOptions = {}): Promise<SendResult> {
    refuseAborted(signal, 'mail');
    checkMail(mail);
    const endTurn = await this.#turns.take(signal, 'mail');
    let delivery: Delivery;
    try {
      while (this.#traffic.size >= mostUnderWay) await this.#oneSettles(signal);
      if (this.#traffic.lost !== undefined)
        throw new SendError(this.#traffic.lost, unsent(mail, this.#traffic.lost));
      delivery = this.#traffic.begin(mail.from);
      await this.#abortable(this.#giveMail(delivery, mail), delivery, signal, 'body');
    } finally {
      endTurn();
    }
    return this.#abortable(delivery.end.promise, delivery, signal, 'verdict');
  }

  // ── step by step ──

  /** MAIL FROM: begins a message. */
  async sendSender(
    sender: string | SenderOptions,
    { signal }: CallOptions = {},
  ): Promise<Told<'SENDER_ACK'>> {
    refuseAborted(signal, 'mail');
    const delivery = this.#traffic.begin(sender);
    return this.#abortable(delivery.sender.promise, delivery, signal, 'mail');
  }

  /** RCPT TO. A refusal rejects, and the message stands: others may be given. */
  async sendRecipient(
    recipient: string | RecipientOptions,
    { signal }: CallOptions = {},
  ): Promise<Told<'RECIPIENT_ACK'>> {
    refuseAborted(signal, 'rcpt');
    const given = this.client.sendRecipient(recipient);
    const delivery = this.#traffic.current();
    return this.#abortable(delivery.addRecipient(given), delivery, signal, 'rcpt');
  }

  /** Begin of message. Rejects where no recipient was accepted. */
  async sendBom(options: BomOptions = {}, { signal }: CallOptions = {}): Promise<Told<'BOM_ACK'>> {
    refuseAborted(signal, 'data');
    this.client.sendBom(options);
    const delivery = this.#traffic.current();
    return this.#abortable(delivery.bom.promise, delivery, signal, 'data');
  }

  /**
   * A piece of the body, or all of it; resolves when the client has taken the last octet. Octets must not be changed
   * before the message's outcome. Where it fails the message is taken back, so that half a body is never sent as if
   * it were whole.
   */
  async sendBody(body: Body, { signal }: CallOptions = {}): Promise<void> {
    refuseAborted(signal, 'body');
    const delivery = this.#traffic.newest;
    if (delivery === undefined || !this.client.can('sendBody')) {
      this.client.sendBody(''); // it says what is wrong
      return;
    }
    return this.#abortable(this.#traffic.pour(body, delivery), delivery, signal, 'body');
  }

  /** End of message; resolves with the result for each recipient, as {@link send} does. */
  async sendEom({ signal }: CallOptions = {}): Promise<SendResult> {
    refuseAborted(signal, 'verdict');
    const delivery = this.#traffic.newest;
    if (delivery?.pouring !== undefined) {
      await this.#abortable(delivery.pouring, delivery, signal, 'body');
    }
    this.client.sendEom();
    const ended = this.#traffic.current();
    ended.ended = true;
    return this.#abortable(ended.end.promise, ended, signal, 'verdict');
  }

  /** RSET: takes back the newest message that has not ended; what waits for it rejects with EABORTED. */
  async reset({ signal }: CallOptions = {}): Promise<Told<'RESET'>> {
    refuseAborted(signal, 'rset');
    const answer = this.#traffic.takeBack(new SmtpError({ code: 'EABORTED', phase: 'rset' }));
    return this.#orClose(answer.promise, signal, 'rset');
  }

  /** NOOP: is the server still there? */
  async noop({ signal }: CallOptions = {}): Promise<Told<'NOOP_ACK'>> {
    refuseAborted(signal, 'noop');
    return this.#orClose(this.#traffic.noop().promise, signal, 'noop');
  }

  /**
   * QUIT after the verdicts of all mails that were sent before, then close. Resolves when the line is closed, whoever
   * closed it; the signal closes it at once.
   */
  async disconnect({ signal }: CallOptions = {}): Promise<void> {
    const closeAtOnce = (): void => this.abort();
    await withSignal(this.#leave(), signal, 'quit', closeAtOnce);
  }

  /** Closes at once; what waits rejects with EABORTED. */
  abort(): void {
    this.#traffic.abort();
  }

  /** {@link disconnect}: for `await using`, and for whatever else disposes. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.disconnect();
  }

  // ── a mail, step by step ──

  /** All steps of a mail after the first. Nothing of it waits for an answer but a body that finds no room. */
  async #giveMail(delivery: Delivery, mail: Mail): Promise<void> {
    try {
      for (const recipient of recipientsOf(mail)) delivery.addRecipient(this.client.sendRecipient(recipient));
      this.client.sendBom(bomOf(mail));
      if (mail.body !== undefined) await this.#traffic.pour(mail.body, delivery);
      if (delivery.failure !== undefined) return;
      this.client.sendEom();
      delivery.ended = true;
    } catch (error) {
      this.#traffic.withdraw(delivery, asError(error));
      throw error;
    }
  }

  // ── calls that are given up ──

  #abortable<T>(
    promise: Promise<T>,
    delivery: Delivery,
    signal: AbortSignal | undefined,
    phase: Phase,
  ): Promise<T> {
    return withSignal(promise, signal, phase, (error) => {
      this.#traffic.withdraw(delivery, error);
      if (delivery.over) return;
      delivery.givenUp = error;
      this.abort();
    });
  }

  #orClose<T>(promise: Promise<T>, signal: AbortSignal | undefined, phase: Phase): Promise<T> {
    const call = new Deferred<T>();
    promise.then(call.resolve, call.reject);
    return withSignal(call.promise, signal, phase, (error) => {
      call.reject(error);
      this.abort();
    });
  }

  async #oneSettles(signal: AbortSignal | undefined): Promise<void> {
    const one = new Deferred<void>();
    this.#traffic.oneSettles.then(one.resolve);
    await withSignal(one.promise, signal, 'mail', one.reject);
  }

  async #leave(): Promise<void> {
    const endTurn = await this.#turns.take(undefined, 'quit');
    if (this.client.can('disconnect')) this.client.disconnect();
    endTurn();
    await this.#traffic.closed.promise;
  }
}

function unsent(mail: Mail, error: SmtpError): SendError['recipients'] {
  return recipientsOf(mail).map(({ address, name, type = 'to' }, i) => {
    return { recipient: { id: i + 1, address, name, type }, status: 'unsent', error };
  });
}
