/** The ledger: order, groups and what is forgotten, by example and against a list that is searched anew each time. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Entry,
  type EntryKind,
  entry,
  entryKinds,
  Ledger,
  lineOf,
  type Pace,
  recipientOf,
} from '../../src/core/ledger.ts';
import { Mail } from '../../src/core/mail.ts';
import { parsePath } from '../../src/wire/address.ts';

const kinds = Object.keys(entryKinds) as EntryKind[];

const paces: readonly Pace[] = ['many', 'message', 'command'];

/** RFC 2920 §3.1, and what this client adds: nothing may follow these before they are answered. */
const always: readonly EntryKind[] = ['greeting', 'ehlo', 'helo', 'starttls', 'auth', 'data', 'noop', 'quit'];
/** At each pace: many messages at once, one message after the other, one command after the other. */
const barriers: Readonly<Record<Pace, readonly EntryKind[]>> = {
  many: always,
  message: [...always, 'content', 'last'],
  command: kinds,
};

/** Lets out all that may leave. */
function release(ledger: Ledger, pace: Pace, now = 0): EntryKind[] {
  const left: EntryKind[] = [];
  for (let next = ledger.next(pace); next !== undefined; next = ledger.next(pace)) {
    ledger.depart(now);
    left.push(next.kind);
  }
  return left;
}

function ledgerOf(...waiting: EntryKind[]): Ledger {
  const ledger = new Ledger();
  for (const kind of waiting) ledger.push(entry(kind));
  return ledger;
}

describe('groups (RFC 2920, TK24, TK70)', () => {
  it('a whole envelope leaves at once with PIPELINING, and its content when DATA is answered', () => {
    const ledger = ledgerOf('mail', 'rcpt', 'rcpt', 'data', 'content', 'mail');
    expect(release(ledger, 'message')).toEqual(['mail', 'rcpt', 'rcpt', 'data']);
    for (const due of [4, 3, 2, 1]) {
      expect([ledger.due, release(ledger, 'message')]).toEqual([due, []]);
      ledger.settle();
    }
    expect(release(ledger, 'message')).toEqual(['content']);
    ledger.settle();
    expect(release(ledger, 'message')).toEqual(['mail']);
  });

  it('LE019: content and the next envelope leave at once where many messages may, and stop at DATA', () => {
    const ledger = ledgerOf('content', 'rset', 'mail', 'rcpt', 'data', 'content');
    expect(release(ledger, 'many')).toEqual(['content', 'rset', 'mail', 'rcpt', 'data']);
    expect(ledger.due).toBe(5);
  });

  it('LE027: chunks and whole messages leave at once; at the slower pace one message does', () => {
    const message: EntryKind[] = ['mail', 'rcpt', 'chunk', 'chunk', 'last'];
    expect(release(ledgerOf(...message, ...message), 'many')).toEqual([...message, ...message]);
    expect(release(ledgerOf(...message, ...message), 'message')).toEqual(message);
  });

  it('one command at a time leaves without PIPELINING, whatever it is', () => {
    const ledger = ledgerOf(...kinds);
    for (const kind of kinds) {
      expect(release(ledger, 'command')).toEqual([kind]);
      expect(ledger.oldest?.kind).toBe(kind);
      ledger.settle();
    }
    expect([ledger.due, ledger.waiting]).toEqual([0, 0]);
  });

  it.each(kinds)('%s lets the next MAIL follow only where it ends no group, at each pace', (kind) => {
    for (const pace of paces) {
      const ends = barriers[pace].includes(kind);
      expect([pace, release(ledgerOf(kind, 'mail'), pace)]).toEqual([pace, ends ? [kind] : [kind, 'mail']]);
    }
  });

  it.each(kinds)('QUIT does not follow %s before it is answered (TK17)', (kind) => {
    for (const pace of paces) {
      const ledger = ledgerOf(kind, 'quit');
      expect(release(ledger, pace)).toEqual([kind]);
      ledger.settle();
      expect(release(ledger, pace)).toEqual(['quit']);
    }
  });
});

describe('one array, two indices', () => {
  it('notes when a command left that none before it keeps waiting', () => {
    const ledger = ledgerOf('mail', 'rcpt', 'rcpt');
    ledger.depart(7);
    ledger.depart(9);
    const times = [ledger.busySince];
    ledger.settle();
    ledger.settle();
    ledger.depart(11);
    expect([...times, ledger.busySince]).toEqual([7, 11]);
  });

  it('has nothing to depart or to answer when it is empty', () => {
    const ledger = new Ledger();
    ledger.depart(1);
    expect([ledger.due, ledger.waiting, ledger.oldest, ledger.first, ledger.next('many')]).toEqual([
      0,
      0,
      undefined,
      undefined,
      undefined,
    ]);
  });
});

