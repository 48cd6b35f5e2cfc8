// @ts-check
/**
 * The worker transport beside tcp(): what an empty poll costs, a command's round trip, a body of 10 MB. Two threads
 * work here, so these runs are not pinned to one core.
 */
import { ratio } from '../compare.mjs';
import { median, target } from '../table.mjs';

export const name = 'worker';

const unpinned = false;
const tcp = { transport: 'tcp', how: 'auto' };
const auto = { transport: 'worker', how: 'auto' };
const work = [
  { label: "tcp(), Node's loop", ...tcp },
  { label: "worker(), Node's loop", ...auto },
  { label: 'worker(), blocking: asleep in each step', transport: 'worker', how: 'blocking' },
  { label: 'worker(), a loop that never yields', transport: 'worker', how: 'tight' },
];

/** @param {import('../table.mjs').Bench} bench @returns {Promise<import('../table.mjs').RowResult>} */
export async function run({ processes, milliseconds, rounds }) {
  const sink = await processes.fastSink();
  /** @type {Map<string, Record<string, number[]>>} */
  const runs = new Map(work.map(({ label }) => [label, { poll: [], trip: [], body: [] }]));
  for (let round = 0; round < rounds; round++) {
    for (const { label, ...spec } of work) {
      const common = { ...spec, milliseconds, port: sink.port };
      const of = runs.get(label) ?? {};
      const ask = (/** @type {string} */ module, /** @type {object} */ more) =>
        processes.measure(module, { ...common, ...more }, unpinned);
      of.trip?.push((await ask('worker', { what: 'trip' })).microseconds);
      if (spec.how === 'auto') {
        of.poll?.push((await ask('worker', { what: 'poll' })).nanoseconds);
        of.body?.push((await ask('body', { client: 'smtpump' })).perSecond);
      } else if (spec.how === 'blocking') of.body?.push((await ask('worker', { what: 'body' })).perSecond);
    }
  }
  sink.close();
  const results = work.map(({ label }) => {
    const { poll = [], trip = [], body = [] } = runs.get(label) ?? {};
    return { label, poll: median(poll), trip: median(trip), body: median(body) };
  });
  const [own, looped, blocking] = results;
  return {
    title: 'the worker transport: one line to the sink',
    columns: [
      { key: 'label', title: 'transport and pump' },
      { key: 'poll', title: 'ns an empty poll', digits: 0 },
      { key: 'trip', title: 'µs a NOOP', digits: 0 },
      { key: 'body', title: 'MB/s of a body', digits: 0 },
    ],
    results,
    targets: [
      target('an empty poll: µs < 1', (looped?.poll ?? Number.NaN) / 1000, (x) => x < 1),
      target("round trip, Node's loop: × tcp() ≤ 4", ratio(looped?.trip, own?.trip), (x) => x <= 4),
      target('round trip, blocking: × tcp() ≤ 4', ratio(blocking?.trip, own?.trip), (x) => x <= 4),
      target("body, Node's loop: × tcp() ≥ 0.5", ratio(looped?.body, own?.body), (x) => x >= 0.5),
      target('body, blocking: × tcp() ≥ 0.5', ratio(blocking?.body, own?.body), (x) => x >= 0.5),
    ],
  };
}
