/**
 * The connection without its socket. Steps come from the caller, `handle*` brings what the world did, `drain` lets
 * out what may leave. What follows from a word is the business of `conduct.ts`; here each happening becomes a word.
 * It calls none of the user's code but the token source, and asks no clock: the time of a turn is given.
 */
import type { ConnectionWord } from '../../machines/vocabulary.ts';
import { asError } from '../errors.ts';
import type { Transport, TransportEvent } from '../transport/transport.ts';
import { type Reply, ReplyParser } from '../wire/reply.ts';
import { connectionAnswer } from './answers.ts';
import { connectionChart, mailWords, connectionWords as words } from './charts.ts';
import { Conduct, nothingAtHand } from './conduct.ts';
import { Departures } from './departures.ts';
import { type Entry, entryKinds, lineOf } from './ledger.ts';
import { guarded, perform } from './line.ts';
import type { ConnectionSettings } from './settings.ts';
import type { Word } from './walk.ts';

const lost = connectionChart.word({ type: 'lost', quit: false });
const lostAfterQuit = connectionChart.word({ type: 'lost', quit: true });

export class Connection extends Conduct {
  readonly departures: Departures = new Departures(this);
  readonly parser: ReplyParser = new ReplyParser();
  lastReplyAt = Number.NEGATIVE_INFINITY;
  /** Part of a reply was there before any command that it could answer. */
  early = false;
  /** The line is down, and DISCONNECTED is still to be told. */
  closed = false;

  // ── what can be asked ──
  /** Something is awaited that will come by itself: a reply, the transport, a token, a drain. */
  get pending(): boolean {
    return this.ledger.due > 0 || this.outbox.full || this.awaited !== undefined;
  }

  /** There is work for the pump though nothing more arrives. */
  get busy(): boolean {
    if (this.ledger.oldest?.refusal !== undefined) return true;
    return this.outbox.busy || this.closed || this.opening.tokenAnswered;
  }

  // ── steps of the caller: legality was asked before ──

  connect(settings: ConnectionSettings): void {
    this.settings = settings;
    const { tls, lmtp, login } = settings;
    const token = login?.token !== undefined;
    this.lastReplyAt = Number.NEGATIVE_INFINITY;
    this.early = false;
    this.departures.reset();
    this.parser.reset();
    this.walk(
      connectionChart.word({ type: 'step.connect', tls, lmtp, auth: login !== undefined, token }),
      nothingAtHand,
    );
  }

  noop(): void {
    this.walk(words['step.noop'], nothingAtHand);
  }

  reset(): void {
    this.transactions.takeBack(mailWords['step.reset']);
    // taking back may have cost the line
    this.walk(words['step.reset'], nothingAtHand);
  }

  disconnect(): void {
    const open = this.transactions.contentStandsOpen;
    if (!open) this.transactions.takeBack(mailWords['step.leave']);
    this.walk(connectionChart.word({ type: 'step.disconnect', open }), nothingAtHand);
  }

  abort(): void {
    this.walk(words['step.abort'], { ...nothingAtHand, entry: this.ledger.blamed });
  }

  // ── what the world did ──

  /** A turn begins. */
  handleTurn(now: number): void {
    this.now = now;
  }

  /** All that has arrived was taken, so what was to have happened by now has not. */
  handleTime(): void {
    this.#arm();
    const due = this.deadlines.due(this.now);
    if (due === undefined) return;
    this.deadlines.clear(due);
    this.walk(words.timeout, { ...nothingAtHand, entry: this.ledger.blamed });
  }

  /** When something must have happened, or Infinity. */
  nextDeadline(): number {
    this.#arm();
    return this.deadlines.next();
  }

  /** Takes what happened next on the line; false where nothing has. */
  takeArrival(transport: Transport): boolean {
    const event = guarded(this, 'line', () => transport.poll());
    if (event !== undefined) this.handleEvent(event);
    return event !== undefined;
  }

  handleToken(): void {
    const word = this.opening.takeToken();
    if (word === undefined) return;
    this.deadlines.clear('token');
    this.walk(word, nothingAtHand);
  }

  handleEvent(event: TransportEvent): void {
    if (this.leaving) return;
    switch (event.type) {
      case 'open':
        this.deadlines.clear('open');
        this.opening.localAddress = event.localAddress;
        this.walk(words.opened, nothingAtHand);
        return;
      case 'bytes':
        return this.parser.feed(event.bytes);
      case 'drain':
        this.outbox.full = false;
        return this.deadlines.clear('drain');
      case 'secure':
        this.deadlines.clear('secure');
        this.tls = event.tls;
        this.walk(words.secured, nothingAtHand);
        return;
      case 'lost':
        return this.#handleLost(event);
      default:
        event satisfies never;
    }
  }

