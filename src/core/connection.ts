/**
 * The connection without its socket. Steps come from the caller, `handle*` brings what the world did, `drain` lets
 * out what may leave. Every decision is asked of the charts; order is the ledger's, time the deadlines'. It calls
 * none of the user's code but the token source, and asks no clock: the time of a turn is given.
 */
import type { ConnectionWord } from '../../machines/vocabulary.ts';
import type { Phase, SmtpError } from '../errors.ts';
import type { TlsInfo, Transport, TransportEvent } from '../transport/transport.ts';
import type { Capabilities } from '../wire/capabilities.ts';
import { commands } from '../wire/command.ts';
import { type Reply, ReplyParser } from '../wire/reply.ts';
import { connectionAnswer } from './answers.ts';
import {
  type ConnectionEffect,
  type ConnectionPosition,
  connectionChart,
  mailWords,
  connectionWords as words,
} from './charts.ts';
import { Deadlines } from './deadlines.ts';
import { Departures } from './departures.ts';
import type { UnfinishedMessage } from './events.ts';
import { ending, phaseOf } from './failures.ts';
import { type Entry, entry, entryKinds, Ledger } from './ledger.ts';
import { asError } from './login.ts';
import { Opening } from './opening.ts';
import { type LineDeed, Outbox } from './outbox.ts';
import { type ConnectionSettings, defaultSettings } from './settings.ts';
import { connectionEvent } from './telling.ts';
import { Transactions } from './transactions.ts';
import type { Word } from './walk.ts';

/** What happened last, and is to be told or blamed. */
interface AtHand {
  readonly entry: Entry | undefined;
  readonly reply: Reply | undefined;
  readonly cause: Error | undefined;
}

const nothingAtHand: AtHand = { entry: undefined, reply: undefined, cause: undefined };
const quit = commands.quit();
const noop = commands.noop();
const rset = commands.rset();
const starttls = commands.starttls();
const lost = connectionChart.word({ type: 'lost', quit: false });
const lostAfterQuit = connectionChart.word({ type: 'lost', quit: true });
const noMechanismLeft = connectionChart.word({ type: 'auth.refused', more: false });

export class Connection {
  readonly outbox: Outbox = new Outbox();
  readonly ledger: Ledger = new Ledger();
  readonly deadlines: Deadlines = new Deadlines();
  readonly transactions: Transactions;
  position: ConnectionPosition = connectionChart.start;
  settings: ConnectionSettings = defaultSettings;
  /** What the server offers; undefined until it is known for good. */
  capabilities: Capabilities | undefined;
  tls: TlsInfo | undefined;
  lastReply: Reply | undefined;
  /** A token has come in: turn the pump. */
  onWake: (() => void) | undefined;

  readonly #departures: Departures;
  readonly #parser = new ReplyParser();
  #opening: Opening = new Opening(defaultSettings);
  /** The position that the word at hand was met in. */
  #before: ConnectionPosition = connectionChart.start;
  #atHand = nothingAtHand;
  /** The time of this turn. */
  #now = 0;
  #lastReplyAt = 0;
  #reason: SmtpError | undefined;
  #unfinished: readonly UnfinishedMessage[] = [];
  /** The line is down, and DISCONNECTED is still to be told. */
  #closed = false;

  constructor() {
    this.transactions = new Transactions(this, {
      stuck: () => this.#walk(words.stuck),
      spoil: () => {
        this.#departures.spoiled = true;
      },
    });
    this.#departures = new Departures(this.ledger, this.outbox, this.transactions);
  }

  // ── what can be asked ──

  can(word: Word<ConnectionWord>): boolean {
    return connectionChart.step(this.position, word) !== undefined;
  }

  /** Something is awaited that will come by itself: a reply, the transport, a token, a drain. */
  get pending(): boolean {
    return this.ledger.due > 0 || this.outbox.full || awaitedIn(this.position) !== undefined;
  }

  /** There is work for the pump though nothing more arrives. */
  get busy(): boolean {
    const { outbox } = this;
    return outbox.busy || this.#closed || this.#opening.tokenAnswered;
  }

  // ── steps of the caller: legality was asked before ──

