/**
 * How connections end (architecture §8: truths 1 and 4; security S18), on every path through the chart under every
 * policy. A failing rule prints the shortest path that breaks it.
 */
import { describe, expect, it } from 'vitest';
import { type ConnectionPassage, connectionGraph as graph, type Rule, Wrong, wordText } from './graph.ts';
import { breach, connecting, isStep, never, sorted, tells, texts, writing } from './passages.ts';

describe('the search itself', () => {
  it('finds the shortest path to what is there', () => {
    expect(never('told', (passage) => tells(passage, 'CONNECTED'))).toBe(
      'told: {"type":"step.connect","tls":"never","auth":false,"token":false,"lmtp":false} {"type":"opened"} ' +
        '{"type":"greeting.ok"} {"type":"ehlo.ok","starttls":false,"auth":false}',
    );
  });
});

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
      if (passage.to.name !== 'hangingUp' || passage.from === passage.to) return closes.length > 0;
      return closes.length !== 1 || texts(passage).at(-1) !== closes[0];
    };
    expect(never('closed otherwise', rule)).toBeUndefined();
  });

  it('is left to nothing but `closed` once the line is closed', () => {
    const ways = graph.passages.filter(({ from }) => from.name === 'hangingUp');
    expect(
      sorted(ways.map((way) => [wordText(way.event), '→', way.to.name, ...texts(way)].join(' '))),
    ).toEqual([
      'closed → disconnected tell DISCONNECTED',
      'step.abort → hangingUp do nothing',
      'step.disconnect open=false → hangingUp do nothing',
      'step.disconnect open=true → hangingUp do nothing',
    ]);
  });
});

describe('every connection ends when it must (truth 4)', () => {
  const online = graph.positions.filter(({ name }) => name.startsWith('online.'));
  const phase = (name: string): string => (name.startsWith('online.opening') ? 'opening' : name.slice(7));

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
    const blamed = 'hangingUp, do blame line, do close false';
    expect(ending('lost quit=false')).toEqual(everywhere(blamed));
    expect(ending('lost quit=true')).toEqual({
      ...everywhere(blamed),
      quitting: ['hangingUp, do close false'],
    });
  });

  it('by a timeout, from everywhere (TK39, TK40, S13, S19)', () => {
    expect(ending('timeout')).toEqual(everywhere('hangingUp, tell TIMEOUT, do blame time, do close false'));
  });

  it('by a 421, from everywhere; while connecting it is the refusal of connect (TK63, S13)', () => {
    const quiet = 'hangingUp, do blame shutdown, do close true';
    expect(ending('shutdown')).toEqual({
      ...everywhere(quiet),
      opening: ['hangingUp, tell REFUSED connect, do blame shutdown, do close true'],
    });
  });

  it('by a violation, from everywhere (TK61, TK62, S11, S13)', () => {
    expect(ending('violation')).toEqual(everywhere('hangingUp, do blame protocol, do close false'));
  });

  it('by abort, from everywhere', () => {
    expect(ending('step.abort')).toEqual(everywhere('hangingUp, do blame caller, do close false'));
  });

  it('by disconnect, from everywhere: with QUIT from ready, unless content stands open (TK03, TK17)', () => {
    const hungUp = 'hangingUp, do close true';
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
      ready: ['hangingUp, do close false'],
      quitting,
    });
  });

  it('with QUIT once, after which everything leads down and nothing more is asked of the server', () => {
    const ways = graph.passages.filter(({ from }) => from.name === 'online.quitting');
    expect(sorted(ways.map(({ to }) => to.name))).toEqual(['hangingUp', 'online.quitting']);
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
