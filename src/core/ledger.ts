/**
 * Whose answer is this, and what may leave now? A reply can only answer the oldest unanswered command, so pipelining
 * is a position in one array and not a state:
 *
 *   | answered … | on the wire … | waiting … |
 *                ▲ next answer   ▲ next to leave
 *
 * It holds order and nothing else: no bytes, no text of a reply, no legality.
 */
import type { Phase, SmtpError } from '../errors.ts';
import { type Command, commands } from '../wire/command.ts';
import type { Recipient } from './events.ts';
import type { Mail } from './mail.ts';
import { Queue } from './queue.ts';
import type { Timeouts } from './settings.ts';

export type EntryKind = keyof typeof entryKinds;

interface KindFacts {
  readonly phase: Phase;
  /** Which limit its reply has. */
  readonly limit: keyof Timeouts;
  /** It belongs to connecting, and leaves before mail may. */
  readonly opening: boolean;
  /** Nothing may follow it before it is answered (RFC 2920 §3.1); `'message'`: where messages go one by one. */
  readonly endsGroup: boolean | 'message';
}

/** How much may be on the wire at once: one command, the group of one message, or many messages. */
export type Pace = 'command' | 'message' | 'many';

/** Everything that a kind of command means to order, time and errors. */
export const entryKinds = {
  greeting: { phase: 'greeting', limit: 'greetingMs', opening: true, endsGroup: true },
  ehlo: { phase: 'ehlo', limit: 'commandMs', opening: true, endsGroup: true },
  helo: { phase: 'ehlo', limit: 'commandMs', opening: true, endsGroup: true },
  starttls: { phase: 'starttls', limit: 'commandMs', opening: true, endsGroup: true },
  auth: { phase: 'auth', limit: 'commandMs', opening: true, endsGroup: true },
  mail: { phase: 'mail', limit: 'commandMs', opening: false, endsGroup: false },
  rcpt: { phase: 'rcpt', limit: 'commandMs', opening: false, endsGroup: false },
  data: { phase: 'data', limit: 'dataMs', opening: false, endsGroup: true },
  // the next envelope may follow (RFC 2920 §3.1), though not every server that offers PIPELINING can take it
  content: { phase: 'verdict', limit: 'verdictMs', opening: false, endsGroup: 'message' },
  // RFC 3030 §4.2: chunks may follow each other, and whatever comes next may follow the last one
  chunk: { phase: 'body', limit: 'commandMs', opening: false, endsGroup: false },
  last: { phase: 'verdict', limit: 'verdictMs', opening: false, endsGroup: 'message' },
  rset: { phase: 'rset', limit: 'commandMs', opening: false, endsGroup: false },
  noop: { phase: 'noop', limit: 'commandMs', opening: false, endsGroup: true },
  quit: { phase: 'quit', limit: 'quitMs', opening: false, endsGroup: true },
} as const satisfies Record<string, KindFacts>;

/** One command, or RCPTs of one message that follow each other. */
export interface Entry {
  /** That of DATA becomes that of the last chunk where the content goes in chunks. */
  kind: EntryKind;
  /** Made when it leaves, where it depends on what the server offers. Of RCPTs see {@link lineOf}. */
  command: Command | undefined;
  readonly mail: Mail | undefined;
  /** RCPT: the `id` of the recipient that was answered last; the next is the first that is not. */
  at: number;
  /** How many commands it still is. */
  left: number;
  /** Sent by the client for itself: its answer is told to nobody. */
  readonly own: boolean;
  /** Why we refuse it ourselves: it goes by as if it had left, so that its answer comes in its turn. */
  refusal: SmtpError | undefined;
}

export function entry(kind: EntryKind, command?: Command, mail?: Mail, at = 0, own = false): Entry {
  return { kind, command, mail, at, left: 1, own, refusal: undefined };
}

/** So many RCPTs of a message, after so many others. */
export function rcpts(mail: Mail, after: number, count: number): Entry {
  const run = entry('rcpt', undefined, mail, after);
  run.left = count;
  return run;
}

/** The recipient that was answered last. */
export function recipientOf({ mail, at }: Entry): Recipient | undefined {
  return mail?.recipients[at - 1];
}

/** The command that was answered last, as one line. */
export function lineOf({ kind, command, mail, at }: Entry): string | undefined {
  return (kind === 'rcpt' ? mail?.lines.command(at - 1) : command)?.line;
}

/** What a saved entry names and does not hold. */
export interface LookUp {
  mail(id: number): Mail;
  /** The last command of the login, whose secrets are not saved. */
  login(): Command | undefined;
}

function saveEntry({ kind, command, mail, at, left, own, refusal }: Entry) {
  const { verb, line, masked } = command ?? {};
  return { kind, verb, line, masked, mail: mail?.message.id, at, left, own, refusal };
}

function loadEntry(saved: ReturnType<typeof saveEntry>, lookUp: LookUp): Entry {
  const { kind, verb, line, at, left, own, refusal } = saved;
  const mail = saved.mail === undefined ? undefined : lookUp.mail(saved.mail);
  if (kind === 'rcpt') mail?.recipient(at + left);
  const plain = verb === undefined || line === undefined ? undefined : commands.again(verb, line);
  return { ...entry(kind, saved.masked ? lookUp.login() : plain, mail, at, own), left, refusal };
}

