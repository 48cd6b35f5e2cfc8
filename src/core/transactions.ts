/**
 * The messages of one connection: walks each one's chart and carries out what it wants. It reports to the connection
 * through {@link TransactionHost} and touches no socket, no clock and no bytes of a reply.
 */
import type { MailWord } from '../../machines/vocabulary.ts';
import type { SmtpError } from '../errors.ts';
import type { Reply } from '../wire/reply.ts';
import { mailAnswer } from './answers.ts';
import { type MailEffect, mailChart, mailWords as words } from './charts.ts';
import { Content } from './content.ts';
import type { Recipient, UnfinishedMessage } from './events.ts';
import { type Entry, entry, type Ledger, type Pace, recipientOf } from './ledger.ts';
import { added } from './lists.ts';
import { Mail, type RecipientExtras, type Sender } from './mail.ts';
import { queue, queueAgain } from './mail-entries.ts';
import { mailEvent, refusalOf, unfinishedOf } from './mail-telling.ts';
import type { Outbox } from './outbox.ts';
import { Queue } from './queue.ts';
import type { ConnectionSettings } from './settings.ts';
import type { Word } from './walk.ts';

/** What the messages share with their connection. */
export interface TransactionHost {
  readonly ledger: Ledger;
  readonly outbox: Outbox;
  readonly settings: ConnectionSettings;
}

/** What a mail chart may want of its connection. */
export interface TransactionCalls {
  /** The server asks for content that nobody may get, or takes what it had refused. */
  violate(answered: Entry | undefined): void;
  /** Content that cannot be taken back stands open on the wire. */
  stuck(): void;
  /** RSET must come before the next MAIL. */
  spoil(): void;
  /** The server could not take so much at once as it was given at this pace. */
  slowDown(from: Pace): void;
}

export class Transactions {
  /** The message that the caller's steps belong to. */
  newest: Mail | undefined;
  /** Those whose outcome is open, oldest first, and among them some that are over. */
  mails: Queue<Mail> = new Queue<Mail>();
  lastId = 0;
  readonly #host: TransactionHost;
  readonly #calls: TransactionCalls;

  constructor(host: TransactionHost, calls: TransactionCalls) {
    this.#host = host;
    this.#calls = calls;
  }

  /** When the message left that has waited longest for its outcome, or Infinity. */
  get oldestStart(): number {
    const { first } = this.mails;
    if (first === undefined) return Number.POSITIVE_INFINITY;
    if (!first.over) return first.startedAt;
    for (const { over, startedAt } of this.mails) if (!over) return startedAt;
    return Number.POSITIVE_INFINITY;
  }

  /** Messages that have begun to leave and have no outcome. */
  get onTheWire(): number {
    let count = 0;
    for (const { over, hasBegun } of this.mails) if (!over && hasBegun) count++;
    return count;
  }

  /** Content has begun and not ended, so that a command would be taken for text. */
  get contentStandsOpen(): boolean {
    const { newest } = this;
    return newest?.position.is.text === true && newest.content?.ended === false;
  }

  /** LMTP (RFC 2033 §4.2): after the verdict at hand, more are due for this message. */
  expectsMoreVerdicts(mail: Mail | undefined): boolean {
    return this.#host.settings.lmtp && mail !== undefined && mail.verdicts + 1 < mail.acceptedCount;
  }

  // ── steps of the caller: legality was asked before ──

  begin(sender: Sender): Mail {
    const mail = new Mail({ id: ++this.lastId }, sender);
    this.newest = mail;
    this.mails.push(mail);
    this.walk(mail, words['step.sender']);
    return mail;
  }

  /** @throws SmtpUsageError EINVAL, naming for example `recipient.address` */
  addRecipient(mail: Mail, address: string, extras: RecipientExtras): Recipient {
    const recipient = mail.add(address, extras);
    this.walk(mail, words['step.recipient']);
    return recipient;
  }

  /** Opens the content, which begins with this header. */
  open(mail: Mail, header: string): void {
    const { settings } = this.#host;
    const content = new Content(settings.bodyBufferBytes, settings.bareLineEnds);
    content.putLines(header);
    mail.content = content;
    this.walk(mail, words['step.bom']);
  }

  end(mail: Mail): void {
    if (!mail.position.is.swallowing) mail.content?.checkEnd();
    this.walk(mail, words['step.eom']);
  }

  /** Takes back the newest message where it has not ended. */
  takeBack(word: Word<MailWord>): void {
    const { newest } = this;
    if (newest === undefined) return;
    this.walk(newest, word);
    this.#settle(newest);
  }

  // ── from the server ──

  /** A reply to a command of a message; false where its class cannot follow. */
  answer(entry: Entry, mail: Mail, reply: Reply): boolean {
    const { lmtp } = this.#host.settings;
    const word = mailAnswer(entry, mail, reply, lmtp);
    if (word === undefined) return false;
    const isVerdict = lmtp && (entry.kind === 'content' || entry.kind === 'last');
    if (word === words['mail.ok']) mail.settle();
    if (word === words['rcpt.ok']) mail.accept(recipientOf(entry));
    if (word === words['rcpt.refused']) mail.reject(recipientOf(entry), reply, refusalOf(reply, entry));
    const known = this.walk(mail, word, entry, reply);
    if (known && isVerdict && word !== words['in.vain']) this.#countVerdict(mail, reply, entry);
    if (mail.chunked && mail.envelopeDue === 0) this.openChunks(mail);
    this.#settle(mail);
    return known;
  }

