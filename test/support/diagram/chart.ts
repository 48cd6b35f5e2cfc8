/**
 * A chart as data for drawing: XState's machine is walked, nothing of it is repeated here. Knows no picture format.
 */
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';

export interface State {
  /** The path from the chart's root, for example `online.opening.ehlo`; '' is the root. */
  readonly path: string;
  readonly name: string;
  readonly parallel: boolean;
  readonly initial: State | undefined;
  readonly tags: readonly string[];
  readonly states: readonly State[];
  readonly edges: readonly Edge[];
}

export interface Edge {
  readonly from: string;
  /** The path of the target; undefined where the state stays. */
  readonly to: string | undefined;
  readonly word: string;
  readonly guard: string | undefined;
  /** The word is refused here, though an outer state would take it. */
  readonly forbidden: boolean;
  /** What is done and told on the way, in order. */
  readonly effects: readonly Effect[];
}

interface Effect {
  readonly kind: 'do' | 'tell';
  readonly text: string;
}

export function readChart(machine: AnyStateMachine): State {
  return readState(machine.root);
}

/** The state itself and all below it, outermost first. */
export function everyState(state: State): State[] {
  return [state, ...state.states.flatMap(everyState)];
}

function readState(node: AnyStateNode): State {
  const states = Object.values(node.states).map((child) => readState(child));
  const initial = node.type === 'compound' ? node.initial.target[0]?.path.join('.') : undefined;
  return {
    path: node.path.join('.'),
    name: node.key,
    parallel: node.type === 'parallel',
    initial: states.find(({ path }) => path === initial),
    tags: [...node.tags],
    states,
    edges: [...node.transitions.values()].flat().map((transition) => readEdge(node, transition)),
  };
}

function readEdge(node: AnyStateNode, transition: AnyTransitionDefinition): Edge {
  const { guard } = transition;
  const target = transition.target?.[0];
  return {
    from: node.path.join('.'),
    to: target?.path.join('.'),
    word: transition.eventType,
    guard: typeof guard === 'string' ? guard : undefined,
    forbidden: target === undefined && transition.actions.length === 0,
    effects: transition.actions.flatMap((action) => readEffect(action)),
  };
}

interface Action {
  readonly type: string;
  readonly params?: unknown;
  readonly event?: { readonly type: string };
}

function readEffect(action: unknown): Effect[] {
  if (typeof action === 'string') return [{ kind: 'do', text: spaced(action) }];
  // what a machine holds is an action object, or the function that an action creator made
  const { type, params, event } = action as Action;
  if (type === 'xstate.raise') return [{ kind: 'do', text: `raise ${event?.type}` }];
  const all = typeof params === 'function' ? variants(params as Variant) : [params];
  const texts = all.map((found) => describe(found as Record<string, unknown>)).filter((text) => text !== '');
  const text = [...new Set(texts)].join(' or ');
  return text === '' ? [] : [{ kind: type === 'tell' ? 'tell' : 'do', text }];
}

type Variant = (at: { context: unknown }) => unknown;

/** Parameters that hang on a fact of the context: SMTP's first, then LMTP's. */
function variants(params: Variant): unknown[] {
  return [{ lmtp: false }, { lmtp: true }].map((context) => params({ context }));
}

/** `{ do: 'close', graceful: false }` → `close at once` */
function describe(effect: Readonly<Record<string, unknown>>): string {
  if (effect.tell === 'REFUSED') return `SERVER_ERROR or SERVER_RETRY (${effect.step})`;
  if (effect.tell !== undefined) return String(effect.tell);
  switch (effect.do) {
    case 'nothing':
      return '';
    case 'send':
      return `send ${effect.command}`;
    case 'close':
      return effect.graceful ? 'close' : 'close at once';
    case 'blame':
      return `blame ${effect.on}`;
    default:
      return spaced(String(effect.do));
  }
}

/** `expectGreeting` → `expect greeting` */
const spaced = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
