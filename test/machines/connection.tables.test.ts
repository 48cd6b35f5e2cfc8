/**
 * The chart of a connection as tables, asserted whole: what each word of the opening leads to, which step is legal
 * where, how a position reads.
 */
import { describe, expect, it } from 'vitest';
import type { ConnectionTag } from '../../machines/vocabulary.ts';
import { countBy, connectionGraph as graph } from './graph.ts';
import { connecting, isStep, texts } from './passages.ts';

describe('the opening, word by word (TK14, TK15, TK35, TK43, TK44)', () => {
  /** Told elsewhere, for every state at once. */
  const common = new Set(['lost', 'timeout', 'shutdown', 'violation']);
  const ways = graph.passages.filter(
    (way) => (way.from.name.startsWith('online.opening') || connecting(way)) && !common.has(way.event.type),
  );
  const short = (name: string): string => name.replace(/^online\.(opening\.)?/, '');

  it('this table', () => {
    const table: Record<string, Set<string>> = {};
    for (const way of ways.filter((one) => !isStep(one) || connecting(one))) {
      const key = `${short(way.from.name)}: ${way.event.type}`;
      const effects = texts(way).map((text) => text.replace(/^do /, ''));
      table[key] = (table[key] ?? new Set()).add([short(way.to.name), ...effects].join(', '));
    }
    expect(Object.fromEntries(Object.entries(table).map(([key, set]) => [key, [...set]]))).toEqual({
      'authenticating: auth.challenge': ['authenticating, respond'],
      'authenticating: auth.deferred': ['hangingUp.unasked, tell REFUSED connect, blame reply, close true'],
      'authenticating: auth.invalid': ['cancelling, cancelLogin'],
      'authenticating: auth.ok': ['ready, tell AUTH_OK, admit, tell CONNECTED'],
      'authenticating: auth.refused': ['rejected, giveUpConnecting, tell AUTH_FAIL', 'authenticating, login'],
      'authenticating: auth.unproved': ['rejected, giveUpConnecting, tell AUTH_FAIL'],
      'cancelling: auth.challenge': ['hangingUp.unasked, blame protocol, close false'],
      'cancelling: auth.deferred': ['rejected, giveUpConnecting, tell AUTH_FAIL'],
      'cancelling: auth.ok': ['rejected, giveUpConnecting, tell AUTH_FAIL'],
      'cancelling: auth.refused': ['rejected, giveUpConnecting, tell AUTH_FAIL'],
      'cancelling: auth.unproved': ['rejected, giveUpConnecting, tell AUTH_FAIL'],
      'connecting: opened': ['greeting, expectGreeting', 'securing, secure'],
      'disconnected: step.connect': ['connecting, open'],
      'ehlo: ehlo.ok': [
        'ready, admit, tell CONNECTED',
        'rejected, giveUpConnecting, tell AUTH_FAIL',
        'authenticating, login',
        'fetching, fetchToken',
        'upgrading, send STARTTLS',
      ],
      'ehlo: ehlo.refused': [
        'hangingUp.unasked, tell REFUSED connect, blame reply, close true',
        'helo, send HELO',
        'hangingUp.unasked, tell SECURE_FAIL, blame tls, close false',
      ],
      'fetching: token.failed': ['rejected, giveUpConnecting, tell AUTH_FAIL'],
      'fetching: token.ready': ['authenticating, login'],
      'greeting: greeting.ok': ['ehlo, send EHLO', 'ehlo, send LHLO'],
      'greeting: greeting.refused': ['hangingUp.unasked, tell REFUSED connect, blame reply, close true'],
      'helo: helo.ok': ['ready, admit, tell CONNECTED', 'rejected, giveUpConnecting, tell AUTH_FAIL'],
      'helo: helo.refused': ['hangingUp.unasked, tell REFUSED connect, blame reply, close true'],
      'securing: secure.failed': ['hangingUp.unasked, tell SECURE_FAIL, blame tls, close false'],
      'securing: secured': [
        'greeting, tell SECURE_OK, expectGreeting',
        'ehlo, tell SECURE_OK, send EHLO',
        'ehlo, tell SECURE_OK, send LHLO',
      ],
      'upgrading: starttls.ok': ['securing, secure'],
      'upgrading: starttls.refused': [
        'ready, tell SECURE_FAIL, admit, tell CONNECTED',
        'hangingUp.unasked, tell SECURE_FAIL, blame tls, close false',
      ],
    });
  });
});

