/** Deadlines: one table, which is asked for the earliest moment and for its reason. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DeadlineName, Deadlines } from '../../src/core/deadlines.ts';

const names: readonly DeadlineName[] = ['open', 'secure', 'token', 'reply', 'drain', 'total', 'message'];

describe('deadlines (TK40, TK42)', () => {
  it('are none at first', () => {
    const deadlines = new Deadlines();
    expect([deadlines.next(), deadlines.due(Number.MAX_VALUE)]).toEqual([Infinity, undefined]);
  });

  it.each(names)('%s is due from its moment on, not before, until it is cleared', (name) => {
    const deadlines = new Deadlines();
    deadlines.set(name, 100);
    expect(deadlines.next()).toBe(100);
    expect([99, 99.999, 100, 101].map((now) => deadlines.due(now))).toEqual([
      undefined,
      undefined,
      name,
      name,
    ]);
    deadlines.clear(name);
    expect([deadlines.next(), deadlines.due(1e9)]).toEqual([Infinity, undefined]);
  });

  it('can be moved, to later too', () => {
    const deadlines = new Deadlines();
    deadlines.set('reply', 100);
    deadlines.set('reply', 300);
    expect([deadlines.next(), deadlines.due(200), deadlines.due(300)]).toEqual([300, undefined, 'reply']);
  });

  it('that were none stay none: Infinity never comes', () => {
    const deadlines = new Deadlines();
    deadlines.set('total', Infinity);
    expect(deadlines.due(Number.MAX_VALUE)).toBeUndefined();
  });

  it('that come together are told in one order, whatever they were set in', () => {
    const orders = [names, names.toReversed()].map((order) => {
      const deadlines = new Deadlines();
      for (const name of order) deadlines.set(name, 5);
      return names.map(() => {
        const name = deadlines.due(5);
        if (name !== undefined) deadlines.clear(name);
        return name;
      });
    });
    expect(orders).toEqual([names, names]);
  });

  it('are those of a list that is searched anew each time', () => {
    const name = fc.constantFrom(...names);
    const change = fc.oneof(
      { weight: 6, arbitrary: fc.tuple(name, fc.nat(50)) },
      { weight: 2, arbitrary: fc.tuple(name) },
      { weight: 1, arbitrary: fc.constant([]) },
    );
    fc.assert(
      fc.property(fc.array(change, { minLength: 1 }), fc.nat(60), (changes, now) => {
        const deadlines = new Deadlines();
        const list = new Map<DeadlineName, number>();
        for (const [which, at] of changes) {
          if (which === undefined) {
            deadlines.clearAll();
            list.clear();
          } else if (at === undefined) {
            deadlines.clear(which);
            list.delete(which);
          } else {
            deadlines.set(which, at);
            list.set(which, at);
          }
        }
        const earliest = [...list].sort(([a, x], [b, y]) => x - y || names.indexOf(a) - names.indexOf(b))[0];
        expect(deadlines.next()).toBe(earliest?.[1] ?? Infinity);
        expect(deadlines.due(now)).toBe(earliest && earliest[1] <= now ? earliest[0] : undefined);
      }),
    );
  });
});
