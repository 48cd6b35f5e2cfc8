/**
 * Walks the connection's chart and carries out what it wants, with the ledger, the outbox, the deadlines and the
 * messages of the connection. It takes nothing from the transport and writes nothing to it: `connection.ts` does.
 */
import type { Blame, ConnectionWord } from '../../machines/vocabulary.ts';
import type { Phase, SmtpError } from '../errors.ts';
import type { Target, TlsInfo } from '../transport/transport.ts';
import type { Capabilities } from '../wire/capabilities.ts';
import { commands } from '../wire/command.ts';
import type { Reply } from '../wire/reply.ts';
import {
  type ConnectionEffect,
  type ConnectionPosition,
  connectionChart,
  connectionWords as words,
} from './charts.ts';
import { Deadlines } from './deadlines.ts';
import type { UnfinishedMessage } from './events.ts';
import { ending, phaseOf } from './failures.ts';
import { type Entry, entry, Ledger, type Pace } from './ledger.ts';
import { Opening } from './opening.ts';
import { Outbox } from './outbox.ts';
import { type ConnectionSettings, defaultSettings } from './settings.ts';
import { connectionEvent } from './telling.ts';
import { Transactions } from './transactions.ts';
import type { Word } from './walk.ts';

/** What happened last, and is to be told or blamed. */
export interface AtHand {
  readonly entry: Entry | undefined;
  readonly reply: Reply | undefined;
  readonly cause: Error | undefined;
  /** Where neither the entry nor the position tells it. */
  readonly phase?: Phase;
}

export const nothingAtHand: AtHand = { entry: undefined, reply: undefined, cause: undefined };

const isSame = (a: Target, b: Target | undefined): boolean =>
  a.host === b?.host && a.port === b.port && a.path === b.path;

/** Lines of former logins that are remembered. */
const formerLines = 64;

const quit = commands.quit();
const noop = commands.noop();
const rset = commands.rset();
const starttls = commands.starttls();
const noMechanismLeft = connectionChart.word({ type: 'auth.refused', more: false });

export class Conduct {
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
  opening: Opening = new Opening(defaultSettings);
  /** What was said in logins on lines that were left: it may be under way there, and is not to be saved. */
  formerSecrets: readonly Uint8Array[] = [];
  /** The server may still hold a transaction that failed: RSET before the next MAIL. */
  spoiled = false;
  /** How much this server has been seen to take at once. */
  pace: Pace = 'many';
  /** The server whose pace it is. */
  pacedFor: Target | undefined;
  /** The line is given up: what still comes from it is of no interest. */
  leaving = false;
  /** Why the line went down, and what had no verdict by then. */
  reason: SmtpError | undefined;
  unfinished: readonly UnfinishedMessage[] = [];
  /** The time of this turn, in the clock's milliseconds. */
  now = Number.NEGATIVE_INFINITY;
  /** A token has come in: turn the pump. */
  onWake: (() => void) | undefined;
  /** The position that the word at hand was met in. */
  #before: ConnectionPosition = connectionChart.start;
  #atHand = nothingAtHand;

  constructor() {
    this.transactions = new Transactions(this, {
      violate: (entry) => this.walk(words.violation, { ...nothingAtHand, entry, reply: this.lastReply }),
      stuck: () => this.walk(words.stuck, { ...nothingAtHand, phase: 'body' }),
      spoil: () => {
        this.spoiled = true;
      },
      slowDown: (from) => this.slowDown(from),
    });
  }

  can(word: Word<ConnectionWord>): boolean {
    return connectionChart.step(this.position, word) !== undefined;
  }

  /** The server could not take so much at once as at this pace. What left with it says the same, and counts once. */
  slowDown(from: Pace): void {
    if (from !== this.pace) return;
    this.pace = this.pace === 'many' ? 'message' : 'command';
  }

  /**
   * A server that drops the line may not have liked what it was given at once: messages behind each other, or, where
   * they go one by one, the commands of the first. One that has taken a message so bears it.
   * @param begun messages on this line
   */
  lineDropped(begun: number): void {
    const tooMuch =
      this.pace === 'many' ? this.transactions.onTheWire > 1 : begun === 1 && this.ledger.due > 1;
    if (tooMuch) this.slowDown(this.pace);
  }

  /** What is awaited that is no reply, if anything is. */
  get awaited(): Phase | undefined {
    return awaitedIn(this.position);
  }

