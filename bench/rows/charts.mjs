// @ts-check
/** What deciding costs: both charts and the ledger through the words of one message, beside XState's own ways. */
import { medians, target } from '../table.mjs';

export const name = 'charts';

const work = [
  { label: 'both charts walked, and the ledger', way: 'walkedLedger' },
  { label: 'both charts walked', way: 'walked' },
  { label: 'a bare table of numbers', way: 'table' },
  { label: 'XState actor.send()', way: 'actor' },
  { label: 'XState transition()', way: 'transition' },
];
const mostMicroseconds = 0.5;

/** @param {import('../table.mjs').Bench} bench @returns {Promise<import('../table.mjs').RowResult>} */
export async function run({ processes, milliseconds, rounds }) {
  /** @type {Record<string, number>[][]} */
  const runs = work.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, { way }] of work.entries()) {
      runs[i]?.push(await processes.measure('charts', { way, milliseconds: milliseconds / 2 }));
    }
  }
  const measured = runs.map(medians);
  const cost = measured[0]?.microseconds ?? Number.NaN;
  return {
    title: 'deciding one message: 18 words, without parsing',
    columns: [
      { key: 'label', title: 'way' },
      { key: 'microseconds', title: 'µs CPU/message', digits: 3 },
      { key: 'nanosecondsAWord', title: 'ns/word', digits: 0 },
      { key: 'times', title: '× charts and ledger', digits: 2 },
    ],
    results: measured.map((of, i) => ({
      ...of,
      label: work[i]?.label,
      times: (of.microseconds ?? Number.NaN) / cost,
    })),
    targets: [
      target(
        `both charts ≤ ${mostMicroseconds} µs a message`,
        measured[1]?.microseconds ?? Number.NaN,
        (us) => us <= mostMicroseconds,
      ),
    ],
  };
}
