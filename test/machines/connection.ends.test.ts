/**
 * How connections end (architecture §8: truths 1 and 4; security S18), on every path through the chart under every
 * policy. A failing rule prints the shortest path that breaks it.
 */
import { describe, expect, it } from 'vitest';
import { type ConnectionPassage, connectionGraph as graph, type Rule, Wrong, wordText } from './graph.ts';
import { breach, connecting, isStep, leaving, never, sorted, tells, texts, writing } from './passages.ts';

describe('the search itself', () => {
  it('finds the shortest path to what is there', () => {
    expect(never('told', (passage) => tells(passage, 'CONNECTED'))).toBe(
      'told: {"type":"step.connect","tls":"never","auth":false,"token":false,"lmtp":false} {"type":"opened"} ' +
        '{"type":"greeting.ok"} {"type":"ehlo.ok","starttls":false,"auth":false}',
    );
  });
});

const phase = (name: string): string => (name.startsWith('online.opening') ? 'opening' : name.slice(7));

describe('one DISCONNECTED for each connect() (truth 1)', () => {
  it('is told between one connect and the next, once, and only then', () => {
    const rule: Rule<'down' | 'up', ConnectionPassage> = (line, passage) => {
      const told = texts(passage).filter((text) => text === 'tell DISCONNECTED').length;
      if (connecting(passage)) return line === 'down' && told === 0 ? 'up' : new Wrong('connected twice');
      if (told > 0 !== (passage.to.name === 'disconnected')) return new Wrong('not told at the end');
      if (told === 0) return line;
      return line === 'up' && told === 1 ? 'down' : new Wrong('told too often');
    };
    expect(breach('down', rule)).toBeUndefined();
  });

  it('comes after the line was closed once: every way into hangingUp ends with one close, the only one (TK39)', () => {
    const rule = (passage: ConnectionPassage): boolean => {
      const closes = texts(passage).filter((text) => text.startsWith('do close'));
      if (!leaving(passage.to) || leaving(passage.from)) return closes.length > 0;
      return closes.length !== 1 || texts(passage).at(-1) !== closes[0];
    };
    expect(never('closed otherwise', rule)).toBeUndefined();
  });

  it('is left to nothing but `closed` once the line is closed', () => {
    const ways = (name: string): string[] =>
      sorted(
        graph.passages
          .filter(({ from }) => from.name === name)
          .map((way) => [wordText(way.event), '→', way.to.name, ...texts(way)].join(' ')),
      );
    const both = (name: string): string[] => [
      'closed → disconnected tell DISCONNECTED',
      `step.abort → ${name} do nothing`,
      `step.disconnect open=false → ${name} do nothing`,
      `step.disconnect open=true → ${name} do nothing`,
    ];
    expect(ways('hangingUp.asked')).toEqual(both('hangingUp.asked'));
    expect(ways('hangingUp.unasked')).toEqual([
      ...both('hangingUp.unasked'),
      'step.message → hangingUp.unasked do nothing',
      'step.noop → hangingUp.unasked do nothing',
      'step.reset → hangingUp.unasked do nothing',
    ]);
  });

  it('leaves nothing of the connection behind: it leads to the start, where nothing has been agreed', () => {
    const closing = graph.passages.filter(({ event }) => event.type === 'closed');
    expect(new Set(closing.map(({ to }) => to))).toEqual(new Set([graph.start]));
    expect(graph.positions.filter(({ name }) => name === 'disconnected')).toEqual([graph.start]);
    expect(graph.start.context).toEqual({
      tls: 'never',
      auth: false,
      token: false,
      lmtp: false,
      secure: false,
    });
  });
});