  /** The server does not offer what the message needs; nothing of it has left. */
  refuseMail(waiting: Entry, error: SmtpError): void {
    const { mail } = waiting;
    if (mail === undefined) return;
    waiting.refusal = error;
    this.walk(mail, words['mail.unsupported'], waiting);
    this.#settle(mail);
  }

  /** The server does not offer what one recipient needs; its turn to be told has come. */
  refuseRecipient(passed: Entry, error: SmtpError): void {
    const { mail } = passed;
    if (mail === undefined) return;
    mail.reject(recipientOf(passed), undefined, error);
    this.walk(mail, words['rcpt.unsupported'], passed);
    if (mail.chunked && mail.envelopeDue === 0) this.openChunks(mail);
    this.#settle(mail);
  }

  /** DATA is next to leave and nobody is left to send to. */
  nobodyLeft(mail: Mail): void {
    this.walk(mail, words['data.nobody']);
    this.#settle(mail);
  }

  /** The content's turn has come, in chunks, and every recipient is answered: is there anybody to send it to? */
  openChunks(mail: Mail): void {
    if (mail.position.is.retreating) return;
    this.walk(mail, mail.acceptedCount > 0 ? words.chunking : words['data.nobody']);
    this.#settle(mail);
  }

  endLeft(mail: Mail): void {
    this.walk(mail, words['end.left']);
  }

  /** The line is gone: what has no outcome gets one. Says which messages have no verdict. */
  lose(): UnfinishedMessage[] {
    const unfinished: UnfinishedMessage[] = [];
    const open = this.mails;
    this.mails = new Queue();
    for (const mail of open) {
      this.walk(mail, words.lost);
      mail.content?.discard();
      const outcome = mail.outcome;
      if (outcome === 'unsent' || outcome === 'unknown') unfinished.push(unfinishedOf(mail, outcome));
    }
    return unfinished;
  }

  // ── the chart ──

  walk(mail: Mail, word: Word<MailWord>, entry?: Entry, reply?: Reply): boolean {
    const from = mail.position;
    const edge = mailChart.step(from, word);
    if (edge === undefined) return false;
    mail.position = edge.to;
    const { outbox } = this.#host;
    if (outbox.tracing.STATE && from !== edge.to) {
      outbox.tell({
        name: 'STATE',
        chart: 'mail',
        message: mail.message,
        from: from.name,
        to: edge.to.name,
        word: word.event.type,
      });
    }
    for (const effect of edge.effects) this.#carryOut(effect, mail, entry, reply);
    if (mail.over) this.#letGo();
    return true;
  }

  #carryOut(effect: MailEffect, mail: Mail, answered?: Entry, reply?: Reply): void {
    if ('tell' in effect) return this.#tell(effect, mail, answered, reply);
    const { ledger } = this.#host;
    switch (effect.do) {
      case 'send':
        return queue(effect.command, mail, ledger);
      case 'forget':
        return this.#forget(mail);
      case 'dot':
        return ledger.pushFirst(entry('content', undefined, mail, 0, true));
      case 'spoil':
        return this.#calls.spoil();
      case 'recall':
        return ledger.forget(mail);
      case 'again':
        return this.#sendAgain(mail);
      case 'drop':
        return this.#calls.stuck();
      case 'accuse':
        return this.#calls.violate(answered);
      case 'nothing':
        return;
      default:
        return effect satisfies never;
    }
  }

  #forget(mail: Mail): void {
    this.#host.ledger.forget(mail);
    const { content } = mail;
    content?.discard();
    if (content?.owesDrain) {
      content.owesDrain = false;
      this.#host.outbox.tell({ name: 'DRAIN' });
    }
  }

  #sendAgain(mail: Mail): void {
    this.#calls.slowDown(mail.pace);
    queueAgain(mail, this.#host.ledger);
  }

  #tell(notice: Extract<MailEffect, { tell: string }>, mail: Mail, answered?: Entry, reply?: Reply): void {
    const event = mailEvent(notice, mail, answered, reply, this.#host.settings.lmtp);
    if (event !== undefined) this.#host.outbox.tell(event);
  }

  // ── counts ──

  #countVerdict(mail: Mail, reply: Reply, answered: Entry): void {
    const recipient = mail.accepted[mail.verdicts];
    mail.verdicts++;
    const yes = reply.code < 400;
    if (yes) mail.goodVerdict = reply;
    if (recipient !== undefined) {
      if (yes) mail.delivered = added(mail.delivered, recipient);
      else mail.rejected = added(mail.rejected, recipient);
    }
    if (mail.verdicts < mail.acceptedCount) return;
    const good = mail.delivered.length > 0;
    this.walk(mail, good ? words['content.ok'] : words['verdicts.none'], answered, reply);
  }

  /** A message that failed or was taken back is done with when its last answer has come. */
  #settle(mail: Mail): void {
    if (mail.due > 0 || !mail.position.is.settling) return;
    // only the dot that ends an empty content waits for a message whose rest is forgotten
    if (this.#host.ledger.first?.mail !== mail) this.walk(mail, words.settled);
  }

  /** What is left behind unsent is told at the end; the others are done with. */
  #letGo(): void {
    for (let { first } = this.mails; first?.over && first.outcome !== 'unsent'; { first } = this.mails) {
      this.mails.shift();
    }
  }
}