/** What a list would do that forgets nothing and is searched anew each time. */
class Naive {
  readonly all: { entry: Entry; at: 'answered' | 'wire' | 'waiting' }[] = [];

  #of(at: 'wire' | 'waiting'): Entry[] {
    return this.all.filter((one) => one.at === at).map((one) => one.entry);
  }
  get wire(): Entry[] {
    return this.#of('wire');
  }
  get waiting(): Entry[] {
    return this.#of('waiting');
  }
  push(entry: Entry): void {
    this.all.push({ entry, at: 'waiting' });
  }
  pushFirst(entry: Entry): void {
    const at = this.all.findIndex((one) => one.at === 'waiting');
    this.all.splice(at < 0 ? this.all.length : at, 0, { entry, at: 'waiting' });
  }
  move(entry: Entry | undefined, at: 'answered' | 'wire'): void {
    const found = this.all.find((one) => one.entry === entry);
    if (found) found.at = at;
  }
  next(pace: Pace): Entry | undefined {
    const [candidate] = this.waiting;
    const newest = this.wire.at(-1);
    if (newest === undefined) return candidate;
    const held = candidate?.kind === 'quit' || barriers[pace].includes(newest.kind);
    return held ? undefined : candidate;
  }
}

type Op =
  | { readonly op: 'push'; readonly kind: EntryKind; readonly times: number }
  | { readonly op: 'pushFirst'; readonly kind: EntryKind }
  | { readonly op: 'release'; readonly pace: Pace }
  | { readonly op: 'settle'; readonly times: number }
  | { readonly op: 'clear' };

const kind = fc.constantFrom(...kinds);
const plainKind = fc.constantFrom<EntryKind>('mail', 'rcpt', 'rset');
/** Long runs of plain commands, so that answered ones are let go of in blocks. */
const many = fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 200, max: 600 }));
const ops: fc.Arbitrary<Op[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ op: fc.constant('push'), kind, times: fc.constant(1) }) },
    { weight: 4, arbitrary: fc.record({ op: fc.constant('push'), kind: plainKind, times: many }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('pushFirst'), kind }) },
    { weight: 4, arbitrary: fc.record({ op: fc.constant('release'), pace: fc.constantFrom(...paces) }) },
    { weight: 4, arbitrary: fc.record({ op: fc.constant('settle'), times: many }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('clear') }) },
  ) as fc.Arbitrary<Op>,
  { minLength: 1, maxLength: 30 },
);

function apply(op: Op, ledger: Ledger, naive: Naive): void {
  switch (op.op) {
    case 'push':
      for (let i = 0; i < op.times; i++) {
        const made = entry(op.kind);
        ledger.push(made);
        naive.push(made);
      }
      return;
    case 'pushFirst': {
      const made = entry(op.kind);
      ledger.pushFirst(made);
      return naive.pushFirst(made);
    }
    case 'release':
      for (let next = ledger.next(op.pace); next; next = ledger.next(op.pace)) {
        if (next !== naive.next(op.pace)) throw new Error(`${next.kind} left, and should not`);
        ledger.depart(0);
        naive.move(next, 'wire');
      }
      if (naive.next(op.pace)) throw new Error('more should have left');
      return;
    case 'settle':
      for (let i = 0; i < op.times && ledger.due > 0; i++) {
        if (ledger.oldest !== naive.wire[0]) throw new Error('not the oldest');
        ledger.settle();
        naive.move(naive.wire[0], 'answered');
      }
      return;
    case 'clear':
      ledger.clear();
      naive.all.length = 0;
  }
}

/** Answered ones are let go of in the course of the second. */
const beginnings: readonly { readonly name: string; readonly ops: readonly Op[] }[] = [
  { name: 'from the start', ops: [] },
  {
    name: 'past a block of answered ones',
    ops: [
      { op: 'push', kind: 'rcpt', times: 600 },
      { op: 'release', pace: 'many' },
      { op: 'settle', times: 255 },
    ],
  },
];