describe('the introduction', () => {
  it('is LHLO by LMTP and nothing else; else EHLO, then HELO where EHLO is unknown', () => {
    const hello = graph.passages.flatMap((way) =>
      texts(way)
        .filter((text) => text.endsWith('LO'))
        .map(
          (text) => `${way.from.context.lmtp ? 'lmtp' : 'smtp'} ${way.from.name.slice(15)} ${text.slice(-4)}`,
        ),
    );
    expect(countBy(hello, (text) => text)).toEqual({
      'smtp greeting EHLO': 16,
      'lmtp greeting LHLO': 16,
      'smtp securing EHLO': 8,
      'lmtp securing LHLO': 8,
      'smtp ehlo HELO': 20,
    });
  });
});

describe('legality of the steps (TK12, TK20, TK30)', () => {
  it('depends on the state alone: this table', () => {
    const steps = [
      'step.connect',
      'step.message',
      'step.noop',
      'step.reset',
      'step.disconnect',
      'step.abort',
    ];
    const table: Record<string, Set<string>> = {};
    for (const { name } of graph.positions) table[name] ??= new Set();
    for (const position of graph.positions) {
      const legal = new Set<string>(graph.leaving.get(position)?.map(({ event }) => event.type));
      table[position.name]?.add(steps.map((step) => (legal.has(step) ? 'x' : '.')).join(''));
    }
    const opening = ['connecting', 'securing', 'greeting', 'ehlo', 'helo', 'upgrading', 'fetching'];
    const ahead = [...opening, 'authenticating', 'cancelling'].map((name) => [
      `online.opening.${name}`,
      ['.xxxxx'],
    ]);
    expect(Object.fromEntries(Object.entries(table).map(([name, rows]) => [name, [...rows]]))).toEqual({
      disconnected: ['x.....'],
      ...Object.fromEntries(ahead),
      'online.opening.rejected': ['....xx'],
      'online.ready': ['.xxxxx'],
      'online.quitting': ['....xx'],
      // who asked for it takes no new step; who cannot know yet may, and it comes to nothing
      'hangingUp.asked': ['....xx'],
      'hangingUp.unasked': ['.xxxxx'],
    });
  });
});

describe('the tags by which a position is read', () => {
  it('say one public state, when mail may leave, and what is awaited', () => {
    const tags: Record<string, ConnectionTag[]> = {};
    for (const position of graph.positions) {
      const known = tags[position.name] ?? [...position.tags].sort();
      expect([...position.tags].sort()).toEqual(known);
      tags[position.name] = known;
    }
    const opening = ['public:connecting'];
    expect(tags).toEqual({
      disconnected: ['public:disconnected'],
      'online.opening.connecting': ['awaits:connect', ...opening],
      'online.opening.securing': ['awaits:tls', ...opening],
      'online.opening.greeting': opening,
      'online.opening.ehlo': opening,
      'online.opening.helo': opening,
      'online.opening.upgrading': opening,
      'online.opening.fetching': ['awaits:auth', ...opening],
      'online.opening.authenticating': opening,
      'online.opening.cancelling': opening,
      'online.opening.rejected': opening,
      'online.ready': ['open', 'public:ready'],
      'online.quitting': ['open', 'public:closing'],
      'hangingUp.asked': ['public:closing'],
      'hangingUp.unasked': ['public:closing'],
    });
  });
});
