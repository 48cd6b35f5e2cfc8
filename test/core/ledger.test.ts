/** The ledger: order, groups and what is forgotten, by example and against a list that is searched anew each time. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Entry, type EntryKind, entry, entryKinds, Ledger } from '../../src/core/ledger.ts';

const kinds = Object.keys(entryKinds) as EntryKind[];

/** RFC 2920 §3.1, and what this client adds: nothing may follow these before they are answered. */
const barriers: readonly EntryKind[] = [
  'greeting',
  'ehlo',
  'helo',
  'starttls',
  'auth',
  'data',
  'content',
  'noop',
  'quit',
];

/** Lets out all that may leave. */
function release(ledger: Ledger, pipelining: boolean, now = 0): EntryKind[] {
  const left: EntryKind[] = [];
  for (let next = ledger.next(pipelining); next !== undefined; next = ledger.next(pipelining)) {
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
    expect(release(ledger, true)).toEqual(['mail', 'rcpt', 'rcpt', 'data']);
    for (const due of [4, 3, 2, 1]) {
      expect([ledger.due, release(ledger, true)]).toEqual([due, []]);
      ledger.settle();
    }
    expect(release(ledger, true)).toEqual(['content']);
    ledger.settle();
    expect(release(ledger, true)).toEqual(['mail']);
  });

  it('one command at a time leaves without PIPELINING, whatever it is', () => {
    const ledger = ledgerOf(...kinds);
    for (const kind of kinds) {
      expect(release(ledger, false)).toEqual([kind]);
      expect(ledger.oldest?.kind).toBe(kind);
      ledger.settle();
    }
    expect([ledger.due, ledger.waiting]).toEqual([0, 0]);
  });

  it.each(kinds)('%s lets the next MAIL follow only where it ends no group', (kind) => {
    const ledger = ledgerOf(kind, 'mail');
    expect(release(ledger, true)).toEqual(barriers.includes(kind) ? [kind] : [kind, 'mail']);
  });

  it.each(kinds)('QUIT does not follow %s before it is answered (TK17)', (kind) => {
    const ledger = ledgerOf(kind, 'quit');
    expect(release(ledger, true)).toEqual([kind]);
    ledger.settle();
    expect(release(ledger, true)).toEqual(['quit']);
  });
});

describe('one array, two indices', () => {
  it('notes when each command left', () => {
    const ledger = ledgerOf('mail', 'rcpt');
    ledger.depart(7);
    ledger.depart(9);
    const times = [ledger.oldest?.sentAt];
    ledger.settle();
    expect([...times, ledger.oldest?.sentAt]).toEqual([7, 9]);
  });

  it('has nothing to depart or to answer when it is empty', () => {
    const ledger = new Ledger();
    ledger.depart(1);
    expect([ledger.due, ledger.waiting, ledger.oldest, ledger.first, ledger.next(true)]).toEqual([
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
  readonly all: { entry: Entry; at: 'answered' | 'wire' | 'waiting' | 'dropped' }[] = [];

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
  move(entry: Entry | undefined, at: 'answered' | 'wire' | 'dropped'): void {
    const found = this.all.find((one) => one.entry === entry);
    if (found) found.at = at;
  }
  next(pipelining: boolean): Entry | undefined {
    const [candidate] = this.waiting;
    const newest = this.wire.at(-1);
    if (newest === undefined) return candidate;
    const held = !pipelining || candidate?.kind === 'quit' || barriers.includes(newest.kind);
    return held ? undefined : candidate;
  }
}

type Op =
  | { readonly op: 'push'; readonly kind: EntryKind; readonly times: number }
  | { readonly op: 'pushFirst'; readonly kind: EntryKind }
  | { readonly op: 'release'; readonly pipelining: boolean }
  | { readonly op: 'settle'; readonly times: number }
  | { readonly op: 'drop'; readonly kind: EntryKind }
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
    { weight: 4, arbitrary: fc.record({ op: fc.constant('release'), pipelining: fc.boolean() }) },
    { weight: 4, arbitrary: fc.record({ op: fc.constant('settle'), times: many }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('drop'), kind }) },
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
      for (let next = ledger.next(op.pipelining); next; next = ledger.next(op.pipelining)) {
        if (next !== naive.next(op.pipelining)) throw new Error(`${next.kind} left, and should not`);
        ledger.depart(0);
        naive.move(next, 'wire');
      }
      if (naive.next(op.pipelining)) throw new Error('more should have left');
      return;
    case 'settle':
      for (let i = 0; i < op.times && ledger.due > 0; i++) {
        if (ledger.oldest !== naive.wire[0]) throw new Error('not the oldest');
        ledger.settle();
        naive.move(naive.wire[0], 'answered');
      }
      return;
    case 'drop':
      ledger.dropWaiting((waiting) => waiting.kind === op.kind);
      for (const waiting of naive.waiting) if (waiting.kind === op.kind) naive.move(waiting, 'dropped');
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
      { op: 'release', pipelining: true },
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
            expect(ledger.next(true)).toBe(naive.next(true));
            expect(ledger.next(false)).toBe(naive.next(false));
          }
        }),
        { numRuns: 150 },
      );
    },
  );
});
