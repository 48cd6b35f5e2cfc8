/**
 * The whole graph of a chart, found by walking every word from every position, and questions about all of its paths:
 * a memory is carried along each path, and the shortest path on which something is wrong is the counterexample.
 */
import { connectionMachine } from '../../machines/connection.ts';
import { mailMachine } from '../../machines/mail.ts';
import type { ConnectionFacts } from '../../machines/opening.ts';
import type { ConnectionTag, ConnectionWord, MailTag, MailWord } from '../../machines/vocabulary.ts';
import type { ConnectionEffect, MailEffect } from '../../src/core/charts.ts';
import { type Position, Walker } from '../../src/core/walk.ts';
import { connectionEvents, mailEvents } from './vocabulary.ts';

/** One word taken in one position. */
export interface Passage<E, X, T extends string, C> {
  readonly from: Position<X, T, C>;
  readonly event: E;
  readonly to: Position<X, T, C>;
  readonly effects: readonly X[];
}

export interface Graph<E extends { readonly type: string }, X, T extends string, C> {
  readonly start: Position<X, T, C>;
  readonly events: readonly E[];
  readonly positions: readonly Position<X, T, C>[];
  readonly passages: readonly Passage<E, X, T, C>[];
  readonly leaving: ReadonlyMap<Position<X, T, C>, readonly Passage<E, X, T, C>[]>;
}

function graphOf<E extends { readonly type: string }, X, T extends string, C>(
  chart: Walker<E, X, T, C>,
  events: readonly E[],
): Graph<E, X, T, C> {
  const leaving = new Map<Position<X, T, C>, readonly Passage<E, X, T, C>[]>();
  const queue = [chart.start];
  for (const from of queue) {
    if (leaving.has(from)) continue;
    const passages = events.flatMap((event) => {
      const edge = chart.step(from, chart.word(event));
      return edge === undefined ? [] : [{ from, event, to: edge.to, effects: edge.effects }];
    });
    leaving.set(from, passages);
    queue.push(...passages.map(({ to }) => to));
    if (leaving.size > 10_000) throw new Error('the chart is not finite, or not small');
  }
  const positions = [...leaving.keys()];
  return { start: chart.start, events, positions, passages: [...leaving.values()].flat(), leaving };
}

/** What a rule says about one more step of a path: what to remember, or what is wrong. */
export type Rule<M, P> = (memory: M, passage: P) => M | Wrong;

export class Wrong {
  readonly what: string;
  constructor(what: string) {
    this.what = what;
  }
}

/** The shortest path on which the rule finds something wrong, as text; undefined where it holds on every path. */
export function counterexample<E extends { readonly type: string }, X, T extends string, C, M>(
  graph: Graph<E, X, T, C>,
  memory: M,
  rule: Rule<M, Passage<E, X, T, C>>,
): string | undefined {
  interface Visit {
    readonly at: Position<X, T, C>;
    readonly memory: M;
    readonly path: readonly E[];
  }
  const queue: Visit[] = [{ at: graph.start, memory, path: [] }];
  const seen = new Map<Position<X, T, C>, Set<string>>();
  for (const visit of queue) {
    const memories = seen.get(visit.at) ?? new Set();
    seen.set(visit.at, memories);
    const key = JSON.stringify(visit.memory);
    if (memories.has(key)) continue;
    memories.add(key);
    for (const passage of graph.leaving.get(visit.at) ?? []) {
      const path = [...visit.path, passage.event];
      const next = rule(visit.memory, passage);
      if (next instanceof Wrong)
        return `${next.what}: ${path.map((event) => JSON.stringify(event)).join(' ')}`;
      queue.push({ at: passage.to, memory: next, path });
    }
  }
  return undefined;
}

/** How often each key occurs. */
export function countBy<A>(things: readonly A[], key: (thing: A) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const thing of things) counts[key(thing)] = (counts[key(thing)] ?? 0) + 1;
  return counts;
}

/** An effect in one word or a few: `tell CONNECTED`, `tell REFUSED connect`, `do send QUIT`, `do close false`. */
export function effectText(effect: object): string {
  return Object.entries(effect)
    .map(([key, value]) => (key === 'do' || key === 'tell' ? `${key} ${value}` : String(value)))
    .join(' ');
}

export const wordText = ({ type, ...facts }: { readonly type: string }): string => {
  const said = Object.entries(facts).map(([key, value]) => `${key}=${value}`);
  return [type, ...said].join(' ');
};

export const connectionGraph: Graph<ConnectionWord, ConnectionEffect, ConnectionTag, ConnectionFacts> =
  graphOf(
    new Walker<ConnectionWord, ConnectionEffect, ConnectionTag, ConnectionFacts>(connectionMachine),
    connectionEvents,
  );
export const mailGraph: Graph<MailWord, MailEffect, MailTag, unknown> = graphOf(
  new Walker<MailWord, MailEffect, MailTag, unknown>(mailMachine),
  mailEvents,
);

export type ConnectionPassage = (typeof connectionGraph.passages)[number];
export type MailPassage = (typeof mailGraph.passages)[number];
