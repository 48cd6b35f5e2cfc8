/** Hostile answers in the midst of a flight: without end, one too many, octet by octet; at each answer there is. */
import type { ScriptedReply, ServerOptions, ServerSession } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import { chunking, Flight, groups } from './flight.ts';

const count = 4;
const ways = [
  ['CHUNKING', chunking],
  ['PIPELINING', groups],
] as const;

interface Strike {
  readonly flight: Flight;
  /** When the answer was due, in ms; Infinity where it never was. */
  readonly at: number;
}

/** A flight whose n-th answer after EHLO is another one. */
function struck(
  extensions: readonly string[],
  nth: number,
  answer: (session: ServerSession, own: string | readonly string[]) => ScriptedReply,
): Strike {
  let met = -2;
  let at = Number.POSITIVE_INFINITY;
  const reply: ServerOptions['reply'] = (_, session, own) => {
    if (++met !== nth) return undefined;
    at = flight.clock.now();
    return answer(session, own);
  };
  const timeouts = { commandMs: 300, dataMs: 300, verdictMs: 300 };
  const flight = new Flight({ server: { extensions, reply }, client: { messagesInFlight: 3, timeouts } });
  flight.client.connect();
  flight.fly(1, count);
  flight.settle();
  return { flight, at };
}

/** Strikes at each answer in turn, and looks at what became of it; how many there were. */
function eachAnswer(
  extensions: readonly string[],
  answer: (session: ServerSession, own: string | readonly string[]) => ScriptedReply,
  look: (strike: Strike, story: string) => void,
): number {
  for (let nth = 1; ; nth++) {
    const strike = struck(extensions, nth, answer);
    if (strike.at === Number.POSITIVE_INFINITY) return nth - 1;
    look(strike, `answer ${nth}`);
  }
}

const reasonOf = ({ events }: Flight): string | undefined => {
  const end = events.at(-1);
  return end?.name === 'DISCONNECTED' ? end.reason?.code : end?.name;
};

describe.each(ways)('%s', (_, extensions) => {
  it.each([
    ['a line', '250 '.concat('x'.repeat(200_000))],
    ['lines of one reply', '250-x\r\n'.repeat(50_000)],
    ['empty lines', '\r\n'.repeat(100_000)],
    ['octets without sense', '\0'.repeat(1_000)],
  ])('S11: %s without end at any answer: cut off, one outcome each', (_name, raw) => {
    const answers = eachAnswer(
      extensions,
      () => ({ raw, stall: true }),
      ({ flight }, story) => {
        expect(reasonOf(flight), story).toBe('ESERVERSYNC');
        expect(flight.wrongs(count), story).toEqual([]);
      },
    );
    expect(answers).toBeGreaterThanOrEqual(3 * count);
  });

  it('S13: one reply too many behind any answer: it is never overlooked, and nothing is lost, doubled or told twice', () => {
    const answers = eachAnswer(
      extensions,
      (_session, own) => ({ raw: `${[own].flat().join('\r\n')}\r\n250 2.0.0 one too many\r\n` }),
      ({ flight }, story) => {
        expect(reasonOf(flight), story).toBe('ESERVERSYNC');
        expect(flight.wrongs(count), story).toEqual([]);
      },
    );
    expect(answers).toBeGreaterThanOrEqual(3 * count);
  });

  it('S13 S19: an octet each 100 ms buys no answer of a flight any time', () => {
    for (const drip of ['250-and so it goes', '250-x\r\n', '\r\n']) {
      const dripping = (session: ServerSession, n = 0): void => {
        session.say(drip[n % drip.length] ?? '');
        session.line.after(100, () => dripping(session, n + 1));
      };
      const answers = eachAnswer(
        extensions,
        (session) => {
          dripping(session);
          return { raw: '', stall: true };
        },
        ({ flight, at }, story) => {
          const ends = flight.events.map(({ name }) => name).slice(-2);
          expect(ends, story).toEqual(['TIMEOUT', 'DISCONNECTED']);
          // the limit, and the way back of the answer before
          expect(flight.endedAt - at, story).toBeLessThanOrEqual(310);
          expect(flight.wrongs(count), story).toEqual([]);
        },
      );
      expect(answers).toBeGreaterThanOrEqual(3 * count);
    }
  });
});