export class Ledger {
  // the array of the drawing, cut where it is worked on: entries go in and out at both sides of the second arrow
  readonly #onTheWire = new Queue<Entry>();
  readonly #waiting = new Queue<Entry>();
  /**
   * When something left last with nothing unanswered before it, in the clock's milliseconds. What leaves behind others
   * is not late before they are answered, so that no other time of leaving matters.
   */
  busySince = Number.NEGATIVE_INFINITY;
  #due = 0;

  /** Commands on the wire and not answered. */
  get due(): number {
    return this.#due;
  }

  /** Entries that have not left. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** The command that the next reply answers. */
  get oldest(): Entry | undefined {
    return this.#onTheWire.first;
  }

  /** The same with nothing behind it, as if it were answered: who is to blame when nothing answers. */
  get blamed(): Entry | undefined {
    const { oldest } = this;
    return oldest?.kind === 'rcpt' ? { ...oldest, at: oldest.at + 1, left: 1 } : oldest;
  }

  /** The first of those that wait, whether it may leave or not. */
  get first(): Entry | undefined {
    return this.#waiting.first;
  }

  push(entry: Entry): void {
    this.#waiting.push(entry);
  }

  /** The newest recipient of a message. */
  pushRecipient(mail: Mail): void {
    const others = mail.recipients.length - 1;
    const { last } = this.#waiting;
    if (last?.mail === mail && last.kind === 'rcpt' && last.at + last.left === others) last.left++;
    else this.push(rcpts(mail, others, 1));
  }

  /** Before everything that waits: what must be done first, so that the rest can leave at all. */
  pushFirst(entry: Entry): void {
    this.#waiting.unshift(entry);
  }

  /** Before what waits, but for what goes ahead of them. */
  pushBehind(entries: readonly Entry[], goesAhead: (waiting: Entry) => boolean): void {
    const queue = this.#waiting;
    const ahead: Entry[] = [];
    for (let { first } = queue; first !== undefined && goesAhead(first); { first } = queue) {
      ahead.push(first);
      queue.shift();
    }
    for (const entry of [...ahead, ...entries].reverse()) queue.unshift(entry);
  }

  /** What may leave now: all up to the next barrier, or one command at a time. */
  next(pace: Pace): Entry | undefined {
    const candidate = this.#waiting.first;
    const { last } = this.#onTheWire;
    if (candidate === undefined || last === undefined) return candidate;
    if (pace === 'command' || candidate.kind === 'quit') return undefined;
    const ends = entryKinds[last.kind].endsGroup;
    return ends === true || ends === pace ? undefined : candidate;
  }

  /** The first of those that wait has left, or of RCPTs the first so many. Gives what has. */
  depart(now: number, count = 1): Entry | undefined {
    const { first } = this.#waiting;
    if (first === undefined) return undefined;
    let leaving = first;
    if (count < first.left && first.mail !== undefined) {
      leaving = rcpts(first.mail, first.at, count);
      first.at += count;
      first.left -= count;
    } else {
      this.#waiting.shift();
    }
    this.departUnasked(leaving, now);
    return leaving;
  }

  /** Something has left that never waited. */
  departUnasked(entry: Entry, now: number): void {
    if (this.#due === 0) this.busySince = now;
    this.#due += entry.left;
    this.#onTheWire.push(entry);
  }

  /** The oldest on the wire is answered. */
  settle(): void {
    const { oldest } = this;
    if (oldest === undefined) return;
    this.#due--;
    if (oldest.kind === 'rcpt') oldest.at++;
    if (oldest.left > 1) oldest.left--;
    else this.#onTheWire.shift();
  }

  /**
   * Drops what waits of a message. Messages that have not begun wait in order, so that only what stands on one side of
   * it has to be looked at: the newest costs nothing, however many wait before it.
   */
  forget(mail: Mail): void {
    const queue = this.#waiting;
    const isFirst = mail.hasBegun || queue.first?.mail === mail;
    const { id } = mail.message;
    const passes = (at: Mail): boolean => (isFirst ? at.message.id > id && !at.hasBegun : at.message.id < id);
    const others: Entry[] = [];
    for (;;) {
      const at = isFirst ? queue.first : queue.last;
      if (at === undefined || (at.mail !== undefined && passes(at.mail))) break;
      if (at.mail !== mail) others.push(at);
      if (isFirst) queue.shift();
      else queue.pop();
    }
    for (let at = others.pop(); at !== undefined; at = others.pop()) {
      if (isFirst) queue.unshift(at);
      else queue.push(at);
    }
  }

  /** The message of each entry. */
  *mails(): IterableIterator<Mail> {
    for (const queue of [this.#onTheWire, this.#waiting]) {
      for (const { mail } of queue) if (mail !== undefined) yield mail;
    }
  }

  save(now: number) {
    return {
      onTheWire: [...this.#onTheWire].map(saveEntry),
      busyFor: now - this.busySince,
      waiting: [...this.#waiting].map(saveEntry),
    };
  }

  /** @param lookUp finds what the entries only name */
  load({ onTheWire, busyFor, waiting }: ReturnType<Ledger['save']>, now: number, lookUp: LookUp): void {
    for (const one of onTheWire) this.departUnasked(loadEntry(one, lookUp), now);
    for (const one of waiting) this.push(loadEntry(one, lookUp));
    this.busySince = now - busyFor;
  }

  clear(): void {
    this.#due = 0;
    this.#onTheWire.clear();
    this.#waiting.clear();
  }
}