describe('against a naive list', () => {
  it.each(beginnings)(
    'agrees on what is due, what waits, whose answer is next, what leaves: $name',
    (beginning) => {
      fc.assert(
        fc.property(ops, (sequence) => {
          const ledger = new Ledger();
          const naive = new Naive();
          for (const op of [...beginning.ops, ...sequence]) {
            apply(op, ledger, naive);
            const { wire, waiting } = naive;
            expect([ledger.due, ledger.waiting]).toEqual([wire.length, waiting.length]);
            expect(ledger.oldest).toBe(wire[0]);
            expect(ledger.first).toBe(waiting[0]);
            for (const pace of paces) expect(ledger.next(pace)).toBe(naive.next(pace));
          }
        }),
        { numRuns: 150 },
      );
    },
  );
});

function mailOf(id: number): Mail {
  const path = parsePath('a@example.test', 'sender');
  return new Mail({ id }, { path, name: undefined, replyTo: undefined, parameters: {} });
}

describe('RCPTs of one message (TK24, LE022)', () => {
  const count = 5;

  function withRecipients(ledger: Ledger): Mail {
    const mail = mailOf(1);
    for (let n = 0; n < count; n++) {
      mail.add(`r${n}@example.test`, { name: undefined, type: 'to', parameters: {} });
      ledger.pushRecipient(mail);
    }
    return mail;
  }

  it('wait as one, leave some at a time, and are answered one by one', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: count }), { minLength: count }), (steps) => {
        const ledger = new Ledger();
        const mail = withRecipients(ledger);
        expect(ledger.waiting).toBe(1);
        let left = 0;
        for (const step of steps) {
          if (ledger.waiting === 0) break;
          ledger.depart(0, step);
          left = Math.min(count, left + step);
          expect(ledger.due).toBe(left);
        }
        for (const recipient of mail.recipients) {
          const { oldest, blamed } = ledger;
          // before it is answered, and after
          expect(blamed && recipientOf(blamed)).toBe(recipient);
          ledger.settle();
          expect(oldest && recipientOf(oldest)).toBe(recipient);
          expect(oldest && lineOf(oldest)).toBe(`RCPT TO:<${recipient.address}>`);
        }
        expect([ledger.due, ledger.oldest]).toEqual([0, undefined]);
      }),
    );
  });

  it('are not one with what stands between them, or with those of another message', () => {
    const ledger = new Ledger();
    const mail = withRecipients(ledger);
    ledger.push(entry('noop'));
    mail.add('late@example.test', { name: undefined, type: 'to', parameters: {} });
    ledger.pushRecipient(mail);
    withRecipients(ledger);
    expect(release(ledger, 'many')).toEqual([...Array.from({ length: count }, () => 'rcpt'), 'noop']);
    expect(ledger.due).toBe(count + 1);
    for (let n = 0; n <= count; n++) ledger.settle();
    expect(release(ledger, 'many')).toHaveLength(1 + count);
  });
});

describe('what is taken back (TK18)', () => {
  const envelope: readonly EntryKind[] = ['mail', 'rcpt', 'rcpt', 'data'];

  it('leaves, wherever it stands, and all others stay in order', () => {
    const messages = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(messages, fc.nat(40), fc.nat(11), (lengths, leaving, which) => {
        const ledger = new Ledger();
        const all: Entry[] = [];
        const mails = lengths.map((length, i) => {
          const mail = mailOf(i + 1);
          // a command of the connection stands between
          const own = entry('rset');
          const entries = [...envelope.slice(0, length).map((kind) => entry(kind, undefined, mail)), own];
          all.push(...entries);
          for (const one of entries) ledger.push(one);
          return mail;
        });
        for (const one of all.splice(0, leaving)) {
          if (one.kind === 'mail' && one.mail) one.mail.bodyType = '7bit';
          ledger.depart(0);
        }
        const taken = mails[which % mails.length] ?? mailOf(99);
        ledger.forget(taken);
        const left: (Entry | undefined)[] = [];
        for (; ledger.waiting > 0; ledger.depart(0)) left.push(ledger.first);
        expect(left).toEqual(all.filter(({ mail }) => mail !== taken));
      }),
    );
  });

  it('LE022: the newest costs a look at its own entries, however many wait before it', () => {
    const ledger = new Ledger();
    let looks = 0;
    let newest = mailOf(0);
    for (let id = 1; id <= 5000; id++) {
      const mail = mailOf(id);
      for (const kind of envelope) {
        ledger.push({
          ...entry(kind),
          get mail() {
            looks++;
            return mail;
          },
        });
      }
      newest = mail;
    }
    looks = 0;
    ledger.forget(newest);
    expect(ledger.waiting).toBe(4 * 4999);
    expect(looks).toBeLessThan(20);
  });
});