  connect(settings: ConnectionSettings): void {
    this.settings = settings;
    const { tls, lmtp, login } = settings;
    const token = login?.token !== undefined;
    this.#walk(connectionChart.word({ type: 'step.connect', tls, lmtp, auth: login !== undefined, token }));
  }

  noop(): void {
    this.#walk(words['step.noop']);
  }

  reset(): void {
    this.#atHand = nothingAtHand;
    this.transactions.takeBack(mailWords['step.reset']);
    // taking back may have cost the line
    if (this.can(words['step.reset'])) this.#walk(words['step.reset']);
  }

  disconnect(): void {
    const open = this.transactions.contentStandsOpen;
    if (!open) this.transactions.takeBack(mailWords['step.leave']);
    this.#walk(connectionChart.word({ type: 'step.disconnect', open }));
  }

  abort(): void {
    this.#atHand = { ...nothingAtHand, entry: this.ledger.oldest };
    this.#walk(words['step.abort']);
  }

  // ── what the world did ──

  /** A turn begins: what was to have happened by now has not. */
  handleTime(now: number): void {
    this.#now = now;
    this.#arm();
    const due = this.deadlines.due(now);
    if (due === undefined) return;
    this.deadlines.clear(due);
    this.#atHand = { ...nothingAtHand, entry: this.ledger.oldest };
    this.#walk(words.timeout);
  }

  handleToken(): void {
    const word = this.#opening.takeToken();
    if (word === undefined) return;
    this.deadlines.clear('token');
    this.#atHand = nothingAtHand;
    this.#walk(word);
  }

  handleEvent(event: TransportEvent): void {
    switch (event.type) {
      case 'open':
        this.deadlines.clear('open');
        this.#opening.localAddress = event.localAddress;
        this.#walk(words.opened);
        return;
      case 'bytes':
        return this.#parser.feed(event.bytes);
      case 'drain':
        this.outbox.full = false;
        return this.deadlines.clear('drain');
      case 'secure':
        this.deadlines.clear('secure');
        this.tls = event.tls;
        this.#walk(words.secured);
        return;
      case 'lost':
        return this.#handleLost(event);
      default:
        event satisfies never;
    }
  }

  /** Takes the next complete reply from what has arrived; false where there is none. */
  handleReply(): boolean {
    let reply: Reply | undefined;
    try {
      reply = this.#parser.next();
    } catch (error) {
      this.#violate({ entry: this.ledger.oldest, reply: undefined, cause: asError(error) });
      return true;
    }
    if (reply === undefined) return false;
    const { oldest } = this.ledger;
    this.lastReply = reply;
    if (this.outbox.tracing.REPLY) {
      this.outbox.tell({ name: 'REPLY', reply, command: oldest?.command?.line });
    }
    if (oldest !== undefined) this.#count(oldest);
    if (reply.code === 421) this.#shutDown(oldest, reply);
    else if (oldest === undefined || !this.#answer(oldest, reply)) {
      this.#violate({ entry: oldest, reply, cause: undefined });
    }
    return true;
  }

  /** Everything that happened before the line went down has been told. */
  handleClosed(): void {
    if (!this.#closed || this.outbox.hasEvents) return;
    this.#closed = false;
    this.#walk(words.closed);
  }

  // ── what leaves ──

  /** Carries out deeds and lets out what may leave, in as few writes as can be. */
  drain(transport: Transport): void {
    const { outbox, settings } = this;
    outbox.refill();
    for (let deed = outbox.nextDeed(); deed !== undefined; deed = outbox.nextDeed()) {
      this.#perform(deed, transport);
    }
    if (!outbox.full && this.ledger.waiting > 0) {
      const { offered } = this.#opening;
      this.#departures.release({
        now: this.#now,
        transport,
        capabilities: offered,
        open: this.position.tags.has('open'),
        pipelining: settings.pipelining && offered.pipelining,
        messagesInFlight: settings.messagesInFlight,
      });
      outbox.flush(transport);
      if (outbox.full) this.deadlines.set('drain', this.#now + settings.timeouts.bodyMs);
    }
    this.#arm();
  }

