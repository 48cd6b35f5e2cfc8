/** The line is lost, or the server leaves, at each answer of a flight: every message has exactly one outcome. */
import type { ReplyPlan } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import { chunking, Flight, groups } from './flight.ts';

const count = 6;

interface Loss {
  readonly name: string;
  /** In place of the answer. */
  readonly plan: ReplyPlan;
  /** It answers the command, as a refusal. */
  readonly answers?: boolean;
}

const losses: readonly Loss[] = [
  { name: 'an orderly end', plan: { drop: true } },
  { name: 'a reset', plan: { reset: true } },
  { name: 'silence', plan: { raw: '', stall: true } },
  { name: '421 and the end', plan: { reply: '421 4.3.2 going down', drop: true }, answers: true },
  { name: '421 and silence', plan: { reply: '421 4.3.2 going down', stall: true }, answers: true },
  { name: 'half a reply and the end', plan: { raw: '250-so\r\n25', drop: true } },
  { name: 'garbage', plan: { raw: 'what?\r\n', stall: true } },
];

/** Commands after EHLO of a flight in which nothing happens. */
function length(extensions: readonly string[], pipelining: boolean): number {
  return flight(extensions, pipelining).server.log.filter((line) => /^C: (?!EHLO|BDAT)/.test(line)).length;
}

/** A flight whose n-th answer after EHLO is lost. */
function flight(extensions: readonly string[], pipelining: boolean, lost = 0, plan?: ReplyPlan): Flight {
  let nth = -2;
  const made = new Flight({
    server: { extensions, reply: () => (++nth === lost ? plan : undefined) },
    client: { pipelining, messagesInFlight: 3 },
  });
  made.client.connect();
  return made.fly(1, count);
}

describe.each(losses)('$name', ({ plan, answers = false }) => {
  it.each([
    ['CHUNKING', chunking, true],
    ['PIPELINING', groups, true],
    ['CHUNKING without PIPELINING', chunking, false],
  ] as const)(
    'S13 S18 S20: at any answer, %s: one outcome each; unknown is what has left whole and has no verdict',
    (_, extensions, pipelining) => {
      const all = length(extensions, pipelining);
      expect(all).toBeGreaterThanOrEqual(3 * count);
      const seen = new Set<string>();
      for (let nth = 1; nth <= all; nth++) {
        const made = flight(extensions, pipelining, nth, plan);
        expect(made.wrongs(count), `at ${nth}`).toEqual([]);
        expect(made.down, `at ${nth}`).toBe(true);
        const outcomes = [...made.outcomes].sort(([a], [b]) => a - b).map(([, how]) => how);
        for (const how of outcomes) seen.add(how);
        // delivered ones, one that was answered so, those in flight, those that had not left
        const order = outcomes
          .map((how) => ['delivered', 'unknown', 'unsent'].indexOf(how))
          .filter((at) => at >= 0);
        expect(order, `at ${nth}: ${outcomes}`).toEqual([...order].sort((a, b) => a - b));
        const refused = outcomes.filter((how) => / 421$/.test(how));
        expect(refused.length, `at ${nth}: ${outcomes}`).toBeLessThanOrEqual(answers ? 1 : 0);
        // and the same client goes on
        made.down = false;
        made.client.connect();
        made.fly(count + 1, count + 2);
        expect(made.wrongs(count + 2), `after ${nth}`).toEqual([]);
        expect([7, 8].map((id) => made.outcomes.get(id))).toEqual(['delivered', 'delivered']);
      }
      const many = pipelining && extensions === chunking;
      const without421 = [...seen].filter((how) => !/ 421$/.test(how)).sort();
      expect(without421).toEqual(['delivered', ...(answers && !many ? [] : ['unknown']), 'unsent']);
      expect(seen.has('sendEom 421')).toBe(answers);
    },
  );
});
