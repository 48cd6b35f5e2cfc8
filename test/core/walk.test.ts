/** The walker on a small chart of its own: words and positions are met once, and XState is asked once for each edge. */
import { describe, expect, it } from 'vitest';
import { assign, setup } from 'xstate';
import { connectionChart, connectionWords, mailChart, mailWords } from '../../src/core/charts.ts';
import { type Position, Walker } from '../../src/core/walk.ts';

type Word =
  | { readonly type: 'go'; readonly fast: boolean; readonly far: boolean }
  | { readonly type: 'stay' }
  | { readonly type: 'bare' }
  | { readonly type: 'twice' }
  | { readonly type: 'foreign' };

interface Facts {
  readonly far: boolean;
}

function walker() {
  let asked = 0;
  const machine = setup({
    types: { events: {} as Word, context: {} as Facts, tags: {} as 'moving' },
    actions: {
      do: (_, _deed: { readonly do: string }) => {},
      tell: (_, _notice: { readonly tell: string }) => {},
      keep: assign(({ event }) => (event.type === 'go' ? { far: event.far } : {})),
      log: () => {},
    },
    guards: {
      isFast: ({ event }) => {
        asked++;
        return event.type === 'go' && event.fast;
      },
    },
  }).createMachine({
    id: 'small',
    context: { far: false },
    type: 'parallel',
    states: {
      legs: {
        initial: 'still',
        states: {
          still: {
            on: {
              go: [
                {
                  guard: 'isFast',
                  target: 'moving.running',
                  actions: [
                    'keep',
                    { type: 'do', params: { do: 'run' } },
                    { type: 'tell', params: { tell: 'RAN' } },
                  ],
                },
                { target: 'moving', actions: 'keep' },
              ],
              stay: { actions: { type: 'do', params: { do: 'nothing' } } },
              bare: { target: 'still' },
              foreign: { actions: 'log' },
            },
          },
          moving: {
            tags: ['moving'],
            initial: 'walking',
            states: { walking: {}, running: { on: { stay: '#small.legs.still' } } },
          },
        },
      },
      head: { initial: 'up', states: { up: {} } },
    },
  });
  const chart = new Walker<Word, object, 'moving', Facts>(machine);
  return { chart, asked: () => asked };
}

type Small = Position<object, 'moving', Facts>;

describe('words', () => {
  it('are one object for equal events, whatever the order of their facts, and another for other facts', () => {
    const { chart } = walker();
    const go = chart.word({ type: 'go', fast: true, far: false });
    expect(chart.word({ far: false, type: 'go', fast: true })).toBe(go);
    expect(chart.word({ type: 'go', fast: false, far: true })).not.toBe(go);
    const ids = [go, chart.word({ type: 'go', fast: false, far: true }), chart.word({ type: 'stay' })];
    expect(ids.map(({ id }) => id)).toEqual([0, 1, 2]);
    expect(go.event).toEqual({ type: 'go', fast: true, far: false });
  });

  it('without facts are ready made for both charts', () => {
    for (const [type, word] of Object.entries(connectionWords)) {
      expect(word.event).toEqual({ type });
      expect(connectionChart.word(word.event)).toBe(word);
    }
    for (const [type, word] of Object.entries(mailWords)) {
      expect(word.event).toEqual({ type });
      expect(mailChart.word(word.event)).toBe(word);
    }
  });
});

describe('positions', () => {
  it('are one object for the same state and facts, by whatever way they are reached', () => {
    const { chart } = walker();
    const word = (fast: boolean, far: boolean) => chart.word({ type: 'go', fast, far });
    const running = chart.step(chart.start, word(true, false))?.to as Small;
    const back = chart.step(running, chart.word({ type: 'stay' }))?.to;
    expect(back).toBe(chart.start);
    const far = chart.step(chart.start, word(true, true))?.to as Small;
    expect(far).not.toBe(running);
    expect(far.name).toBe(running.name);
    expect(far.context).toEqual({ far: true });
    const farStill = chart.step(far, chart.word({ type: 'stay' }))?.to as Small;
    expect(farStill).not.toBe(chart.start);
    expect(chart.step(farStill, word(true, false))?.to).toBe(running);
    expect(chart.step(running, word(true, true))).toBeUndefined();
    expect([...chart.positions()]).toEqual([chart.start, running, far, farStill]);
  });

  it('have a name for people, and the tags of all their states', () => {
    const { chart } = walker();
    const walking = chart.step(chart.start, chart.word({ type: 'go', fast: false, far: false }))?.to;
    expect([chart.start.name, [...chart.start.tags]]).toEqual(['legs.still head.up', []]);
    expect([walking?.name, [...(walking?.tags ?? [])]]).toEqual(['legs.moving.walking head.up', ['moving']]);
  });
});

describe('edges', () => {
  it('are asked of XState once, and are pointers from then on', () => {
    const { chart, asked } = walker();
    const go = chart.word({ type: 'go', fast: true, far: false });
    const edge = chart.step(chart.start, go);
    const once = asked();
    expect(once).toBeGreaterThan(0);
    expect(chart.step(chart.start, go)).toBe(edge);
    expect(asked()).toBe(once);
  });

  it('carry the effects in order, frozen, without what only changes facts', () => {
    const { chart } = walker();
    const edge = chart.step(chart.start, chart.word({ type: 'go', fast: true, far: true }));
    expect(edge?.effects).toEqual([{ do: 'run' }, { tell: 'RAN' }]);
    expect(edge?.effects.every((effect) => Object.isFrozen(effect))).toBe(true);
  });

  it('are none where the chart does not take the word, and that is remembered', () => {
    const { chart, asked } = walker();
    const go = chart.word({ type: 'go', fast: false, far: false });
    const walking = chart.step(chart.start, go)?.to as Small;
    const before = asked();
    expect([chart.step(walking, go), chart.step(walking, go)]).toEqual([undefined, undefined]);
    expect(walking.edges[go.id]).toBeNull();
    expect(asked()).toBe(before);
  });

  it('may lead back to the same position, with their effect or none', () => {
    const { chart } = walker();
    const edge = chart.step(chart.start, chart.word({ type: 'stay' }));
    expect(edge).toEqual({ to: chart.start, effects: [{ do: 'nothing' }] });
    expect(edge?.to).toBe(chart.start);
    expect(chart.step(chart.start, chart.word({ type: 'bare' }))).toEqual({ to: chart.start, effects: [] });
  });

  it('know no other actions than do and tell', () => {
    const { chart } = walker();
    expect(() => chart.step(chart.start, chart.word({ type: 'foreign' }))).toThrow(
      'a chart has the action log',
    );
  });
});
