import { describe, expect, it } from 'vitest';
import { type Crank, Random, runUntil, VirtualClock } from '../../src/testing/index.ts';

describe('VirtualClock', () => {
  it('runs wake-ups in the order of their times, then of their calls, each at its own time', () => {
    const clock = new VirtualClock(1000);
    const seen: string[] = [];
    const note = (name: string) => () => seen.push(`${name}@${clock.now()}`);
    clock.wake(1300, note('c'));
    clock.wake(1100, note('a'));
    clock.wake(1100, note('b'));
    clock.wake(1150, () => clock.wake(1150, note('nested')));
    const cancel = clock.wake(1200, note('never'));
    cancel();
    cancel();
    expect(clock.next).toBe(1100);
    clock.advance(250);
    expect(seen).toEqual(['a@1100', 'b@1100', 'nested@1150']);
    expect(clock.now()).toBe(1250);
    clock.advanceTo(1300);
    expect(seen.at(-1)).toBe('c@1300');
    expect(clock.next).toBe(Number.POSITIVE_INFINITY);
  });

  it('counts a moment in the past as now, and never goes back', () => {
    const clock = new VirtualClock(1000);
    let at = 0;
    clock.wake(1, () => {
      at = clock.now();
    });
    clock.advance(0);
    clock.advanceTo(5);
    expect(at).toBe(1000);
    expect(clock.now()).toBe(1000);
    expect(() => clock.advanceTo(Number.POSITIVE_INFINITY)).toThrow(/Infinity/);
  });

  it('keeps its order over many random wake-ups and cancellations, and its memory small', () => {
    const clock = new VirtualClock(0);
    const random = new Random(7);
    const due: number[] = [];
    let last = -1;
    let ran = 0;
    for (let i = 0; i < 20_000; i++) {
      const at = random.int(5000);
      const cancel = clock.wake(at, () => {
        expect(clock.now()).toBeGreaterThanOrEqual(last);
        last = clock.now();
        ran++;
      });
      if (random.chance(0.9)) cancel();
      else due.push(at);
    }
    expect(clock.waiting).toBe(due.length);
    clock.advance(5000);
    expect(ran).toBe(due.length);
  });
});

describe('Random', () => {
  it('is repeatable, differs by seed and spreads evenly', () => {
    const draw = (seed: number) =>
      Array.from(
        { length: 5 },
        (
          (random) => () =>
            random.next()
        )(new Random(seed)),
      );
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    const random = new Random(3);
    const seen = new Set<number>();
    for (let i = 0; i < 200; i++) seen.add(random.int(4));
    expect([...seen].sort()).toEqual([0, 1, 2, 3]);
    expect(random.bytes(9)).toHaveLength(9);
    expect(random.pick(['only'])).toBe('only');
    expect(random.fork(1).next()).not.toBe(random.fork(1).next());
    let sum = 0;
    for (let i = 0; i < 10_000; i++) sum += random.next();
    expect(sum / 10_000).toBeCloseTo(0.5, 1);
  });
});

describe('runUntil', () => {
  it('turns the crank, and moves the clock to the next event or deadline', () => {
    const clock = new VirtualClock(0);
    const times: number[] = [];
    const client: Crank = {
      execute() {
        times.push(clock.now());
        return 'pending';
      },
      readTimer: () => 100,
    };
    clock.wake(30, () => {});
    runUntil(client, clock, () => times.length === 3);
    expect(times).toEqual([0, 30, 130]);
  });

  it('says what is wrong when nothing can happen any more, or it never ends', () => {
    const clock = new VirtualClock(0);
    const idle: Crank = { execute: () => 'idle', readTimer: () => Number.POSITIVE_INFINITY };
    expect(() => runUntil(idle, clock, () => false)).toThrow(/nothing is left that could happen.*'idle'/);
    const busy: Crank = { execute: () => 'more', readTimer: () => 0 };
    expect(() => runUntil(busy, clock, () => false, 10)).toThrow(/never came to an end: 10 turns/);
  });
});
