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
import type { Command } from '../wire/command.ts';
import type { Recipient } from './events.ts';
import type { Mail } from './mail.ts';
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

export interface Entry {
  readonly kind: EntryKind;
  /** Made when it leaves, where it depends on what the server offers. */
  command: Command | undefined;
  readonly mail: Mail | undefined;
  readonly recipient: Recipient | undefined;
  /** Sent by the client for itself: its answer is told to nobody. */
  readonly own: boolean;
  /** Why we refuse it ourselves: it goes by as if it had left, so that its answer comes in its turn. */
  refusal: SmtpError | undefined;
  /** When it left, in the clock's milliseconds. */
  sentAt: number;
}

export function entry(
  kind: EntryKind,
  command?: Command,
  mail?: Mail,
  recipient?: Recipient,
  own = false,
): Entry {
  return { kind, command, mail, recipient, own, refusal: undefined, sentAt: 0 };
}

/** Answered entries are let go of in blocks of this many. */
const compactAt = 256;

export class Ledger {
  #entries: Entry[] = [];
  #nextAnswer = 0;
  #nextToLeave = 0;

  /** Commands on the wire and not answered. */
  get due(): number {
    return this.#nextToLeave - this.#nextAnswer;
  }

  /** Commands that have not left. */
  get waiting(): number {
    return this.#entries.length - this.#nextToLeave;
  }

  /** The command that the next reply answers. */
  get oldest(): Entry | undefined {
    return this.due === 0 ? undefined : this.#entries[this.#nextAnswer];
  }

  /** The first of those that wait, whether it may leave or not. */
  get first(): Entry | undefined {
    return this.#entries[this.#nextToLeave];
  }

  push(entry: Entry): void {
    this.#entries.push(entry);
  }

  /** Before everything that waits: what must be done first, so that the rest can leave at all. */
  pushFirst(entry: Entry): void {
    this.#entries.splice(this.#nextToLeave, 0, entry);
  }

  /** The first of those that wait goes another way. */
  replaceFirst(entry: Entry): void {
    this.#entries[this.#nextToLeave] = entry;
  }

  /** What may leave now: all up to the next barrier, or one command at a time. */
  next(pace: Pace): Entry | undefined {
    const candidate = this.first;
    if (candidate === undefined || this.due === 0) return candidate;
    if (pace === 'command' || candidate.kind === 'quit') return undefined;
    const last = this.#entries[this.#nextToLeave - 1];
    const ends = last !== undefined && entryKinds[last.kind].endsGroup;
    return ends === true || ends === pace ? undefined : candidate;
  }

  /** The first of those that wait has left. */
  depart(now: number): void {
    const leaving = this.#entries[this.#nextToLeave];
    if (leaving === undefined) return;
    leaving.sentAt = now;
    this.#nextToLeave++;
  }

  /** The oldest on the wire is answered. */
  settle(): void {
    this.#nextAnswer++;
    if (this.#nextAnswer === this.#entries.length) {
      this.clear();
    } else if (this.#nextAnswer >= compactAt) {
      this.#entries.splice(0, this.#nextAnswer);
      this.#nextToLeave -= this.#nextAnswer;
      this.#nextAnswer = 0;
    }
  }

  /** Drops what waits and fits. What has left stays: its answer will come. */
  dropWaiting(fits: (entry: Entry) => boolean): void {
    let kept = this.#nextToLeave;
    for (let i = this.#nextToLeave; i < this.#entries.length; i++) {
      const candidate = this.#entries[i];
      if (candidate !== undefined && !fits(candidate)) this.#entries[kept++] = candidate;
    }
    this.#entries.length = kept;
  }

  clear(): void {
    this.#entries.length = 0;
    this.#nextAnswer = 0;
    this.#nextToLeave = 0;
  }
}
