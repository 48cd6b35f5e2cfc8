/**
 * Walks a finite chart. The first time a word is met in a position, XState's own `transition()` decides and the
 * answer is kept; from then on the step is a pointer. So every decision is the chart's, and costs nothing.
 * This file knows charts, and nothing of mail.
 */
import {
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type AnyStateNode,
  initialTransition,
  transition,
} from 'xstate';

/** An event of a chart with its facts, met once and known by number. */
export interface Word<E> {
  readonly id: number;
  readonly event: E;
}

/** What a word leads to: the next position and what is to be done and told on the way, in order. */
export interface Edge<X, T extends string, C> {
  readonly to: Position<X, T, C>;
  readonly effects: readonly X[];
}

/** A state of the chart with its facts. There is one object for each, so positions are compared by identity. */
export class Position<X, T extends string, C> {
  /** The active states, for people and for saving, for example `online.ready`. */
  readonly name: string;
  readonly context: C;
  readonly tags: ReadonlySet<T>;
  /** The same, to be read at the speed of a property: every tag of the chart, and whether this position has it. */
  readonly is: Readonly<Record<T, boolean>>;
  /** Remembered edges by the word's number; null: the chart does not take the word here. */
  readonly edges: (Edge<X, T, C> | null | undefined)[] = [];
  readonly snapshot: AnyMachineSnapshot;

  /** @param all every tag of the chart, so that all its positions have one shape */
  constructor(snapshot: AnyMachineSnapshot, all: readonly T[]) {
    this.snapshot = snapshot;
    this.name = stateName(snapshot.value);
    this.context = snapshot.context;
    const tags = snapshot.tags as Set<T>;
    this.tags = tags;
    this.is = Object.fromEntries(all.map((tag) => [tag, tags.has(tag)])) as Record<T, boolean>;
  }

  save() {
    return { value: this.snapshot.value, context: this.snapshot.context };
  }
}

type SavedPosition = ReturnType<Position<unknown, string, unknown>['save']>;

export class Walker<E extends { readonly type: string }, X, T extends string, C> {
  readonly start: Position<X, T, C>;
  readonly #machine: AnyStateMachine;
  readonly #tags: readonly T[];
  readonly #positions = new Map<string, Position<X, T, C>>();
  readonly #words = new Map<string, Word<E>>();
  /** The same words by their facts as written, which is quicker to look up. */
  readonly #quickWords = new Map<string, Word<E>>();

  constructor(machine: AnyStateMachine) {
    this.#machine = machine;
    // the machine's types know its tags as strings
    this.#tags = [...new Set(tagsOf(machine.root))] as T[];
    this.start = this.#intern(initialTransition(machine)[0]);
  }

  /** The word for an event; equal events give the same word. */
  word(event: E): Word<E> {
    let quick = '';
    for (const fact in event) quick += `${fact}=${String(event[fact])} `;
    let word = this.#quickWords.get(quick);
    if (word === undefined) {
      word = this.#canonicalWord(event);
      this.#quickWords.set(quick, word);
    }
    return word;
  }

  /** Whatever order the facts were written in. */
  #canonicalWord(event: E): Word<E> {
    const key = JSON.stringify(Object.entries(event).sort(([a], [b]) => (a < b ? -1 : 1)));
    let word = this.#words.get(key);
    if (word === undefined) {
      word = { id: this.#words.size, event };
      this.#words.set(key, word);
    }
    return word;
  }

  /** Where the word leads, or undefined where the chart does not take it. */
  step(from: Position<X, T, C>, word: Word<E>): Edge<X, T, C> | undefined {
    const known = from.edges[word.id];
    if (known !== undefined) return known ?? undefined;
    const learnt = this.#learn(from, word);
    from.edges[word.id] = learnt ?? null;
    return learnt;
  }

  /** The position that was saved as its value and its context. Throws where the chart has no such state. */
  at({ value, context }: SavedPosition): Position<X, T, C> {
    // the order of the facts is part of a position's key
    const facts = { ...this.start.snapshot.context, ...context };
    return this.#intern(this.#machine.resolveState({ value, context: facts }));
  }

  /** Every position met so far in this process. */
  positions(): IterableIterator<Position<X, T, C>> {
    return this.#positions.values();
  }

  #learn(from: Position<X, T, C>, word: Word<E>): Edge<X, T, C> | undefined {
    if (!from.snapshot.can(word.event)) return undefined;
    const [next, actions] = transition(this.#machine, from.snapshot, word.event);
    return { to: this.#intern(next), effects: actions.filter(isEffect).map(effectOf<X>) };
  }

  #intern(snapshot: AnyMachineSnapshot): Position<X, T, C> {
    const key = JSON.stringify([snapshot.value, snapshot.context]);
    let position = this.#positions.get(key);
    if (position === undefined) {
      position = new Position<X, T, C>(snapshot, this.#tags);
      this.#positions.set(key, position);
    }
    return position;
  }
}

function tagsOf(node: AnyStateNode): string[] {
  return [...node.tags, ...Object.values<AnyStateNode>(node.states).flatMap(tagsOf)];
}

/** XState has already followed what a chart raises to itself. */
const isEffect = (action: { readonly type: string }): boolean => action.type !== 'xstate.raise';

/** The charts' only actions are `do` and `tell`, whose parameters are the effect: a test walks them all. */
function effectOf<X>(action: { readonly type: string; readonly params: unknown }): X {
  if (action.type !== 'do' && action.type !== 'tell')
    throw new Error(`a chart has the action ${action.type}`);
  return Object.freeze(action.params) as X;
}

/** `{ a: { b: 'c' }, d: 'e' }` → `a.b.c d.e` */
function stateName(value: unknown): string {
  if (typeof value === 'string') return value;
  return Object.entries(value as Record<string, unknown>)
    .map(([key, child]) => {
      const inner = stateName(child);
      return inner === '' ? key : `${key}.${inner}`;
    })
    .join(' ');
}