  /** Takes the word, carries out what it leads to, and says whether the chart took it. */
  walk(word: Word<ConnectionWord>, atHand: AtHand): boolean {
    const from = this.position;
    const edge = connectionChart.step(from, word);
    if (edge === undefined) return false;
    this.position = edge.to;
    this.#before = from;
    this.#atHand = atHand;
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
        ledger.depart(this.now);
        return;
      case 'send':
        return this.#send(effect.command);
      case 'secure':
        this.opening.forget();
        return outbox.do({ deed: 'secure', options: this.settings.tlsOptions });
      case 'fetchToken':
        this.deadlines.set('token', this.now + this.settings.timeouts.commandMs);
        return this.opening.fetchToken(() => this.onWake?.());
      case 'login':
        return this.#logIn();
      case 'respond':
        return ledger.pushFirst(entry('auth', this.opening.takeResponse()));
      case 'cancelLogin':
        return ledger.pushFirst(entry('auth', commands.authCancel()));
      case 'giveUpConnecting':
        return this.deadlines.clear('total');
      case 'admit':
        this.deadlines.clear('total');
        this.capabilities = this.opening.offered;
        return;
      case 'blame':
        this.reason ??= this.#ending(effect.on);
        return;
      case 'close':
        return this.#close(effect.graceful);
      case 'nothing':
        return;
      default:
        return effect satisfies never;
    }
  }

  #ending(blame: Blame): SmtpError {
    const { entry, reply, cause } = this.#atHand;
    return ending(blame, { entry, reply, cause, implicit: this.#implicit, phase: this.#phase });
  }

  /** A new line: nothing of the last one is left. */
  #begin(): void {
    const { target } = this.settings;
    if (!isSame(target, this.pacedFor)) this.pace = 'many';
    this.pacedFor = target;
    this.formerSecrets = [...this.formerSecrets, ...(this.opening.login?.secrets ?? [])].slice(-formerLines);
    this.opening = new Opening(this.settings);
    this.spoiled = false;
    this.leaving = false;
    this.reason = undefined;
    this.unfinished = [];
    this.capabilities = undefined;
    this.tls = undefined;
    this.lastReply = undefined;
    this.outbox.do({ deed: 'open', target });
  }

  #send(command: Extract<ConnectionEffect, { do: 'send' }>['command']): void {
    const { ledger } = this;
    switch (command) {
      case 'EHLO':
      case 'LHLO':
        return ledger.pushFirst(entry('ehlo', this.opening.introduce(command)));
      case 'HELO':
        return ledger.pushFirst(entry('helo', this.opening.introduce(command)));
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
    const command = this.opening.nextMechanism();
    if (command === undefined) this.walk(noMechanismLeft, this.#atHand);
    else this.ledger.pushFirst(entry('auth', command));
  }

  /** The line goes down at the next drain; what was open on it has its outcome now. */
  #close(graceful: boolean): void {
    this.leaving = true;
    this.unfinished = this.transactions.lose();
    this.ledger.clear();
    this.deadlines.clearAll();
    this.outbox.discard();
    this.outbox.do({ deed: 'close', graceful });
  }

  /** DISCONNECTED is about to be told: also of what was begun since the line was given up. */
  loseRest(): void {
    this.unfinished = [...this.unfinished, ...this.transactions.lose()];
    this.transactions.newest = undefined;
    this.ledger.clear();
    this.tls = undefined;
    this.capabilities = undefined;
  }

  #tell(notice: Extract<ConnectionEffect, { tell: string }>): void {
    const { hello, offered, login } = this.opening;
    const { entry, reply, cause } = this.#atHand;
    const event = connectionEvent(notice, {
      entry,
      reply,
      cause,
      implicit: this.#implicit,
      phase: this.#phase,
      hello,
      capabilities: offered,
      tls: this.tls,
      login,
      reason: this.reason,
      unfinished: this.unfinished,
    });
    if (event !== undefined) this.outbox.tell(event);
  }

  get #implicit(): boolean {
    return this.settings.tls === 'implicit';
  }

  /** What was going on when it happened. */
  get #phase(): Phase {
    const { entry, phase } = this.#atHand;
    if (entry !== undefined) return phaseOf(entry);
    const waiting = this.ledger.first?.kind;
    const idle = waiting === 'content' || waiting === 'last' ? 'body' : 'connect';
    return phase ?? awaitedIn(this.#before) ?? idle;
  }
}

/** What is awaited in a position and is no reply. */
function awaitedIn({ is }: ConnectionPosition): Phase | undefined {
  if (is['awaits:connect']) return 'connect';
  if (is['awaits:tls']) return 'tls';
  return is['awaits:auth'] ? 'auth' : undefined;
}
