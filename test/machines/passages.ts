/** Ways of reading the passages of both charts, shared by the tests of their rules. It asserts nothing. */
import type { Outcome } from '../../machines/vocabulary.ts';
import {
  type ConnectionPassage,
  connectionGraph,
  counterexample,
  effectText,
  type MailPassage,
  mailGraph,
  type Rule,
  Wrong,
} from './graph.ts';

export const texts = ({ effects }: { readonly effects: readonly object[] }): string[] =>
  effects.map(effectText);
export const tells = (passage: ConnectionPassage | MailPassage, notice: string): boolean =>
  texts(passage).includes(`tell ${notice}`);
export const sorted = (set: Iterable<string>): string[] => [...new Set(set)].sort();

// ── the connection ──

export const does = (passage: ConnectionPassage, deed: string): boolean =>
  passage.effects.some((effect) => 'do' in effect && effect.do === deed);
export const isStep = ({ event }: ConnectionPassage): boolean => event.type.startsWith('step.');
export const connecting = ({ event }: ConnectionPassage): boolean => event.type === 'step.connect';
/** The line is being given up, whether the caller asked for it or not. */
export const leaving = ({ name }: ConnectionPassage['from']): boolean => name.startsWith('hangingUp.');
export const strict = ({ from }: ConnectionPassage): boolean =>
  from.context.tls === 'always' || from.context.tls === 'implicit';

/** NOOP and RSET of the caller are only queued while the connection opens: the ledger holds them. */
const errands = new Set(['do send NOOP', 'do send RSET']);
/** Effects that put bytes on the wire, or lead to it. */
export const writing = /^do (send|secure|fetchToken|login|respond|cancelLogin|admit|open|expectGreeting)/;
export const written = (passage: ConnectionPassage): string[] =>
  texts(passage).filter((text) => writing.test(text) && !errands.has(text));

/** The shortest path on which the rule is broken; undefined where it holds on all. */
export const breach = <M>(memory: M, rule: Rule<M, ConnectionPassage>): string | undefined =>
  counterexample(connectionGraph, memory, rule);
/** The shortest path to a passage that is wrong in itself. */
export const never = (what: string, wrong: (passage: ConnectionPassage) => boolean): string | undefined =>
  breach(0, (memory, passage) => (wrong(passage) ? new Wrong(what) : memory));

// ── a mail ──

type MailPosition = MailPassage['from'];

const outcomes: readonly Outcome[] = ['delivered', 'refused', 'withdrawn', 'unsent', 'unknown'];
export const asked = ({ name }: MailPosition): string => name.split(' ')[0]?.slice(6) ?? '';
export const answered = ({ name }: MailPosition): string => name.split(' ')[1]?.slice(9) ?? '';
export const outcomesOf = ({ tags }: MailPosition): Outcome[] =>
  outcomes.filter((outcome) => tags.has(outcome));
export const mailBreach = <M>(memory: M, rule: Rule<M, MailPassage>): string | undefined =>
  counterexample(mailGraph, memory, rule);
export const way = (position: MailPosition, word: string): MailPassage | undefined =>
  mailGraph.leaving.get(position)?.find(({ event }) => event.type === word);

/** Each state of one region with what `read` says about the positions in it, where it is the same in all of them. */
export function perState(
  region: (position: MailPosition) => string,
  read: (position: MailPosition) => string,
): Record<string, string> {
  const found: Record<string, Set<string>> = {};
  for (const position of mailGraph.positions) {
    const state = region(position);
    found[state] = (found[state] ?? new Set()).add(read(position));
  }
  return Object.fromEntries(Object.entries(found).map(([state, said]) => [state, [...said].join(' or ')]));
}