describe('a caller whose line is being given up (TK29, TK30)', () => {
  const errands = ['step.message', 'step.noop', 'step.reset'];
  const taken = (name: string): ConnectionPassage[] =>
    graph.passages.filter(({ from, event }) => from.name === name && errands.includes(event.type));

  it('takes no new step who asked for it: hangingUp.asked lets only disconnect and abort be said again', () => {
    expect(taken('hangingUp.asked')).toEqual([]);
  });

  it('may take steps who cannot know yet, and they come to nothing: no word is sent, told or moves anything', () => {
    const unasked = graph.positions.filter(({ name }) => name === 'hangingUp.unasked');
    const ways = taken('hangingUp.unasked');
    expect(ways.length).toBe(unasked.length * errands.length);
    expect(sorted(ways.map((way) => `${way.from === way.to} ${texts(way).join()}`))).toEqual([
      'true do nothing',
    ]);
  });

  it('goes from one to the other never: what was asked for stays so until `closed`', () => {
    const within = graph.passages.filter(({ from, to }) => leaving(from) && leaving(to));
    expect(within.filter(({ from, to }) => from !== to)).toEqual([]);
  });

  it('has asked by disconnect, by abort, by QUIT, or by taking back what stood open; all else is unasked', () => {
    const entering = graph.passages.filter(({ from, to }) => leaving(to) && !leaving(from));
    const words = (end: string): string[] =>
      sorted(
        entering
          .filter(({ to }) => to.name === `hangingUp.${end}`)
          .map(({ from, event }) => `${phase(from.name)} ${event.type}`),
      );
    expect(words('asked')).toEqual([
      'opening step.abort',
      'opening step.disconnect',
      'quitting lost',
      'quitting quit.answered',
      'quitting step.abort',
      'quitting stuck',
      'ready step.abort',
      'ready step.disconnect',
      'ready stuck',
    ]);
    const refusals = ['auth.challenge', 'auth.deferred', 'ehlo.refused', 'greeting.refused', 'helo.refused'];
    const insecure = ['secure.failed', 'starttls.refused'];
    const facts = ['lost', 'shutdown', 'timeout', 'violation'];
    expect(words('unasked')).toEqual(
      sorted([
        ...[...refusals, ...insecure, ...facts].map((word) => `opening ${word}`),
        ...facts.map((word) => `ready ${word}`),
        ...facts.filter((word) => word !== 'lost').map((word) => `quitting ${word}`),
      ]),
    );
  });

  it('who has asked to leave takes no new step, but where something else ends the connection: these ways', () => {
    const rule: Rule<boolean, ConnectionPassage> = (asked, passage) => {
      const { from, to, event } = passage;
      if (connecting(passage)) return false;
      if (asked && errands.includes(event.type)) return new Wrong('a new step');
      // told apart below
      if (to.name === 'hangingUp.unasked') return false;
      return asked || (/^step\.(disconnect|abort)$/.test(event.type) && from !== graph.start);
    };
    expect(breach(false, rule)).toBeUndefined();
    const ways = graph.passages.filter(
      ({ from, to, event }) =>
        to.name === 'hangingUp.unasked' &&
        (from.name === 'online.quitting' || /^step\.(disconnect|abort)$/.test(event.type)),
    );
    expect(sorted(ways.map(({ from, event }) => `${from.name} ${event.type}`))).toEqual([
      'hangingUp.unasked step.abort',
      'hangingUp.unasked step.disconnect',
      'online.quitting shutdown',
      'online.quitting timeout',
      'online.quitting violation',
    ]);
  });
});

