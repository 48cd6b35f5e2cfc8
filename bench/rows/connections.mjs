// @ts-check
/** S4: messages of 1 KB on 100 connections at once; also how much memory the process takes at most. */
import { interleaved, ratio } from '../compare.mjs';
import { target } from '../table.mjs';

export const name = 's4';

const connections = 100;
const smtpump = { client: 'smtpump-pool', mode: 'ahead', connections };
/** @type {import('../compare.mjs').Work[]} */
const work = [
  { label: 'smtpump, BDAT', chunking: true, ...smtpump, window: 16 },
  { label: 'smtpump, DATA', ...smtpump, window: 16 },
  { label: 'smtpump, DATA, 2 called ahead', ...smtpump, window: 2 },
  { label: 'nodemailer, pool of 100', client: 'nodemailer', connections },
  {
    label: 'smtp-source -s 100',
    peer: 'smtp-source',
    messages: 10_000,
    args: ['-l', '1024', '-s', `${connections}`],
  },
];

/** @param {import('../table.mjs').Bench} bench @returns {Promise<import('../table.mjs').RowResult>} */
export async function run(bench) {
  const sinks = [await bench.processes.fastSink(), await bench.processes.fastSink({ chunking: true })];
  const { of, skipped } = await interleaved(
    bench,
    work,
    (chunking) => /** @type {any} */ (sinks[Number(chunking)]),
  );
  for (const sink of sinks) sink.close();
  const peer = of.get('nodemailer, pool of 100');
  const source = of.get('smtp-source -s 100')?.perSecond;
  return {
    title: `1 KB messages on ${connections} connections`,
    columns: [
      { key: 'label', title: 'client' },
      { key: 'perSecond', title: 'messages/s', digits: 0 },
      { key: 'timesPeer', title: '× nodemailer', digits: 2 },
      { key: 'cpuMicroseconds', title: 'µs CPU/message', digits: 1 },
      { key: 'peakMegabytes', title: 'peak RSS MB', digits: 0 },
      { key: 'trips', title: 'turns/message', digits: 2 },
    ],
    results: work
      .filter(({ label }) => of.has(label))
      .map(({ label }) => ({
        ...of.get(label),
        label,
        timesPeer: ratio(of.get(label)?.perSecond, peer?.perSecond),
      })),
    notes: skipped,
    targets: ['smtpump, BDAT', 'smtpump, DATA'].flatMap((label) => {
      const own = of.get(label);
      return [
        target(`${label}: × nodemailer ≥ 7`, ratio(own?.perSecond, peer?.perSecond), (x) => x >= 7),
        target(`${label}: × smtp-source ≥ 2.5`, ratio(own?.perSecond, source), (x) => x >= 2.5),
        target(
          `${label}: RSS ≤ 0.55 × nodemailer's`,
          ratio(own?.peakMegabytes, peer?.peakMegabytes),
          (x) => x <= 0.55,
        ),
      ];
    }),
  };
}
