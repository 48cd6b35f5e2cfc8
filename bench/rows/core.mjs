// @ts-check
/**
 * S7: the core alone: smtpump in one process with its server in memory and the pump turned by hand; no socket, no wait.
 * A whole session is: a new client, connect, EHLO, MAIL, RCPT, DATA, 1 KB, QUIT, every event heard.
 */
import { medians, target } from '../table.mjs';

export const name = 's7';

const work = [
  { label: 'messages, 16 called ahead, raw', of: 'messages', mode: 'ahead', window: 16 },
  { label: 'messages, 16 called ahead, headers', of: 'messages', mode: 'ahead', window: 16, headers: true },
  { label: 'sessions, called ahead, raw', of: 'sessions', mode: 'ahead', window: 1 },
  { label: 'sessions, step by event, headers', of: 'sessions', mode: 'lockstep', headers: true },
  {
    label: 'the same, ScriptedServer on memory()',
    of: 'sessions',
    mode: 'lockstep',
    headers: true,
    scripted: true,
  },
  { label: 'the sink in memory, which is part of all above', of: 'sink' },
];

/** @param {import('../table.mjs').Bench} bench @returns {Promise<import('../table.mjs').RowResult>} */
export async function run({ processes, milliseconds, rounds }) {
  /** @type {Record<string, number>[][]} */
  const runs = work.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, { label, ...spec }] of work.entries()) {
      runs[i]?.push(await processes.measure('core', { ...spec, milliseconds }));
    }
  }
  const measured = runs.map(medians);
  const sessions = measured[work.findIndex((one) => one.of === 'sessions')]?.perSecond ?? Number.NaN;
  return {
    title: 'core only, 1 KB messages, server in memory, PIPELINING',
    columns: [
      { key: 'label', title: 'work' },
      { key: 'perSecond', title: 'per second', digits: 0 },
      { key: 'cpuMicroseconds', title: 'µs CPU each', digits: 1 },
      { key: 'events', title: 'events each', digits: 1 },
    ],
    results: measured.map((of, i) => ({ label: work[i]?.label, ...of })),
    targets: [target('whole sessions a second ≥ 20,000', sessions, (x) => x >= 20_000)],
  };
}
