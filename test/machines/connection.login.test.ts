/**
 * Logins (security S2, S3, S5), on every path through the chart under every policy.
 */
import { describe, expect, it } from 'vitest';
import { type ConnectionPassage, connectionGraph as graph, type Rule, Wrong, wordText } from './graph.ts';
import { breach, connecting, does, never, sorted, strict, tells, texts, written } from './passages.ts';
import { policies } from './vocabulary.ts';

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
      'auth.deferred, do giveUpConnecting, tell AUTH_FAIL',
      'auth.ok, do giveUpConnecting, tell AUTH_FAIL',
      'auth.refused more=false, do giveUpConnecting, tell AUTH_FAIL',
      'auth.refused more=true, do giveUpConnecting, tell AUTH_FAIL',
      'auth.unproved, do giveUpConnecting, tell AUTH_FAIL',
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
    expect(sorted(rejected.map(({ to }) => to.name))).toEqual(['hangingUp.asked', 'hangingUp.unasked']);
  });

  it('that failed for good gives up connecting first, and nothing else does: no limit runs while the caller thinks', () => {
    const rule = (passage: ConnectionPassage): boolean => {
      const given = texts(passage).join().includes('do giveUpConnecting,tell AUTH_FAIL');
      return given !== tells(passage, 'AUTH_FAIL') || given !== does(passage, 'giveUpConnecting');
    };
    expect(never('given up otherwise', rule)).toBeUndefined();
  });

  it('may be tried again with any other policy after that (TK16, TK39)', () => {
    // what is begun depends on the new policy alone, for nothing is left of the last one
    const disconnected = graph.positions.filter(({ name }) => name === 'disconnected');
    expect(disconnected).toEqual([graph.start]);
    const ways = graph.leaving.get(graph.start) ?? [];
    expect(ways.map(({ event }) => event)).toEqual(
      policies.map((policy) => ({ type: 'step.connect', ...policy })),
    );
    expect(ways.map(({ to }) => to.context)).toEqual(
      policies.map((policy) => ({ ...policy, secure: false })),
    );
  });
});