  /** Takes the next complete reply from what has arrived; false where there is none. */
  handleReply(): boolean {
    if (this.#answerOurselves()) return true;
    let reply: Reply | undefined;
    try {
      reply = this.parser.next();
    } catch (error) {
      const cause = asError(error);
      this.walk(words.violation, { entry: this.ledger.blamed, reply: undefined, cause });
      return true;
    }
    if (reply === undefined) return false;
    const { oldest } = this.ledger;
    this.lastReply = reply;
    if (oldest !== undefined) this.#count(oldest);
    if (this.outbox.tracing.REPLY) {
      this.outbox.tell({ name: 'REPLY', reply, command: oldest && lineOf(oldest) });
    }
    const early = this.early;
    this.early = false;
    if (reply.code === 421) this.#shutDown(oldest, reply);
    else if (early || oldest === undefined || !this.#answer(oldest, reply))
      this.walk(words.violation, { entry: oldest, reply, cause: undefined });
    return true;
  }

  /** Everything that happened before the line went down has been told. */
  handleClosed(): void {
    if (!this.closed || this.outbox.hasEvents) return;
    this.closed = false;
    this.loseRest();
    this.walk(words.closed, nothingAtHand);
  }

  // ── what leaves ──

  /** Opens, secures or closes the line where that is to be done. It comes before anything else on it. */
  carryOut(transport: Transport): void {
    const { outbox } = this;
    for (let deed = outbox.nextDeed(); deed !== undefined; deed = outbox.nextDeed()) {
      perform(deed, transport, this);
    }
  }

  /** Lets out what may leave, in as few writes as can be. */
  drain(transport: Transport): void {
    const { outbox, settings } = this;
    outbox.refill();
    this.carryOut(transport);
    if (!outbox.full && this.ledger.waiting > 0) {
      const { offered } = this.opening;
      const early = this.ledger.due === 0 && this.halfReply;
      this.departures.release({
        now: this.now,
        transport,
        capabilities: offered,
        open: this.position.is.open,
        pace: settings.pipelining && offered.pipelining ? this.pace : 'command',
        chunking: settings.chunking && offered.chunking,
        messagesInFlight: settings.messagesInFlight,
      });
      outbox.flush(transport);
      // a reply that began before its command left answers nothing (S13)
      if (early && this.ledger.due > 0) this.early = true;
      this.#answerOurselves();
      if (outbox.full) this.deadlines.set('drain', this.now + settings.timeouts.bodyMs);
      if (outbox.failure) this.handleEvent({ type: 'lost', during: 'line', error: outbox.failure });
    }
  }

  /** Half a reply has arrived. */
  get halfReply(): boolean {
    return this.parser.pending > 0;
  }

  /** An idle client keeps nothing of half a reply. */
  lineClosed(): void {
    this.parser.reset();
    this.closed = true;
  }

  // ── the world, in detail ──

  #handleLost(event: Extract<TransportEvent, { type: 'lost' }>): void {
    const entry = this.ledger.blamed;
    const atHand = { entry, reply: undefined, cause: event.error };
    if (event.during === 'secure' && this.walk(words['secure.failed'], atHand)) return;
    this.lineDropped(this.departures.inFlight.begun);
    this.walk(entry?.kind === 'quit' ? lostAfterQuit : lost, atHand);
  }

  /** The reply answers the oldest command; the end of a message by LMTP has one for each recipient. */
  #count(oldest: Entry): void {
    this.lastReplyAt = this.now;
    const { kind, mail } = oldest;
    if ((kind === 'content' || kind === 'last') && this.transactions.expectsMoreVerdicts(mail)) return;
    this.ledger.settle();
    this.departures.answered(oldest);
    if (mail === undefined) return;
    mail.due--;
    if (kind === 'mail' || kind === 'rcpt') mail.envelopeDue--;
  }

  /** What we refused in place of the server is told when its turn comes, a bounded part of it; false: all of it. */
  #answerOurselves(): boolean {
    for (let n = 0; n < 256; n++) {
      const { oldest } = this.ledger;
      if (oldest?.refusal === undefined) return false;
      this.#count(oldest);
      this.transactions.refuseRecipient(oldest, oldest.refusal);
    }
    return true;
  }

  #answer(oldest: Entry, reply: Reply): boolean {
    if (oldest.mail !== undefined) return this.transactions.answer(oldest, oldest.mail, reply);
    const word = this.#wordFor(oldest, reply);
    return word !== undefined && this.walk(word, { entry: oldest, reply, cause: undefined });
  }

  #wordFor(oldest: Entry, reply: Reply): Word<ConnectionWord> | undefined {
    if (oldest.kind === 'auth') return this.opening.hearLogin(reply);
    if (oldest.kind === 'ehlo' && reply.code === 250) return this.opening.hear(reply, this.tls);
    if (oldest.kind === 'helo') this.opening.hello = reply;
    return connectionAnswer(oldest, reply);
  }

  /** RFC 5321 §3.8: 421 may come at any time; it answers what was due, and nothing more is written. */
  #shutDown(oldest: Entry | undefined, reply: Reply): void {
    if (oldest !== undefined && !entryKinds[oldest.kind].opening) this.#answer(oldest, reply);
    this.walk(words.shutdown, { entry: oldest, reply, cause: undefined });
  }

  /** Bytes came in clear where TLS was to begin. */
  refuseClear(): void {
    const cause = new Error('the server wrote in clear where TLS was to begin');
    const word = this.settings.tls === 'implicit' ? words['secure.failed'] : words.violation;
    this.walk(word, { ...nothingAtHand, cause });
  }

  // ── time ──

  /**
   * Those that follow from what is on the wire, set when they are asked for. The reply's counts from the command's
   * departure or the reply before it, whichever came later.
   */
  #arm(): void {
    const { timeouts } = this.settings;
    const { oldest, busySince } = this.ledger;
    const since = Math.max(busySince, this.lastReplyAt);
    const replyAt = oldest ? since + timeouts[entryKinds[oldest.kind].limit] : Infinity;
    this.deadlines.set('reply', replyAt);
    this.deadlines.set('message', this.transactions.oldestStart + timeouts.messageMs);
  }
}
