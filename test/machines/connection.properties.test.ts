/**
 * What must be true of a connection (architecture §8, security S1–S5, S18), on every path through the chart under
 * every policy. A failing rule prints the shortest path that breaks it.
 */
import { describe, expect, it } from 'vitest';
import type { ConnectionTag } from '../../machines/vocabulary.ts';
import {
  type ConnectionPassage,
  countBy,
  counterexample,
  effectText,
  connectionGraph as graph,
  type Rule,
  Wrong,
  wordText,
} from './graph.ts';
import { policies } from './vocabulary.ts';

const does = ({ effects }: ConnectionPassage, deed: string): boolean =>
  effects.some((effect) => 'do' in effect && effect.do === deed);
const tells = ({ effects }: ConnectionPassage, notice: string): boolean =>
  effects.some((effect) => 'tell' in effect && effect.tell === notice);
const texts = ({ effects }: ConnectionPassage): string[] => effects.map(effectText);
const isStep = ({ event }: ConnectionPassage): boolean => event.type.startsWith('step.');
const strict = ({ from }: ConnectionPassage): boolean =>
  from.context.tls === 'always' || from.context.tls === 'implicit';

/** NOOP and RSET of the caller are only queued while the connection opens: the ledger holds them. */
const errands = new Set(['do send NOOP', 'do send RSET']);
/** Effects that put bytes on the wire, or lead to it. */
const writing = /^do (send|secure|fetchToken|login|respond|cancelLogin|admit|open|expectGreeting)/;
const written = (passage: ConnectionPassage): string[] =>
  texts(passage).filter((text) => writing.test(text) && !errands.has(text));

const connecting = ({ event }: ConnectionPassage): boolean => event.type === 'step.connect';
const breach = <M>(memory: M, rule: Rule<M, ConnectionPassage>) => counterexample(graph, memory, rule);
const never = (what: string, wrong: (passage: ConnectionPassage) => boolean) =>
  breach(0, (memory, passage) => (wrong(passage) ? new Wrong(what) : memory));
const sorted = (set: Iterable<string>): string[] => [...new Set(set)].sort();

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

describe('CONNECTED (truth 3)', () => {
  it('is told on every way into ready and nowhere else, once, last, and after messages were admitted (TK35)', () => {
    const rule = (passage: ConnectionPassage): boolean => {
      const entering = passage.to.name === 'online.ready' && passage.from !== passage.to;
      const end = texts(passage).slice(-2).join();
      const count = texts(passage).filter(
        (text) => /CONNECTED$|admit/.test(text) && !/DIS/.test(text),
      ).length;
      return entering ? end !== 'do admit,tell CONNECTED' || count !== 2 : count !== 0;
    };
    expect(never('told elsewhere, or not', rule)).toBeUndefined();
  });

  it('is never told in clear where TLS is always or implicit (TK48, TK49, S2)', () => {
    const rule: Rule<boolean, ConnectionPassage> = (secured, passage) => {
      if (connecting(passage)) return false;
      const now = secured || passage.event.type === 'secured';
      const reached = tells(passage, 'CONNECTED') || passage.to.name === 'online.ready';
      return reached && strict(passage) && !(now && passage.to.context.secure)
        ? new Wrong('told in clear')
        : now;
    };
    expect(breach(false, rule)).toBeUndefined();
  });

  it('comes under every policy and with TLS under every policy but never (TK45, TK46, TK48, TK49)', () => {
    const told = graph.passages.filter((passage) => tells(passage, 'CONNECTED'));
    const ways = told.map(({ to }) => `${to.context.tls} ${to.context.secure ? 'secure' : 'clear'}`);
    expect(sorted(ways)).toEqual([
      'always secure',
      'implicit secure',
      'never clear',
      'optional clear',
      'optional secure',
    ]);
    const reached = new Set(
      told.map(({ to: { context } }) => JSON.stringify({ ...context, secure: undefined })),
    );
    expect(policies.filter((policy) => !reached.has(JSON.stringify(policy)))).toEqual([]);
  });

  it('follows SECURE_OK and AUTH_OK, each told once, in that order (TK14, TK15, TK35, TK43)', () => {
    const order = ['SECURE_OK', 'AUTH_OK', 'CONNECTED'];
    const rule: Rule<number, ConnectionPassage> = (past, passage) => {
      let at = connecting(passage) ? 0 : past;
      for (const text of texts(passage)) {
        const place = order.indexOf(text.replace('tell ', '')) + 1;
        if (place === 0) continue;
        if (place <= at) return new Wrong('out of order, or twice');
        at = place;
      }
      return at;
    };
    expect(breach(0, rule)).toBeUndefined();
  });

  it('is followed by no other news of the opening (TK71)', () => {
    const news = /SECURE|AUTH|CONNECTED|REFUSED connect/;
    const rule = (passage: ConnectionPassage): boolean =>
      /ready|quitting/.test(passage.from.name) && texts(passage).some((text) => news.test(text));
    expect(never('told late', rule)).toBeUndefined();
  });
});

