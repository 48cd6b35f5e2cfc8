/**
 * The connection without its socket. Steps come from the caller, `handle*` brings what the world did, `drain` lets
 * out what may leave. Every decision is asked of the charts; order is the ledger's, time the deadlines'. It never
 * calls the user's code but the token source, and asks no clock: the time of a turn is given.
 */
import type { ConnectionWord } from '../../machines/vocabulary.ts';
import type { Phase, SmtpError } from '../errors.ts';
import type { TlsInfo, Transport, TransportEvent } from '../transport/transport.ts';
import { addressLiteral } from '../wire/address.ts';
import { type Capabilities, noCapabilities, parseCapabilities } from '../wire/capabilities.ts';
import { type Command, commands } from '../wire/command.ts';
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
import { asError, LoginAttempt } from './login.ts';
import { type LineDeed, Outbox } from './outbox.ts';
import type { ConnectionSettings } from './settings.ts';
import { connectionEvent } from './telling.ts';
import { TokenRequest } from './token.ts';
import { Transactions } from './transactions.ts';
import type { Word } from './walk.ts';

/** What is at hand when an effect is carried out: what happened last. */
interface AtHand {
  entry: Entry | undefined;
  reply: Reply | undefined;
  cause: Error | undefined;
}

export class Connection {
  readonly outbox = new Outbox();
  readonly ledger = new Ledger();
  readonly deadlines = new Deadlines();
  readonly transactions: Transactions;
  position: ConnectionPosition = connectionChart.start;
  /** The position that the word at hand was met in. */
  #before: ConnectionPosition = connectionChart.start;
  /** What the server offers; undefined until it is known for good. */
  capabilities: Capabilities | undefined;
  tls: TlsInfo | undefined;
  lastReply: Reply | undefined;
  /** A token has come in: turn the pump. */
  onWake: (() => void) | undefined;

  readonly #departures: Departures;
  readonly #parser = new ReplyParser();
  #settings: ConnectionSettings | undefined;
  #hello: Reply | undefined;
  #offered: Capabilities = noCapabilities;
  #localAddress: string | undefined;
  #login: LoginAttempt | undefined;
  #response: Command | undefined;
  #token: TokenRequest | undefined;
  #lastReplyAt = 0;
  #reason: SmtpError | undefined;
  #unfinished: readonly UnfinishedMessage[] = [];
  #atHand: AtHand = { entry: undefined, reply: undefined, cause: undefined };
  #lineClosed = false;
  /** The time of this turn. */
  #now = 0;