describe('every connection ends when it must (truth 4)', () => {
  const online = graph.positions.filter(({ name }) => name.startsWith('online.'));

  /** What a word does in each phase of being online, asserted to be the same in all positions but the ones named. */
  function ending(word: string): Record<string, string[]> {
    const found: Record<string, Set<string>> = {};
    for (const position of online) {
      const way = graph.leaving.get(position)?.find(({ event }) => wordText(event) === word);
      const text = way === undefined ? 'not taken' : [way.to.name, ...texts(way)].join(', ');
      const key = position.name.endsWith('rejected') ? 'rejected' : phase(position.name);
      found[key] = (found[key] ?? new Set()).add(text);
    }
    return Object.fromEntries(Object.entries(found).map(([key, set]) => [key, [...set]]));
  }

  const everywhere = (text: string) => ({
    opening: [text],
    rejected: [text],
    ready: [text],
    quitting: [text],
  });

  it('by a lost line, from everywhere (TK63, TK64, S18)', () => {
    const blamed = 'hangingUp.unasked, do blame line, do close false';
    const quitting = ['hangingUp.asked, do blame line, do close false'];
    expect(ending('lost quit=false')).toEqual({ ...everywhere(blamed), quitting });
    expect(ending('lost quit=true')).toEqual({
      ...everywhere(blamed),
      quitting: ['hangingUp.asked, do close false'],
    });
  });

  it('by a timeout, from everywhere (TK39, TK40, S13, S19)', () => {
    expect(ending('timeout')).toEqual(
      everywhere('hangingUp.unasked, tell TIMEOUT, do blame time, do close false'),
    );
  });

  it('by a 421, from everywhere; while connecting it is the refusal of connect (TK63, S13)', () => {
    const quiet = 'hangingUp.unasked, do blame shutdown, do close true';
    expect(ending('shutdown')).toEqual({
      ...everywhere(quiet),
      opening: ['hangingUp.unasked, tell REFUSED connect, do blame shutdown, do close true'],
    });
  });

  it('by a violation, from everywhere (TK61, TK62, S11, S13)', () => {
    expect(ending('violation')).toEqual(everywhere('hangingUp.unasked, do blame protocol, do close false'));
  });

  it('by abort, from everywhere', () => {
    expect(ending('step.abort')).toEqual(everywhere('hangingUp.asked, do blame caller, do close false'));
  });

  it('by disconnect, from everywhere: with QUIT from ready, unless content stands open (TK03, TK17)', () => {
    const hungUp = 'hangingUp.asked, do close true';
    const quitting = ['online.quitting, do nothing'];
    expect(ending('step.disconnect open=false')).toEqual({
      opening: [hungUp],
      rejected: [hungUp],
      ready: ['online.quitting, do send QUIT'],
      quitting,
    });
    expect(ending('step.disconnect open=true')).toEqual({
      opening: [hungUp],
      rejected: [hungUp],
      ready: ['hangingUp.asked, do close false'],
      quitting,
    });
  });

  it('with QUIT once, after which everything leads down and nothing more is asked of the server', () => {
    const ways = graph.passages.filter(({ from }) => from.name === 'online.quitting');
    expect(sorted(ways.map(({ to }) => to.name))).toEqual([
      'hangingUp.asked',
      'hangingUp.unasked',
      'online.quitting',
    ]);
    expect(ways.flatMap((way) => texts(way).filter((text) => writing.test(text)))).toEqual([]);
  });
});

describe('nothing goes round without an input, or without a bound (truth 4, S18)', () => {
  const driven = graph.passages.filter((passage) => !isStep(passage));

  it('what the server and the line say never leads back to a position that was left', () => {
    const open = new Set<unknown>();
    const done = new Set<unknown>();
    const circles: string[] = [];
    const visit = (at: ConnectionPassage['from']): void => {
      if (done.has(at)) return;
      if (open.has(at)) {
        circles.push(at.name);
        return;
      }
      open.add(at);
      for (const { from, to } of driven) if (from === at && to !== at) visit(to);
      done.add(at);
    };
    for (const position of graph.positions) visit(position);
    expect(circles).toEqual([]);
  });

  it('and where it stays, it writes only in a login, whose rounds LoginAttempt counts (S5)', () => {
    const staying = driven.filter(({ from, to }) => from === to);
    expect(
      sorted(staying.map((way) => [way.from.name, wordText(way.event), ...texts(way)].join(', '))),
    ).toEqual([
      'online.opening.authenticating, auth.challenge, do respond',
      'online.opening.authenticating, auth.refused more=true, do login',
      'online.quitting, cleared, do nothing',
      'online.quitting, noop.ok, tell NOOP_ACK',
      'online.quitting, noop.refused, tell REFUSED noop',
      'online.quitting, reset.ok, tell RESET',
      'online.quitting, reset.refused, tell REFUSED reset',
      'online.ready, cleared, do nothing',
      'online.ready, noop.ok, tell NOOP_ACK',
      'online.ready, noop.refused, tell REFUSED noop',
      'online.ready, reset.ok, tell RESET',
      'online.ready, reset.refused, tell REFUSED reset',
    ]);
  });
});