describe('TLS', () => {
  it('fails closed: after SECURE_FAIL under always or implicit nothing is written, until DISCONNECTED (S2, TK44, TK48)', () => {
    const rule: Rule<boolean, ConnectionPassage> = (failed, passage) => {
      if (connecting(passage)) return false;
      const all = texts(passage);
      const since = failed ? 0 : all.indexOf('tell SECURE_FAIL');
      if (!strict(passage) || since < 0) return false;
      return all.slice(since).some((text) => writing.test(text)) ? new Wrong('written') : true;
    };
    expect(breach(false, rule)).toBeUndefined();
  });

  it('fails closed in optional too, but for a refused STARTTLS without credentials (S3, TK44)', () => {
    const failing = graph.passages.filter((passage) => tells(passage, 'SECURE_FAIL'));
    const ways = failing.map(({ from: { context, name }, event, to, effects }) =>
      [
        context.tls,
        context.auth ? 'auth' : 'open',
        name.slice(15),
        event.type,
        '→',
        to.name,
        effects.length,
      ].join(' '),
    );
    expect(sorted(ways)).toEqual([
      'always auth ehlo ehlo.refused → hangingUp 3',
      'always auth securing secure.failed → hangingUp 3',
      'always auth upgrading starttls.refused → hangingUp 3',
      'always open ehlo ehlo.refused → hangingUp 3',
      'always open securing secure.failed → hangingUp 3',
      'always open upgrading starttls.refused → hangingUp 3',
      'implicit auth securing secure.failed → hangingUp 3',
      'implicit open securing secure.failed → hangingUp 3',
      'optional auth securing secure.failed → hangingUp 3',
      'optional auth upgrading starttls.refused → hangingUp 3',
      'optional open securing secure.failed → hangingUp 3',
      'optional open upgrading starttls.refused → online.ready 3',
    ]);
  });

  it('cuts the line where it fails closed, and blames TLS (S2, S3)', () => {
    const failing = graph.passages.filter(
      ({ to, effects }) =>
        to.name === 'hangingUp' &&
        effects.some((effect) => 'tell' in effect && effect.tell === 'SECURE_FAIL'),
    );
    expect(sorted(failing.map((passage) => texts(passage).join()))).toEqual([
      'tell SECURE_FAIL,do blame tls,do close false',
    ]);
  });

  it('is begun by policy and offer: never not at all, always unasked, implicit first (TK45, TK46, TK47, TK48, TK49)', () => {
    const ways = graph.passages
      .filter((passage) => texts(passage).some((text) => text === 'do secure' || text === 'do send STARTTLS'))
      .map((way) =>
        [way.from.context.tls, way.from.name.slice(15), wordText(way.event), ...texts(way)].join(' '),
      );
    expect(sorted(ways)).toEqual([
      'always ehlo ehlo.ok starttls=false auth=false do send STARTTLS',
      'always ehlo ehlo.ok starttls=false auth=true do send STARTTLS',
      'always ehlo ehlo.ok starttls=true auth=false do send STARTTLS',
      'always ehlo ehlo.ok starttls=true auth=true do send STARTTLS',
      'always upgrading starttls.ok do secure',
      'implicit connecting opened do secure',
      'optional ehlo ehlo.ok starttls=true auth=false do send STARTTLS',
      'optional ehlo ehlo.ok starttls=true auth=true do send STARTTLS',
      'optional upgrading starttls.ok do secure',
    ]);
  });

  it('always: in clear nothing is said but EHLO and STARTTLS; implicit: nothing at all (S2)', () => {
    const clear = graph.passages.filter((passage) => strict(passage) && !passage.to.context.secure);
    const said = clear.flatMap((passage) =>
      written(passage).map((text) => `${passage.from.context.tls} ${text}`),
    );
    expect(sorted(said.filter((text) => !/ open$| secure$| expectGreeting$/.test(text)))).toEqual([
      'always do send EHLO',
      'always do send LHLO',
      'always do send STARTTLS',
    ]);
  });

  it('forgets what was said before: after the handshake a new EHLO comes before login and mail (S1)', () => {
    const rule: Rule<boolean, ConnectionPassage> = (introduced, passage) => {
      if (connecting(passage) || does(passage, 'secure')) return false;
      const now = introduced || /^(ehlo|helo)\.ok$/.test(passage.event.type);
      const trusting = ['admit', 'login', 'fetchToken', 'respond'].some((deed) => does(passage, deed));
      return trusting && !now ? new Wrong('no EHLO since') : now;
    };
    expect(breach(false, rule)).toBeUndefined();
  });

  it('is on only after the handshake, and stays on to the end', () => {
    const rule: Rule<boolean, ConnectionPassage> = (secured, passage) => {
      const now = !connecting(passage) && (secured || passage.event.type === 'secured');
      return passage.to.context.secure === now ? now : new Wrong('the fact is wrong');
    };
    expect(breach(false, rule)).toBeUndefined();
  });
});