  constructor() {
    const connection = this;
    this.transactions = new Transactions({
      ledger: this.ledger,
      outbox: this.outbox,
      get lmtp() {
        return connection.#settings?.lmtp ?? false;
      },
      get bodyBufferBytes() {
        return connection.#settings?.bodyBufferBytes ?? 0;
      },
      get bareLineEnds() {
        return connection.#settings?.bareLineEnds ?? 'normalise';
      },
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
    return (
      this.outbox.hasDeeds || this.outbox.hasEvents || this.#lineClosed || this.#token?.answered === true
    );
  }

  // ── steps of the caller: legality was asked before ──

  connect(settings: ConnectionSettings): void {
    this.#settings = settings;
    const { tls, lmtp, login } = settings;
    const token = login?.token !== undefined;
    this.#walk(connectionChart.word({ type: 'step.connect', tls, lmtp, auth: login !== undefined, token }));
  }

  noop(): void {
    this.#walk(words['step.noop']);
  }

  reset(): void {
    this.transactions.takeBack(mailWords['step.reset']);
    // taking back may have cost the line
    if (this.can(words['step.reset'])) this.#walk(words['step.reset']);
  }

  disconnect(): void {
    const open = this.#contentStandsOpen();
    if (!open) this.transactions.takeBack(mailWords['step.leave']);
    this.#walk(connectionChart.word({ type: 'step.disconnect', open }));
  }

  abort(): void {
    this.#walk(words['step.abort']);
  }

  // ── what the world did ──

  /** Deadlines that have come. */
  handleTime(now: number): void {
    this.#now = now;
    this.#arm();
    const due = this.deadlines.due(now);
    if (due === undefined) return;
    this.#atHand = { entry: this.ledger.oldest, reply: undefined, cause: undefined };
    this.deadlines.clear(due);
    this.#walk(words.timeout);
  }

  handleToken(): void {
    const request = this.#token;
    if (request?.answered !== true) return;
    this.#token = undefined;
    this.deadlines.clear('token');
    if (this.#login === undefined) return;
    this.#login.token = request.token;
    this.#login.error = request.error;
    this.#atHand = { entry: undefined, reply: undefined, cause: request.error };
    this.#walk(request.token === undefined ? words['token.failed'] : words['token.ready']);
  }

  handleEvent(event: TransportEvent): void {
    switch (event.type) {
      case 'open':
        this.deadlines.clear('open');
        this.#localAddress = event.localAddress;
        this.#walk(words.opened);
        return;
      case 'bytes':
        this.#parser.feed(event.bytes);
        return;
      case 'drain':
        this.outbox.full = false;
        this.deadlines.clear('drain');
        return;
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
      this.#violate(undefined, asError(error));
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
    else if (oldest === undefined)
      this.#violate(reply, new Error('the server replied though nothing was asked'));
    else if (!this.#answer(oldest, reply)) this.#violate(reply, undefined, oldest);
    return true;
  }

  /** The line is down and everything before has been told. */
  handleClosed(): void {
    if (!this.#lineClosed || this.outbox.hasEvents) return;
    this.#lineClosed = false;
    this.#walk(words.closed);
  }

  // ── what leaves ──

  /** Carries out deeds and lets out what may leave, in as few writes as can be. */
  drain(transport: Transport): void {
    const now = this.#now;
    this.outbox.refill();
    for (let deed = this.outbox.nextDeed(); deed !== undefined; deed = this.outbox.nextDeed()) {
      this.#perform(deed, transport);
    }
    const settings = this.#settings;
    if (settings === undefined) return;
    const wasFull = this.outbox.full;
    if (!wasFull && this.ledger.waiting > 0) {
      this.#departures.release({
        now,
        transport,
        capabilities: this.#offered,
        open: this.position.tags.has('open'),
        pipelining: settings.pipelining && this.#offered.pipelining,
        messagesInFlight: settings.messagesInFlight,
      });
      this.outbox.flush(transport);
      if (this.outbox.full) this.deadlines.set('drain', now + settings.timeouts.bodyMs);
    }
    this.#arm();
  }

  // ── the world, in detail ──

  #handleLost(event: Extract<TransportEvent, { type: 'lost' }>): void {
    this.#atHand = { entry: this.ledger.oldest, reply: undefined, cause: event.error };
    if (event.during === 'secure' && this.can(words['secure.failed'])) {
      this.#walk(words['secure.failed']);
    } else {
      const quit = this.ledger.oldest?.kind === 'quit';
      this.#walk(connectionChart.word({ type: 'lost', quit }));
    }
  }

  /** The reply answers the oldest command; a message by LMTP has one for each recipient. */
  #count(oldest: Entry): void {
    this.#lastReplyAt = this.#now;
    const { mail } = oldest;
    if (oldest.kind === 'content' && this.#settings?.lmtp && mail && mail.verdicts + 1 < mail.accepted.length)
      return;
    this.ledger.settle();
    this.#departures.answered(oldest);
    if (mail !== undefined) mail.due--;
  }

  #answer(oldest: Entry, reply: Reply): boolean {
    this.#atHand = { entry: oldest, reply, cause: undefined };
    if (oldest.mail !== undefined) return this.transactions.answer(oldest, oldest.mail, reply);
    const word = this.#wordFor(oldest, reply);
    return word !== undefined && this.#walk(word);
  }

  #wordFor(oldest: Entry, reply: Reply): Word<ConnectionWord> | undefined {
    if (oldest.kind === 'auth') return this.#loginWord(reply);
    if (oldest.kind === 'ehlo' && reply.code >= 200 && reply.code < 300) return this.#helloWord(reply);
    if (oldest.kind === 'helo') this.#hello = reply;
    const word = connectionAnswer(oldest, reply);
    if (word !== words['starttls.ok']) return word;
    // whatever came with the 220 was written in clear by somebody (CVE-2011-0411)
    return this.#parser.pending > 0 ? undefined : word;
  }

  #helloWord(reply: Reply): Word<ConnectionWord> {
    this.#hello = reply;
    this.#offered = parseCapabilities(reply);
    const { login } = this.#settings ?? {};
    this.#login =
      login &&
      this.#settings &&
      new LoginAttempt(this.#settings, login, this.#offered.auth, this.tls !== undefined, this.tls?.binding);
    return connectionChart.word({
      type: 'ehlo.ok',
      starttls: this.#offered.starttls,
      auth: this.#login?.more ?? false,
    });
  }

  #loginWord(reply: Reply): Word<ConnectionWord> | undefined {
    const login = this.#login;
    if (login === undefined) return undefined;
    if (reply.code === 334) {
      this.#response = login.answer(reply.text);
      return this.#response === undefined ? words['auth.invalid'] : words['auth.challenge'];
    }
    if (reply.code >= 500) return connectionChart.word({ type: 'auth.refused', more: login.more });
    if (reply.code >= 400) return words['auth.deferred'];
    if (reply.code >= 300) return undefined;
    return login.accept() ? words['auth.ok'] : words['auth.unproved'];
  }

