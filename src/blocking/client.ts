/**
 * The steps, truly synchronous: each call returns when the server has answered, or throws the {@link SmtpError}.
 * Nothing returns to Node's event loop meanwhile, and the wait sleeps. It uses the public members of the step client
 * with `pump: 'manual'`, and decides nothing of the protocol.
 */
import type { Step } from '../../machines/vocabulary.ts';
import type { BomOptions } from '../client/begin.ts';
import { SmtpClient } from '../client/client.ts';
import type { RecipientOptions, SenderOptions } from '../client/envelope.ts';
import type { SmtpState } from '../client/state.ts';
import type { Recipient } from '../core/events.ts';
import { defaultSettings } from '../core/settings.ts';
import type { SmtpUsageError } from '../errors.ts';
import type { TargetOptions } from '../options.ts';
import type { TlsInfo } from '../transport/transport.ts';
import type { Capabilities } from '../wire/capabilities.ts';
import type { Reply } from '../wire/reply.ts';
import { Conversation, type Refused } from './conversation.ts';
import { type BlockingOptions, checkBlocking, transportOf, withSynchronousToken } from './options.ts';

/** What `connect()` found. */
export interface Connected {
  readonly reply: Reply;
  readonly capabilities: Capabilities;
  readonly secure: boolean;
  /** Undefined in clear. */
  readonly tls: TlsInfo | undefined;
}

/** The server has the message. */
export interface Delivered {
  readonly reply: Reply;
  readonly accepted: readonly Recipient[];
  /** With the reason of each: those that `sendRecipient` threw, too. */
  readonly rejected: readonly Refused[];
}

/**
 * A client that is connected: shorthand for `new BlockingClient(options)` and its `connect()`.
 * @throws SmtpError ECONNECTION, ETLS, EAUTH, ETIMEDOUT …; SmtpUsageError EINVAL
 */
export function connect(options: BlockingOptions = {}): BlockingClient {
  const client = new BlockingClient(options);
  client.connect();
  return client;
}

/** An SMTP or LMTP client for code that waits. After a refusal the session goes on; after a loss `connect()` anew. */
export class BlockingClient {
  readonly #client: SmtpClient;
  readonly #talk: Conversation;
  /** Octets of a body that may wait in the client; what has left it may wait in the transport, if that keeps any. */
  readonly #mostWaiting: number;
  #tokenError: SmtpUsageError | undefined;

  /** @throws SmtpUsageError EINVAL, naming the option */
  constructor(options: BlockingOptions = {}) {
    checkBlocking(options);
    const transport = transportOf(options);
    this.#client = new SmtpClient({ ...this.#patient(options), transport, pump: 'manual' });
    this.#talk = new Conversation(this.#client, transport);
    const { bodyBufferBytes = defaultSettings.bodyBufferBytes } = options;
    this.#mostWaiting = transport.copies === true ? bodyBufferBytes : Number.POSITIVE_INFINITY;
  }

  /** What the newest message, else the connection, is doing. */
  get state(): SmtpState {
    return this.#client.state;
  }

  /** TLS is on. */
  get secure(): boolean {
    return this.#client.secure;
  }

  /** What the server offers; undefined until connected. */
  get capabilities(): Capabilities | undefined {
    return this.#client.capabilities;
  }

  /** The last reply of the server, whatever it answered. */
  get lastReply(): Reply | undefined {
    return this.#client.lastReply;
  }

  /** Is this step legal now? */
  can(step: Step): boolean {
    return this.#client.can(step);
  }