  #perform(deed: LineDeed, transport: Transport): void {
    const { timeouts } = this.settings;
    switch (deed.deed) {
      case 'open':
        transport.open(deed.target);
        this.deadlines.set('open', this.#now + timeouts.connectMs);
        return this.deadlines.set('total', this.#now + timeouts.totalMs);
      case 'secure': {
        // bytes that came in clear belong to nobody (CVE-2011-0411)
        const early = transport.poll();
        if (early !== undefined) return this.#refuseEarly(early);
        this.deadlines.set('secure', this.#now + timeouts.secureMs);
        return transport.secure(deed.options);
      }
      case 'close':
        transport.close(deed.graceful);
        this.#closed = true;
        return;
      default:
        deed satisfies never;
    }
  }

  // ── the world, in detail ──

  #handleLost(event: Extract<TransportEvent, { type: 'lost' }>): void {
    const { oldest } = this.ledger;
    this.#atHand = { entry: oldest, reply: undefined, cause: event.error };
    if (event.during === 'secure' && this.#walk(words['secure.failed'])) return;
    this.#walk(oldest?.kind === 'quit' ? lostAfterQuit : lost);
  }

  /** The reply answers the oldest command; the end of a message by LMTP has one for each recipient. */
  #count(oldest: Entry): void {
    this.#lastReplyAt = this.#now;
    if (oldest.kind === 'content' && this.transactions.expectsMoreVerdicts(oldest.mail)) return;
    this.ledger.settle();
    this.#departures.answered(oldest);
    if (oldest.mail !== undefined) oldest.mail.due--;
  }

  #answer(oldest: Entry, reply: Reply): boolean {
    this.#atHand = { entry: oldest, reply, cause: undefined };
    if (oldest.mail !== undefined) return this.transactions.answer(oldest, oldest.mail, reply);
    const word = this.#wordFor(oldest, reply);
    return word !== undefined && this.#walk(word);
  }

