/**
 * When mail may flow, and TLS (architecture §8: truth 3; security S1–S3), on every path under every policy.
 */
import { describe, expect, it } from 'vitest';
import { type ConnectionPassage, connectionGraph as graph, type Rule, Wrong, wordText } from './graph.ts';
import {
  breach,
  connecting,
  does,
  leaving,
  never,
  sorted,
  strict,
  tells,
  texts,
  writing,
  written,
} from './passages.ts';
import { policies } from './vocabulary.ts';

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
      'always auth ehlo ehlo.refused → hangingUp.unasked 3',
      'always auth securing secure.failed → hangingUp.unasked 3',
      'always auth upgrading starttls.refused → hangingUp.unasked 3',
      'always open ehlo ehlo.refused → hangingUp.unasked 3',
      'always open securing secure.failed → hangingUp.unasked 3',
      'always open upgrading starttls.refused → hangingUp.unasked 3',
      'implicit auth securing secure.failed → hangingUp.unasked 3',
      'implicit open securing secure.failed → hangingUp.unasked 3',
      'optional auth securing secure.failed → hangingUp.unasked 3',
      'optional auth upgrading starttls.refused → hangingUp.unasked 3',
      'optional open securing secure.failed → hangingUp.unasked 3',
      'optional open upgrading starttls.refused → online.ready 3',
    ]);
  });

  it('cuts the line where it fails closed, and blames TLS (S2, S3)', () => {
    const failing = graph.passages.filter(
      ({ to, effects }) =>
        leaving(to) && effects.some((effect) => 'tell' in effect && effect.tell === 'SECURE_FAIL'),
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

  it('is on only after the handshake, stays on to the end, and is forgotten with the connection', () => {
    const rule: Rule<boolean, ConnectionPassage> = (secured, passage) => {
      const over = connecting(passage) || passage.event.type === 'closed';
      const now = !over && (secured || passage.event.type === 'secured');
      return passage.to.context.secure === now ? now : new Wrong('the fact is wrong');
    };
    expect(breach(false, rule)).toBeUndefined();
  });
});
