/**
 * What leaves, and in which words: takes from the ledger what may go now, makes the command lines that depend on what
 * the server offers, moves content while the line takes it. What the server cannot take is refused here, unsent.
 */
import type { Transport } from '../transport/transport.ts';
import type { Capabilities } from '../wire/capabilities.ts';
import { type Command, commands, type MailParameters } from '../wire/command.ts';
import { Chunk } from './chunk.ts';
import type { Content, Piece } from './content.ts';
import { exhausted, unsupported } from './failures.ts';
import { InFlight } from './in-flight.ts';
import { type Entry, entry, entryKinds, type Ledger, type Pace } from './ledger.ts';
import type { Mail, Sender } from './mail.ts';
import { mailLimit, mailProblem, nextRecipientProblem, resolveBody } from './offers.ts';
import type { Outbox } from './outbox.ts';
import type { ConnectionSettings } from './settings.ts';
import type { Transactions } from './transactions.ts';

/** What the moment allows. */
export interface Moment {
  readonly now: number;
  readonly transport: Transport;
  readonly capabilities: Capabilities;
  /** May messages leave? */
  readonly open: boolean;
  readonly pace: Pace;
  /** Does content go in chunks (RFC 3030)? */
  readonly chunking: boolean;
  /** Messages whose end has left and whose verdict is due. */
  readonly messagesInFlight: number;
}

/** What departures share with their connection. */
export interface DepartureHost {
  readonly ledger: Ledger;
  readonly outbox: Outbox;
  readonly transactions: Transactions;
  readonly settings: ConnectionSettings;
  /** RSET must come before the next MAIL. */
  spoiled: boolean;
}

/** What a command counts beside its octets: some hundreds of them leave in a turn, whether they write or not. */
const commandCost = 64;
/** So many RCPTs at most leave before it is looked whether more may. */
const rcptsAtOnce = 128;

const lineEnd = Uint8Array.of(0x0d, 0x0a);
const loneDot = Uint8Array.of(0x2e, 0x0d, 0x0a);
const dot = { line: '.' };
const rset = commands.rset();
/** It has no state of its own: one serves all. */
const ownRset = entry('rset', rset, undefined, 0, true);

export class Departures {
  readonly #host: DepartureHost;
  readonly inFlight: InFlight = new InFlight();
  /** Most messages have the sender of the one before. */
  #lastMail: { sender: Sender; body: MailParameters['body']; command: Command } | undefined;
  readonly #chunk = new Chunk();

  constructor(host: DepartureHost) {
    this.#host = host;
  }

  /** Lets out everything that may leave at this moment, to be merged into one write. */
  release(moment: Moment): void {
    while (!this.#host.outbox.blocked) {
      const next = this.#host.ledger.next(moment.pace);
      if (next === undefined) return;
      if (!moment.open && !entryKinds[next.kind].opening) return;
      this.#host.outbox.spend(commandCost);
      if (!this.#leave(next, moment)) return;
    }
  }

  /** A reply to this came: how many messages are in flight hangs on it. */
  answered(entry: Entry): void {
    this.inFlight.answered(entry.kind);
  }

  /** A new line. */
  reset(): void {
    this.inFlight.clear();
  }

  save() {
    return this.inFlight.save();
  }

  load(saved: ReturnType<Departures['save']>): void {
    this.inFlight.load(saved);
  }

  /** Lets one entry leave, or refuses it; false where it must wait. */
  #leave(next: Entry, moment: Moment): boolean {
    const { mail } = next;
    if (mail !== undefined) {
      if (next.kind === 'mail') return this.#leaveMail(next, mail, moment);
      if (next.kind === 'rcpt') return this.#leaveRcpts(next, mail, moment);
      if (next.kind === 'data') return this.#leaveData(next, mail, moment);
      if (next.kind === 'content') return this.#leaveContent(next, mail, moment);
      if (next.kind === 'last') return this.#leaveChunk(next, mail, moment);
    }
    if (next.kind === 'rset') this.#host.spoiled = false;
    return this.#send(next, moment);
  }