  #wordFor(oldest: Entry, reply: Reply): Word<ConnectionWord> | undefined {
    if (oldest.kind === 'auth') return this.#opening.hearLogin(reply);
    if (oldest.kind === 'ehlo' && reply.code === 250) return this.#opening.hear(reply, this.tls);
    if (oldest.kind === 'helo') this.#opening.hello = reply;
    const word = connectionAnswer(oldest, reply);
    // whatever came with the 220 to STARTTLS was written in clear by somebody (CVE-2011-0411)
    return word === words['starttls.ok'] && this.#parser.pending > 0 ? undefined : word;
  }

  /** RFC 5321 §3.8: 421 may come at any time; it answers what was due, and nothing more is written. */
  #shutDown(oldest: Entry | undefined, reply: Reply): void {
    this.#atHand = { entry: oldest, reply, cause: undefined };
    if (oldest !== undefined && !entryKinds[oldest.kind].opening) this.#answer(oldest, reply);
    this.#walk(words.shutdown);
  }

  #violate(atHand: AtHand): void {
    this.#atHand = atHand;
    this.#walk(words.violation);
  }

  #refuseEarly(event: TransportEvent): void {
    if (event.type !== 'bytes') return this.handleEvent(event);
    const cause = new Error('the server wrote in clear where TLS was to begin');
    this.#atHand = { entry: undefined, reply: this.lastReply, cause };
    this.#walk(this.settings.tls === 'implicit' ? words['secure.failed'] : words.violation);
  }

  // ── the chart ──

  #walk(word: Word<ConnectionWord>): boolean {
    const from = this.position;
    const edge = connectionChart.step(from, word);
    if (edge === undefined) return false;
    this.position = edge.to;
    this.#before = from;
    if (this.outbox.tracing.STATE && from !== edge.to) {
      const { type } = word.event;
      this.outbox.tell({ name: 'STATE', chart: 'connection', from: from.name, to: edge.to.name, word: type });
    }
    for (const effect of edge.effects) this.#carryOut(effect);
    return true;
  }

  #carryOut(effect: ConnectionEffect): void {
    if ('tell' in effect) return this.#tell(effect);
    const { ledger, outbox } = this;
    switch (effect.do) {
      case 'open':
        return this.#begin();
      case 'expectGreeting':
        // it leaves by itself, the moment the line is up
        ledger.pushFirst(entry('greeting'));
        return ledger.depart(this.#now);
      case 'send':
        return this.#send(effect.command);
      case 'secure':
        this.#opening.forget();
        return outbox.do({ deed: 'secure', options: this.settings.tlsOptions });
      case 'fetchToken':
        this.deadlines.set('token', this.#now + this.settings.timeouts.commandMs);
        return this.#opening.fetchToken(() => this.onWake?.());
      case 'login':
        return this.#logIn();
      case 'respond':
        return ledger.pushFirst(entry('auth', this.#opening.takeResponse()));
      case 'cancelLogin':
        return ledger.pushFirst(entry('auth', commands.authCancel()));
      case 'admit':
        this.deadlines.clear('total');
        this.capabilities = this.#opening.offered;
        return;
      case 'blame':
        this.#reason ??= ending(effect.on, { ...this.#atHand, phase: this.#phase });
        return;
      case 'close':
        return this.#close(effect.graceful);
      case 'nothing':
        return;
      default:
        return effect satisfies never;
    }
  }

  /** A new line: nothing of the last one is left. */
  #begin(): void {
    this.#opening = new Opening(this.settings);
    this.#departures.reset();
    this.#parser.reset();
    this.#atHand = nothingAtHand;
    this.#reason = undefined;
    this.#unfinished = [];
    this.capabilities = undefined;
    this.tls = undefined;
    this.lastReply = undefined;
    this.outbox.do({ deed: 'open', target: this.settings.target });
  }

  #send(command: Extract<ConnectionEffect, { do: 'send' }>['command']): void {
    const { ledger } = this;
    switch (command) {
      case 'EHLO':
      case 'LHLO':
        return ledger.pushFirst(entry('ehlo', this.#opening.introduce(command)));
      case 'HELO':
        return ledger.pushFirst(entry('helo', this.#opening.introduce(command)));
      case 'STARTTLS':
        return ledger.pushFirst(entry('starttls', starttls));
      case 'NOOP':
        return ledger.push(entry('noop', noop));
      case 'RSET':
        return ledger.push(entry('rset', rset));
      case 'QUIT':
        return ledger.push(entry('quit', quit));
      default:
        command satisfies never;
    }
  }

  #logIn(): void {
    const command = this.#opening.nextMechanism();
    if (command === undefined) this.#walk(noMechanismLeft);
    else this.ledger.pushFirst(entry('auth', command));
  }

  /** The line goes down at the next drain; what was open on it has its outcome now. */
  #close(graceful: boolean): void {
    this.#unfinished = this.transactions.lose();
    this.ledger.clear();
    this.deadlines.clearAll();
    this.#parser.reset();
    this.outbox.discard();
    this.outbox.do({ deed: 'close', graceful });
  }

  #tell(notice: Extract<ConnectionEffect, { tell: string }>): void {
    const { hello, offered, login } = this.#opening;
    const event = connectionEvent(notice, {
      ...this.#atHand,
      phase: this.#phase,
      hello,
      capabilities: offered,
      tls: this.tls,
      mechanism: login?.mechanism,
      loginError: login?.error,
      reason: this.#reason,
      unfinished: this.#unfinished,
    });
    if (event !== undefined) this.outbox.tell(event);
  }

  // ── time ──

  /** The reply's deadline counts from the command's departure or the reply before it, whichever came later. */
  #arm(): void {
    const { timeouts } = this.settings;
    const { oldest } = this.ledger;
    const since = oldest && Math.max(oldest.sentAt, this.#lastReplyAt);
    const replyAt =
      oldest && since !== undefined ? since + timeouts[entryKinds[oldest.kind].limit] : Infinity;
    this.deadlines.set('reply', replyAt);
    this.deadlines.set('message', this.transactions.oldestStart + timeouts.messageMs);
  }

  /** What was going on when it happened. */
  get #phase(): Phase {
    const { entry } = this.#atHand;
    if (entry !== undefined) return phaseOf(entry);
    return awaitedIn(this.#before) ?? (this.ledger.first?.kind === 'content' ? 'body' : 'connect');
  }
}

/** What is awaited in a position and is no reply. */
function awaitedIn({ tags }: ConnectionPosition): Phase | undefined {
  if (tags.has('awaits:connect')) return 'connect';
  if (tags.has('awaits:tls')) return 'tls';
  return tags.has('awaits:auth') ? 'auth' : undefined;
}