  /** RFC 5321 §3.8: 421 may come at any time; it answers what was due, and nothing more is written. */
  #shutDown(oldest: Entry | undefined, reply: Reply): void {
    this.#atHand = { entry: oldest, reply, cause: undefined };
    if (oldest !== undefined && !entryKinds[oldest.kind].opening) {
      if (oldest.mail !== undefined) this.transactions.answer(oldest, oldest.mail, reply);
      else this.#answer(oldest, reply);
    }
    if (this.can(words.shutdown)) this.#walk(words.shutdown);
  }

  #violate(reply: Reply | undefined, cause: Error | undefined, oldest = this.ledger.oldest): void {
    this.#atHand = { entry: oldest, reply, cause };
    if (this.can(words.violation)) this.#walk(words.violation);
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
    const settings = this.#settings;
    if (settings === undefined) return;
    switch (effect.do) {
      case 'open':
        this.#begin();
        return this.outbox.do({ deed: 'open', target: settings.target });
      case 'expectGreeting':
        // it leaves by itself, the moment the line is up
        this.ledger.pushFirst(entry('greeting'));
        return this.ledger.depart(this.#now);
      case 'send':
        return this.#send(effect.command);
      case 'secure':
        this.#offered = noCapabilities;
        return this.outbox.do({ deed: 'secure', options: settings.tlsOptions });
      case 'fetchToken':
        return this.#fetchToken();
      case 'login':
        return this.#beginMechanism();
      case 'respond':
        if (this.#response) this.ledger.pushFirst(entry('auth', this.#response));
        this.#response = undefined;
        return;
      case 'cancelLogin':
        return this.ledger.pushFirst(entry('auth', commands.authCancel()));
      case 'admit':
        this.deadlines.clear('total');
        this.capabilities = this.#offered;
        this.#login = undefined;
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

  #tell(notice: Extract<ConnectionEffect, { tell: string }>): void {
    const event = connectionEvent(notice, {
      ...this.#atHand,
      phase: this.#phase,
      hello: this.#hello,
      capabilities: this.#offered,
      tls: this.tls,
      mechanism: this.#login?.mechanism,
      loginError: this.#login?.error,
      reason: this.#reason,
      unfinished: this.#unfinished,
    });
    if (event !== undefined) this.outbox.tell(event);
  }

  /** A new line: nothing of the last one is left. */
  #begin(): void {
    this.capabilities = undefined;
    this.tls = undefined;
    this.lastReply = undefined;
    this.#hello = undefined;
    this.#offered = noCapabilities;
    this.#localAddress = undefined;
    this.#reason = undefined;
    this.#unfinished = [];
    this.#atHand = { entry: undefined, reply: undefined, cause: undefined };
    this.#departures.reset();
  }

  #send(command: Extract<ConnectionEffect, { do: 'send' }>['command']): void {
    const { ledger } = this;
    switch (command) {
      case 'EHLO':
        return ledger.pushFirst(entry('ehlo', commands.ehlo(this.#name)));
      case 'LHLO':
        return ledger.pushFirst(entry('ehlo', commands.lhlo(this.#name)));
      case 'HELO':
        return ledger.pushFirst(entry('helo', commands.helo(this.#name)));
      case 'STARTTLS':
        return ledger.pushFirst(entry('starttls', commands.starttls()));
      case 'NOOP':
        return ledger.push(entry('noop', commands.noop()));
      case 'RSET':
        return ledger.push(entry('rset', commands.rset()));
      case 'QUIT':
        return ledger.push(entry('quit', commands.quit()));
      default:
        command satisfies never;
    }
  }

  #fetchToken(): void {
    const source = this.#settings?.login?.token;
    if (source === undefined) return;
    this.#token = new TokenRequest(source, () => this.onWake?.());
    const { timeouts } = this.#settings ?? {};
    if (timeouts) this.deadlines.set('token', this.#now + timeouts.commandMs);
  }

  /** Begins the next mechanism that the credentials can serve. */
  #beginMechanism(): void {
    const login = this.#login;
    if (login === undefined) return;
    while (login.more) {
      try {
        return this.ledger.pushFirst(entry('auth', login.begin()));
      } catch (error) {
        login.error = asError(error);
      }
    }
    this.#walk(connectionChart.word({ type: 'auth.refused', more: false }));
  }

  #close(graceful: boolean): void {
    this.#unfinished = this.transactions.lose();
    this.ledger.clear();
    this.deadlines.clearAll();
    this.#parser.reset();
    this.#login = undefined;
    this.#token = undefined;
    this.#response = undefined;
    this.outbox.discard();
    this.outbox.do({ deed: 'close', graceful });
  }

  #perform(deed: LineDeed, transport: Transport): void {
    const now = this.#now;
    const { timeouts } = this.#settings ?? {};
    switch (deed.deed) {
      case 'open':
        transport.open(deed.target);
        this.deadlines.set('open', now + (timeouts?.connectMs ?? Infinity));
        this.deadlines.set('total', now + (timeouts?.totalMs ?? Infinity));
        return;
      case 'secure': {
        // bytes that came in clear belong to nobody (CVE-2011-0411)
        const early = transport.poll();
        if (early !== undefined) return this.#refuseEarly(early);
        this.deadlines.set('secure', now + (timeouts?.secureMs ?? Infinity));
        return transport.secure(deed.options);
      }
      case 'close':
        transport.close(deed.graceful);
        this.#lineClosed = true;
        return;
      default:
        deed satisfies never;
    }
  }

  #refuseEarly(event: TransportEvent): void {
    if (event.type !== 'bytes') return this.handleEvent(event);
    const cause = new Error('the server wrote in clear where TLS was to begin');
    this.#atHand = { entry: undefined, reply: this.lastReply, cause };
    this.#walk(this.#settings?.tls === 'implicit' ? words['secure.failed'] : words.violation);
  }

  /** The reply's deadline counts from the command's departure or the reply before it, whichever came later. */
  #arm(): void {
    const { timeouts } = this.#settings ?? {};
    if (timeouts === undefined) return;
    const { oldest } = this.ledger;
    const replyAt =
      oldest === undefined
        ? Infinity
        : Math.max(oldest.sentAt, this.#lastReplyAt) + timeouts[entryKinds[oldest.kind].limit];
    this.deadlines.set('reply', replyAt);
    const startedAt = this.transactions.oldest?.startedAt ?? Infinity;
    this.deadlines.set('message', startedAt + timeouts.messageMs);
  }

  /** Content that has begun and not ended, so that a command would be taken for text. */
  #contentStandsOpen(): boolean {
    const { newest } = this.transactions;
    const flowing = newest?.position.tags.has('flowing') === true;
    return flowing && newest?.content?.ended === false;
  }

  get #phase(): Phase {
    const { entry } = this.#atHand;
    if (entry !== undefined) return phaseOf(entry);
    const awaited = awaitedIn(this.#before);
    if (awaited !== undefined) return awaited;
    return this.ledger.first?.kind === 'content' ? 'body' : 'connect';
  }

  get #name(): string {
    const { localName, fallbackName } = this.#settings ?? {};
    if (localName !== undefined) return localName;
    return this.#localAddress === undefined
      ? (fallbackName ?? 'localhost')
      : addressLiteral(this.#localAddress);
  }
}

/** What is awaited in a position that is no reply. */
function awaitedIn({ tags }: ConnectionPosition): Phase | undefined {
  if (tags.has('awaits:connect')) return 'connect';
  if (tags.has('awaits:tls')) return 'tls';
  return tags.has('awaits:auth') ? 'auth' : undefined;
}
