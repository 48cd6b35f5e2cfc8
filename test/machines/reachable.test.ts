/** How big the charts are, whole; that they are finite and plain; and that walking them is XState's own walking. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AnyStateMachine, createActor, transition } from 'xstate';
import { connectionMachine } from '../../machines/connection.ts';
import { mailMachine } from '../../machines/mail.ts';
import { connectionGraph, countBy, type Graph, mailGraph } from './graph.ts';
import { connectionEvents, mailEvents, raised } from './vocabulary.ts';

type AnyGraph = Graph<{ readonly type: string }, object, string, unknown>;

const charts: readonly { name: string; machine: AnyStateMachine; graph: AnyGraph }[] = [
  { name: 'connection', machine: connectionMachine, graph: connectionGraph },
  { name: 'mail', machine: mailMachine, graph: mailGraph },
];

/** The leaves of a chart, by name, of each region where it has regions. */
function leaves(node: AnyStateMachine['root']): string[] {
  const inner = Object.values(node.states);
  return inner.length === 0 ? [node.path.join('.')] : inner.flatMap(leaves);
}

describe('size', () => {
  it('of the connection chart: positions and edges of each state', () => {
    const positions = countBy(connectionGraph.positions, ({ name }) => name);
    const edges = countBy(connectionGraph.passages, ({ from }) => from.name);
    const table = Object.fromEntries(
      Object.entries(positions).map(([name, count]) => [name, [count, edges[name]]]),
    );
    expect(table).toEqual({
      disconnected: [1, 32],
      'online.opening.connecting': [32, 384],
      'hangingUp.asked': [56, 224],
      'hangingUp.unasked': [56, 392],
      'online.opening.greeting': [32, 416],
      'online.opening.securing': [24, 312],
      'online.opening.ehlo': [48, 816],
      'online.ready': [40, 680],
      'online.opening.helo': [20, 260],
      'online.opening.rejected': [20, 160],
      'online.opening.authenticating': [20, 360],
      'online.opening.fetching': [10, 130],
      'online.opening.upgrading': [16, 208],
      'online.quitting': [40, 600],
      'online.opening.cancelling': [20, 340],
    });
    expect([connectionGraph.positions.length, connectionGraph.passages.length]).toEqual([435, 5314]);
  });

  it('of the mail chart: edges of each position, `asked` across and `answered` down', () => {
    const edges = countBy(mailGraph.passages, ({ from }) => from.name);
    const names = mailGraph.positions.map(({ name }) => name.split(' '));
    const across = leaves(mailMachine.root).filter((leaf) => leaf.startsWith('asked.'));
    const row = (down: string | undefined) =>
      across.map((asked) => edges[`${asked} ${down}`] ?? '.').join(' ');
    expect(across).toEqual([
      'asked.new',
      'asked.sender.live',
      'asked.sender.dead',
      'asked.recipients.live',
      'asked.recipients.dead',
      'asked.body.live',
      'asked.body.dead',
      'asked.ended',
      'asked.withdrawn',
    ]);
    expect(Object.fromEntries(names.map(([, down]) => [down, row(down)]))).toEqual({
      'answered.silent': '7 9 10 10 11 13 10 7 7',
      'answered.open': '11 15 14 16 15 16 14 11 11',
      'answered.flowing': '3 7 6 8 7 11 6 3 3',
      'answered.chunks': '5 9 8 10 9 12 8 5 5',
      'answered.judging.silent': '5 8 8 9 9 12 8 5 5',
      'answered.judging.open': '7 11 10 12 11 14 10 7 7',
      'answered.judging.content': '9 13 12 14 13 16 12 9 9',
      'answered.failing': '22 25 25 26 26 25 25 22 22',
      'answered.retreating.empty': '10 14 13 15 14 17 13 10 10',
      'answered.retreating.somebody': '10 14 13 15 14 17 13 10 10',
      'answered.contradicted': '2 6 5 7 6 10 5 2 2',
      'answered.withdrawing': '. . . . . . . . 22',
      'answered.leaving': '. . . . . . . . 22',
      'answered.stuck': '. . . . . . . . 2',
      'answered.delivered': '1 5 4 6 5 9 4 1 1',
      'answered.refused': '1 5 4 6 5 9 4 1 1',
      'answered.withdrawn': '. . . . . . . . 1',
      'answered.unsent': '1 5 4 6 5 9 4 1 1',
      'answered.unknown': '1 5 4 6 5 9 4 1 1',
    });
    expect([mailGraph.positions.length, mailGraph.passages.length]).toEqual([139, 1283]);
  });

  it('of the connection chart: in how many positions each word is taken', () => {
    expect(countBy(connectionGraph.passages, ({ event }) => event.type)).toEqual({
      'step.connect': 32,
      'step.message': 318,
      'step.noop': 318,
      'step.reset': 318,
      'step.disconnect': 868,
      'step.abort': 434,
      opened: 32,
      lost: 644,
      timeout: 322,
      shutdown: 322,
      violation: 322,
      closed: 112,
      'greeting.ok': 32,
      'greeting.refused': 32,
      secured: 24,
      'secure.failed': 24,
      'ehlo.ok': 192,
      'ehlo.refused': 96,
      'noop.ok': 80,
      'noop.refused': 80,
      'reset.ok': 80,
      'reset.refused': 80,
      cleared: 80,
      stuck: 80,
      'helo.ok': 20,
      'helo.refused': 20,
      'auth.challenge': 40,
      'auth.invalid': 20,
      'auth.ok': 40,
      'auth.unproved': 40,
      'auth.refused': 80,
      'auth.deferred': 40,
      'token.ready': 10,
      'token.failed': 10,
      'starttls.ok': 16,
      'starttls.refused': 16,
      'quit.answered': 40,
    });
  });

  it('of the mail chart: in how many positions each word is taken', () => {
    expect(countBy(mailGraph.passages, ({ event }) => event.type)).toEqual({
      'step.sender': 15,
      'mail.ok': 29,
      'mail.refused': 65,
      'mail.tooEarly': 29,
      'in.vain': 18,
      'mail.unsupported': 51,
      'end.left': 47,
      lost: 102,
      'step.recipient': 60,
      'step.reset': 90,
      'step.leave': 90,
      'rcpt.ok': 47,
      'rcpt.refused': 29,
      'data.go': 38,
      'data.goNobody': 49,
      'data.refused': 33,
      'data.nobody': 41,
      chunking: 29,
      'rcpt.unsupported': 47,
      'chunk.ok': 29,
      'chunk.refused': 41,
      'verdict.ok': 38,
      'verdict.refused': 20,
      'verdicts.none': 20,
      'content.ok': 38,
      'content.refused': 20,
      settled: 29,
      'step.bom': 30,
      'step.next': 79,
      'step.eom': 30,
    });
  });
});

