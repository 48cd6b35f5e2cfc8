// @ts-check
/**
 * smtpump at work, the way its README shows: steps and events, nothing underneath. `ahead` keeps a window of messages
 * called before the answers come; `lockstep` takes each step in the event that answers the one before.
 *
 * @typedef {{ mode: 'ahead' | 'lockstep', window?: number, recipients?: number, headers?: boolean }} Style
 * @typedef {{ on: import('smtpump').SmtpClient['on'] } & import('smtpump').SmtpClient} Client
 */
import { SmtpClient } from 'smtpump';
import { body, freshRecipients, rawMessage, sender, subject } from '../message.mjs';

/** @param {{ port: number, chunking?: boolean } & Style} spec */
export async function open(spec) {
  const client = new SmtpClient({
    host: '127.0.0.1',
    port: spec.port,
    localName: 'bench.example',
    tls: 'never',
    messagesInFlight: spec.window ?? 16,
  });
  const mailer = new Mailer(client, spec);
  client.connect();
  return {
    /** @param {() => boolean} more */
    pour: (more) => mailer.pour(more),
    heard: () => mailer.heard,
    async close() {
      const closed = new Promise((resolve) => client.once('DISCONNECTED', resolve));
      client.disconnect();
      await closed;
    },
  };
}

/** Pours messages into a client and hears every event. It turns no pump. */
export class Mailer {
  /** Events heard. */
  heard = 0;
  #client;
  /** Of the newest message. @type {string[]} */
  #recipients = [];
  #style;
  #started = 0;
  #done = 0;
  #acknowledged = 0;
  #dry = true;
  #more = () => false;
  /** @type {(messages: number) => void} */
  #resolve = () => {};
  /** @type {(error: unknown) => void} */
  #reject = () => {};

  /** @param {import('smtpump').SmtpClient} client @param {Style} style */
  constructor(client, style) {
    this.#client = client;
    this.#style = style;
    client.on('event', (event) => this.#hear(event));
  }

  /** Is everything that was poured delivered? */
  get dry() {
    return this.#dry;
  }

  /**
   * Sends messages while `more()` says so.
   * @param {() => boolean} more @returns {Promise<number>} how many, when the last is delivered
   */
  pour(more) {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#more = more;
      this.#started = this.#done = 0;
      this.#dry = false;
      const window = this.#style.mode === 'ahead' ? (this.#style.window ?? 16) : 1;
      for (let n = 0; n < window; n++) this.#next();
    });
  }

  #next() {
    if (!this.#more()) {
      if (this.#done < this.#started) return;
      this.#dry = true;
      this.#resolve(this.#done);
      return;
    }
    this.#started++;
    this.#client.sendSender(sender);
    this.#recipients = freshRecipients(this.#style.recipients ?? 1);
    if (this.#style.mode === 'lockstep') return;
    for (const recipient of this.#recipients) this.#client.sendRecipient(recipient);
    this.#begin();
    this.#write();
  }

  #begin() {
    this.#client.sendBom(this.#style.headers ? { subject } : { raw: true });
  }

  #write() {
    this.#client.sendBody(this.#style.headers ? body : rawMessage);
    this.#client.sendEom();
  }

  /** @param {import('smtpump').SmtpEvent} event */
  #hear(event) {
    this.heard++;
    switch (event.name) {
      case 'EOM_ACK':
        this.#done++;
        return this.#next();
      case 'SENDER_ACK':
        if (this.#style.mode === 'ahead') return;
        this.#acknowledged = 0;
        this.#client.sendRecipient(this.#recipients[0] ?? '');
        return;
      case 'RECIPIENT_ACK': {
        if (this.#style.mode === 'ahead') return;
        const next = this.#recipients[++this.#acknowledged];
        if (next === undefined) this.#begin();
        else this.#client.sendRecipient(next);
        return;
      }
      case 'BOM_ACK':
        if (this.#style.mode === 'lockstep') this.#write();
        return;
      case 'SERVER_ERROR':
      case 'SERVER_RETRY':
      case 'TIMEOUT':
        return this.#reject(event.error);
      case 'DISCONNECTED':
        if (!this.#dry) this.#reject(event.reason ?? new Error('disconnected'));
    }
  }
}