  #leaveMail(next: Entry, mail: Mail, moment: Moment): boolean {
    if (this.inFlight.isFull(moment.messagesInFlight)) return false;
    if (this.#mayBeOvertaken(mail)) return false;
    const { capabilities } = moment;
    const { parameters } = mail.sender;
    const problem = mailProblem(parameters, capabilities, moment.chunking);
    const tooMany = mailLimit(this.inFlight.begun, capabilities.limits);
    const body = resolveBody(parameters.body, capabilities);
    if (tooMany !== undefined) {
      this.#host.transactions.refuseMail(next, exhausted(tooMany));
    } else if (problem !== undefined) {
      this.#host.transactions.refuseMail(next, unsupported('mail', problem));
    } else if (mail.has8bit && body === '7bit') {
      const detail = 'the body has 8-bit octets, and the server does not offer 8BITMIME';
      this.#host.transactions.refuseMail(next, unsupported('body', detail));
    } else {
      // how the messages in flight will fare is not known: none of them may spoil this one
      if (this.#host.spoiled || this.inFlight.messages > 0) {
        this.#clear(moment);
        if (moment.pace === 'command') return false;
      }
      mail.behind = this.inFlight.messages > 0;
      mail.pace = moment.pace;
      mail.bodyType = body;
      mail.startedAt = moment.now;
      this.inFlight.begun++;
      next.command = this.#mailCommand(
        mail.sender,
        body === '7bit' && !capabilities.eightBitMime ? undefined : body,
      );
      this.#send(next, moment);
    }
    return true;
  }

  #mailCommand(sender: Sender, body: MailParameters['body']): Command {
    let last = this.#lastMail;
    if (last?.sender !== sender || last.body !== body) {
      last = { sender, body, command: commands.mail(sender.path, { ...sender.parameters, body }) };
      this.#lastMail = last;
    }
    return last.command;
  }

  /** What goes again goes behind all that has begun and waits: a message needs an end that can wait. */
  #mayBeOvertaken(mail: Mail): boolean {
    if (mail.content !== undefined) return false;
    for (const { behind, hasBegun, over } of this.#host.transactions.mails)
      if (behind && hasBegun && !over) return true;
    return false;
  }

  #clear(moment: Moment): void {
    this.#host.spoiled = false;
    this.#host.outbox.writeText(rset.text, rset.octets, moment.transport);
    this.#host.ledger.departUnasked(ownRset, moment.now);
    this.#trace(rset, undefined);
  }

  #leaveRcpts(next: Entry, mail: Mail, moment: Moment): boolean {
    const { outbox } = this.#host;
    const { at } = next;
    const problem = nextRecipientProblem(mail, at, moment.capabilities);
    if (problem !== undefined) {
      this.#depart(next, moment).refusal = unsupported('rcpt', problem);
      return true;
    }
    // those that are counted are looked at one by one
    const oneByOne = moment.pace === 'command' || mail.asked !== undefined;
    const { lines } = mail;
    const count = lines.together(at, oneByOne ? 1 : Math.min(next.left, rcptsAtOnce));
    const text = lines.text(at, count);
    outbox.writeText(text, lines.octets(at, text), moment.transport);
    outbox.spend(commandCost * (count - 1));
    mail.candidates += count;
    this.#depart(next, moment, count);
    if (outbox.tracing.COMMAND) for (let n = 0; n < count; n++) this.#trace(lines.command(at + n), mail);
    return true;
  }

  #leaveData(next: Entry, mail: Mail, moment: Moment): boolean {
    if (mail.candidates === 0) {
      if (mail.due > 0) return false;
      this.#host.transactions.nobodyLeft(mail);
    } else if (moment.chunking) {
      this.#openChunks(next, mail);
    } else {
      this.#send(next, moment);
      // the place of the content in the order; it leaves bit by bit
      this.#host.ledger.pushFirst(entry('content', undefined, mail));
    }
    return true;
  }

  /** No DATA, no 354: the content's turn has come. */
  #openChunks(next: Entry, mail: Mail): void {
    next.kind = 'last';
    next.command = undefined;
    mail.chunked = true;
    if (mail.behind) mail.content?.keep();
    mail.content?.choose(mail.bodyType === 'binarymime' ? 'binary' : 'chunks');
    if (mail.envelopeDue === 0) this.#host.transactions.openChunks(mail);
  }

  /** One chunk of what waits: the last one when the caller has ended, else only when it is worth a reply. */
  #leaveChunk(next: Entry, mail: Mail, moment: Moment): boolean {
    const { content } = mail;
    const { ledger, outbox, settings, transactions } = this.#host;
    if (content === undefined || !(content.ended || content.worthAChunk)) return false;
    // how many verdicts follow by LMTP hangs on whether all chunks before were taken
    if (settings.lmtp && content.ended && mail.due > mail.envelopeDue) return false;
    const chunk = this.#chunk;
    content.moveChunk(chunk.add);
    const { ended } = content;
    if (ended) content.finish(chunk.add);
    // such an Exchange refuses an empty last chunk: an empty line more, as libESMTP does it
    const refusesEmpty = ended && chunk.octets === 0 && moment.capabilities.has('XEXCH50');
    if (refusesEmpty && mail.bodyType !== 'binarymime') chunk.add(lineEnd);
    const leaving = ended ? next : entry('chunk', undefined, mail);
    if (!ended) ledger.pushFirst(leaving);
    leaving.command = commands.bdat(chunk.octets, ended);
    this.inFlight.chunkLeft(chunk.octets);
    this.#send(leaving, moment);
    chunk.leave(outbox, moment.transport);
    this.#tellDrain(content);
    if (ended) {
      transactions.endLeft(mail);
      this.inFlight.messages++;
    }
    return true;
  }

  #tellDrain(content: Content): void {
    if (!(content.owesDrain && content.hasRoom)) return;
    content.owesDrain = false;
    this.#host.outbox.tell({ name: 'DRAIN' });
  }

  /** Content goes as far as the line and the caller let it; its end leaves the entry behind. */
  #leaveContent(next: Entry, mail: Mail, moment: Moment): boolean {
    const out = (piece: Piece): void => this.#host.outbox.write(piece, moment.transport);
    const { content } = mail;
    if (next.own || content === undefined) {
      out(loneDot);
    } else {
      while (!this.#host.outbox.blocked && content.move(out));
      this.#tellDrain(content);
      if (this.#host.outbox.blocked || content.waiting > 0 || !content.ended) return false;
      content.finish(out);
    }
    this.#depart(next, moment);
    this.#trace(dot, mail);
    if (!next.own) this.#host.transactions.endLeft(mail);
    this.inFlight.messages++;
    return true;
  }

  #send(next: Entry, moment: Moment): boolean {
    const { command } = next;
    if (command !== undefined) this.#host.outbox.writeText(command.text, command.octets, moment.transport);
    this.#depart(next, moment);
    if (command !== undefined) this.#trace(command, next.mail);
    return true;
  }

  #depart(next: Entry, moment: Moment, count = 1): Entry {
    const { mail, kind } = next;
    if (mail !== undefined) {
      mail.due += count;
      if (kind === 'mail' || kind === 'rcpt') mail.envelopeDue += count;
    }
    return this.#host.ledger.depart(moment.now, count) ?? next;
  }

  #trace(leaving: { readonly line: string }, mail: Mail | undefined): void {
    if (!this.#host.outbox.tracing.COMMAND) return;
    const { line } = leaving;
    this.#host.outbox.tell({ name: 'COMMAND', line, message: mail?.message });
  }
}