describe.each(charts)('the $name chart', ({ machine, graph }) => {
  it('takes every word somewhere', () => {
    const taken = new Set(graph.passages.map(({ event }) => event));
    expect(graph.events.filter((event) => !taken.has(event))).toEqual([]);
  });

  it('reaches every one of its states', () => {
    const reached = new Set(graph.positions.flatMap(({ name }) => name.split(' ')));
    expect(leaves(machine.root).filter((leaf) => !reached.has(leaf))).toEqual([]);
  });

  it('has an effect on every legal self-edge, which else would look like an unknown word', () => {
    const bare = graph.passages.filter(({ from, to, effects }) => from === to && effects.length === 0);
    expect(bare.map(({ from, event }) => [from.name, event])).toEqual([]);
  });

  it('answers as XState does, from the plain state and facts alone, in every position to every word', () => {
    const edges = new Map(
      graph.positions.map((position) => [position, new Map<object, AnyGraph['passages'][0]>()]),
    );
    for (const passage of graph.passages) edges.get(passage.from)?.set(passage.event, passage);
    for (const position of graph.positions) {
      const { value, context } = JSON.parse(JSON.stringify(position.snapshot));
      const restored = machine.resolveState({ value, context: context ?? {} });
      for (const event of graph.events) {
        const walked = edges.get(position)?.get(event);
        const [next, actions] = transition(machine, restored, event);
        const effects = actions.filter(({ type }) => type !== 'xstate.raise').map(({ params }) => params);
        const to = walked?.to ?? position;
        if (
          restored.can(event) !== (walked !== undefined) ||
          JSON.stringify([next.value, next.context]) !==
            JSON.stringify([to.snapshot.value, to.snapshot.context]) ||
          JSON.stringify(effects) !== JSON.stringify(walked?.effects ?? [])
        ) {
          expect.fail(`${position.name} ${JSON.stringify(position.context)}: ${JSON.stringify(event)}`);
        }
      }
    }
  });

  it('answers as a running XState actor does, on long random walks', () => {
    const start = graph.start;
    const walk = fc.array(fc.tuple(fc.nat(), fc.boolean()), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(walk, (choices) => {
        const told: unknown[] = [];
        const record = (_: unknown, effect: unknown): void => {
          told.push(effect);
        };
        const actor = createActor(machine.provide({ actions: { do: record, tell: record } })).start();
        const expected: unknown[] = [];
        let at = start;
        for (const [choice, legal] of choices) {
          const ways = graph.leaving.get(at) ?? [];
          const way = legal ? ways[choice % ways.length] : undefined;
          const event = way?.event ?? graph.events[choice % graph.events.length];
          if (event === undefined) continue;
          const passage = ways.find((candidate) => candidate.event === event);
          expected.push(...(passage?.effects ?? []));
          at = passage?.to ?? at;
          actor.send(event);
          const { value, context } = actor.getSnapshot();
          expect([value, context]).toEqual([at.snapshot.value, at.snapshot.context]);
        }
        expect(told).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });
});

/** What a chart's definition may consist of. */
interface Definition {
  readonly states: Set<string>;
  readonly transitions: Set<string>;
  readonly actions: Set<string>;
  /** Words that are forbidden in a state though the states around it take them. */
  readonly forbidden: string[];
}

const isObject = (thing: unknown): thing is Record<string, unknown> =>
  typeof thing === 'object' && thing !== null;

function read(config: unknown, path: string, found: Definition): void {
  if (!isObject(config)) return;
  for (const key of Object.keys(config)) found.states.add(key);
  for (const [word, transitions] of Object.entries(config.on ?? {})) {
    for (const one of [transitions].flat()) {
      if (!isObject(one)) throw new Error(`${path}: ${word} is ${String(one)}`);
      for (const key of Object.keys(one)) found.transitions.add(key);
      if (Object.keys(one).length === 0) found.forbidden.push(`${path} ${word}`);
      for (const action of [one.actions ?? []].flat()) found.actions.add(actionType(action));
    }
  }
  for (const [name, state] of Object.entries(config.states ?? {})) read(state, `${path}.${name}`, found);
}

function actionType(action: unknown): string {
  if (typeof action === 'string') return action;
  return (isObject(action) || typeof action === 'function') && 'type' in action ? String(action.type) : '?';
}

function definitionOf(machine: AnyStateMachine): Definition {
  const found = { states: new Set(''), transitions: new Set(''), actions: new Set(''), forbidden: [] };
  read(machine.config, machine.id, found);
  return found;
}

describe('the definitions', () => {
  it('of the connection chart have no after, invoke, spawn or always, and three assignments', () => {
    const { states, transitions, actions, forbidden } = definitionOf(connectionMachine);
    expect([...states].sort()).toEqual(['context', 'id', 'initial', 'on', 'schemas', 'states', 'tags']);
    expect([...transitions].sort()).toEqual(['actions', 'guard', 'target']);
    expect([...actions].sort()).toEqual(['adopt', 'do', 'forget', 'markSecure', 'tell']);
    expect(forbidden).toEqual(
      ['step.message', 'step.noop', 'step.reset'].map((step) => `connection.online.opening.rejected ${step}`),
    );
    const { actions: made } = connectionMachine.implementations;
    const assigning = [made.adopt, made.markSecure, made.forget].map(actionType);
    expect(assigning).toEqual(['xstate.assign', 'xstate.assign', 'xstate.assign']);
  });

  it('of the mail chart have no after, invoke, spawn or always, no guard and no fact', () => {
    const { states, transitions, actions, forbidden } = definitionOf(mailMachine);
    expect([...states].sort()).toEqual(['id', 'initial', 'on', 'schemas', 'states', 'tags', 'type']);
    expect([...transitions].sort()).toEqual(['actions', 'target']);
    expect([...actions].sort()).toEqual(['do', 'tell', 'xstate.raise']);
    expect(forbidden).toEqual([]);
    expect(new Set(mailGraph.positions.map(({ context }) => JSON.stringify(context)))).toEqual(
      new Set(['{}']),
    );
  });

  it('of the mail chart raise in answer to nothing that is raised', () => {
    const raising = new Set<string>();
    const visit = (config: unknown): void => {
      if (!isObject(config)) return;
      for (const [word, transitions] of Object.entries(config.on ?? {})) {
        const actions = [transitions]
          .flat()
          .flatMap((one: unknown) => (isObject(one) ? [one.actions ?? []].flat() : []));
        if (actions.some((action) => actionType(action) === 'xstate.raise')) raising.add(word);
      }
      for (const state of Object.values(config.states ?? {})) visit(state);
    };
    visit(mailMachine.config);
    expect([...raising].sort()).toEqual(['step.leave', 'step.reset']);
    expect(raised.every((word) => !raising.has(word))).toBe(true);
  });
});

describe('the vocabulary', () => {
  it('has no word twice', () => {
    for (const events of [connectionEvents, mailEvents]) {
      expect(new Set(events.map((event) => JSON.stringify(event))).size).toBe(events.length);
    }
  });
});