describe('login', () => {
  const credentials = (passage: ConnectionPassage): boolean =>
    ['fetchToken', 'login', 'respond'].some((deed) => does(passage, deed));

  it('never shows credentials in clear where TLS is always or implicit, or was offered, or refused (S2, S3, S5)', () => {
    const rule: Rule<boolean, ConnectionPassage> = (offered, passage) => {
      const { event, from } = passage;
      if (connecting(passage)) return false;
      if (credentials(passage) && !from.context.secure) {
        if (strict(passage)) return new Wrong('in clear, though TLS must be');
        if (offered && from.context.tls === 'optional') return new Wrong('in clear, though TLS was offered');
      }
      return (
        offered || (event.type === 'ehlo.ok' && event.starttls) || /^(starttls|secure)\./.test(event.type)
      );
    };
    expect(breach(false, rule)).toBeUndefined();
  });

  it('runs only with credentials, and only where EHLO offered a usable mechanism on this line (TK13, S5)', () => {
    const rule: Rule<boolean, ConnectionPassage> = (usable, passage) => {
      const { event, from } = passage;
      if (connecting(passage) || does(passage, 'secure')) return false;
      const now = event.type === 'ehlo.ok' ? event.auth : usable;
      return credentials(passage) && !(now && from.context.auth) ? new Wrong('nothing to log in with') : now;
    };
    expect(breach(false, rule)).toBeUndefined();
  });

  it('cannot be passed by: with credentials there is no CONNECTED without AUTH_OK (TK14, S3)', () => {
    const rule: Rule<boolean, ConnectionPassage> = (loggedIn, passage) => {
      if (connecting(passage)) return false;
      const now = loggedIn || tells(passage, 'AUTH_OK');
      return tells(passage, 'CONNECTED') && now !== passage.to.context.auth ? new Wrong('passed by') : now;
    };
    expect(breach(false, rule)).toBeUndefined();
  });

  it('asks for the token after TLS, right before its first use, where there is one to ask for', () => {
    const asking = graph.passages.filter((passage) => does(passage, 'fetchToken'));
    expect(asking.every(({ from }) => from.context.token)).toBe(true);
    const rule: Rule<boolean, ConnectionPassage> = (ready, passage) => {
      if (connecting(passage) || does(passage, 'fetchToken')) return false;
      const now = ready || passage.event.type === 'token.ready';
      return does(passage, 'login') && passage.from.context.token && !now ? new Wrong('no token yet') : now;
    };
    expect(breach(false, rule)).toBeUndefined();
  });

  it('that was cancelled is not tried again, whatever the server answers (S5)', () => {
    const rule: Rule<boolean, ConnectionPassage> = (cancelled, passage) => {
      if (connecting(passage)) return false;
      const again = credentials(passage) || tells(passage, 'AUTH_OK') || tells(passage, 'CONNECTED');
      return cancelled && again ? new Wrong('tried again') : cancelled || does(passage, 'cancelLogin');
    };
    expect(breach(false, rule)).toBeUndefined();
    const ways = graph.passages.filter(
      ({ from, event }) => from.name.endsWith('cancelling') && event.type.startsWith('auth.'),
    );
    expect(sorted(ways.map((way) => [wordText(way.event), ...texts(way)].join(', ')))).toEqual([
      'auth.challenge, do blame protocol, do close false',
      'auth.deferred, tell AUTH_FAIL',
      'auth.ok, tell AUTH_FAIL',
      'auth.refused more=false, tell AUTH_FAIL',
      'auth.refused more=true, tell AUTH_FAIL',
      'auth.unproved, tell AUTH_FAIL',
    ]);
  });

  it('that failed for good leaves a connection on which only disconnect and abort are legal (TK16)', () => {
    const failed = graph.passages.filter((passage) => tells(passage, 'AUTH_FAIL'));
    expect(sorted(failed.map(({ to }) => to.name))).toEqual(['online.opening.rejected']);
    const rejected = graph.passages.filter(({ from }) => from.name.endsWith('rejected'));
    expect(sorted(rejected.map(({ event }) => event.type))).toEqual([
      'lost',
      'shutdown',
      'step.abort',
      'step.disconnect',
      'timeout',
      'violation',
    ]);
    expect(rejected.flatMap(written)).toEqual([]);
    expect(sorted(rejected.map(({ to }) => to.name))).toEqual(['hangingUp']);
  });

  it('may be tried again with any other policy after that (TK16, TK39)', () => {
    const disconnected = graph.positions.filter(({ name }) => name === 'disconnected');
    for (const position of disconnected) {
      const ways = graph.leaving.get(position) ?? [];
      expect(ways.map(({ event }) => event)).toEqual(
        policies.map((policy) => ({ type: 'step.connect', ...policy })),
      );
      // and what is begun depends on the new policy alone
      expect(ways.map(({ to }) => to)).toEqual(graph.leaving.get(graph.start)?.map(({ to }) => to));
    }
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
      hangingUp: ['....xx'],
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
      hangingUp: ['public:closing'],
    });
  });
});