  /**
   * Opens, secures, greets, introduces, logs in. When it throws, nothing is connected.
   * @throws SmtpError ECONNECTION, ETLS, EAUTH, ETIMEDOUT …; SmtpUsageError EISCONN, EINVAL
   */
  connect(target: TargetOptions = {}): Connected {
    this.#talk.startAnew();
    this.#tokenError = undefined;
    this.#client.connect(this.#patient(target));
    try {
      const { reply, capabilities, secure } = this.#talk.answer('CONNECTED');
      return { reply, capabilities, secure, tls: this.#talk.tls };
    } catch (error) {
      throw this.#tokenError ?? error;
    }
  }

  /**
   * MAIL FROM: begins a message.
   * @throws SmtpError of a refusal or a loss; SmtpUsageError EINVAL, EPERM, ENOTCONN, EUNSUPPORTED
   */
  sendSender(sender: string | SenderOptions): Reply {
    this.#talk.lookUp();
    this.#client.sendSender(sender);
    this.#talk.startMessage();
    return this.#talk.answer('SENDER_ACK').reply;
  }

  /**
   * RCPT TO. A refused one throws, and the message goes on with the others.
   * @throws SmtpError of a refusal or a loss; SmtpUsageError EINVAL, EPERM, ENOTCONN, EUNSUPPORTED
   */
  sendRecipient(recipient: string | RecipientOptions): Reply {
    this.#talk.lookUpMessage();
    this.#client.sendRecipient(recipient);
    const { reply } = this.#talk.answer('RECIPIENT_ACK');
    this.#talk.recipients++;
    return reply;
  }

  /**
   * Begin of message: DATA and the header. Without an accepted recipient it throws the last refusal.
   * @returns the answer to DATA; undefined with CHUNKING, which needs none
   * @throws SmtpError of a refusal or a loss; SmtpUsageError EINVAL, EPERM, ENOTCONN
   */
  sendBom(options: BomOptions = {}): Reply | undefined {
    this.#talk.lookUpMessage();
    this.#client.sendBom(options);
    return this.#talk.answer('BOM_ACK').reply;
  }

  /**
   * A piece of the body. It is the caller's again when the call returns.
   * @returns octets taken: all of them
   * @throws SmtpError of a refusal or a loss; SmtpUsageError EPERM, ENOTCONN, EINVAL, EUNSUPPORTED
   */
  sendBody(chunk: string | Uint8Array): number {
    this.#talk.lookUpMessage();
    const length = typeof chunk === 'string' ? Buffer.byteLength(chunk) : chunk.length;
    let rest = chunk;
    let ours = false;
    for (let taken = 0; ; ) {
      // behind what the client takes of the caller's memory comes as much of ours as can wait when this returns
      if (!ours && rest instanceof Uint8Array && rest.length < 2 * this.#mostWaiting) {
        rest = new Uint8Array(rest);
        ours = true;
      }
      const more = this.#client.sendBody(rest);
      taken += more;
      if (taken >= length) break;
      if (typeof rest !== 'string') rest = rest.subarray(more);
      this.#talk.answer('DRAIN');
    }
    // what goes wrong with the body shows when it leaves
    this.#talk.lookUp();
    return length;
  }

  /**
   * End of message.
   * @throws SmtpError of a refusal or a loss; with LMTP where all recipients were refused, the last of it.
   *   SmtpUsageError EPERM, ENOTCONN
   */
  sendEom(): Delivered {
    this.#talk.lookUpMessage();
    this.#client.sendEom();
    const { reply, accepted } = this.#talk.answer('EOM_ACK');
    return { reply, accepted, rejected: this.#talk.refused };
  }

  /**
   * RSET: takes back the message at hand. While the content of DATA is open, that closes the line.
   * @throws SmtpError of a loss; SmtpUsageError EPERM, ENOTCONN
   */
  reset(): Reply {
    this.#talk.lookUp();
    this.#client.reset();
    this.#talk.startMessage();
    return this.#talk.answer('RESET').reply;
  }

  /**
   * NOOP: is the server alive?
   * @throws SmtpError of a refusal or a loss; SmtpUsageError EPERM, ENOTCONN
   */
  noop(): Reply {
    this.#talk.lookUp();
    this.#client.noop();
    return this.#talk.answer('NOOP_ACK').reply;
  }

  /**
   * QUIT, and closes. Without a connection it does nothing.
   * @returns the answer to QUIT, where there was one
   * @throws SmtpError of a loss
   */
  disconnect(): Reply | undefined {
    if (!this.#client.can('disconnect')) return undefined;
    this.#client.disconnect();
    const failure = this.#talk.untilGone();
    if (failure !== undefined) throw failure;
    const { lastReply } = this.#client;
    return lastReply?.code === 221 ? lastReply : undefined;
  }

  /** Closes at once. Without a connection it does nothing. */
  abort(): void {
    if (!this.#client.can('abort')) return;
    this.#client.abort();
    this.#talk.untilGone();
  }

  /** Disconnects; at once where QUIT cannot be sent or is not answered. */
  [Symbol.dispose](): void {
    try {
      this.disconnect();
    } catch {
      this.abort();
    }
  }

  #patient<T extends TargetOptions>(options: T): T {
    return withSynchronousToken(options, (error) => {
      this.#tokenError = error;
    });
  }
}
