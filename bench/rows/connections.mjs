// @ts-check
/** S4: messages of 1 KB on 100 connections at once; also how much memory the process takes at most. */
import { interleaved, ratio, throughput, withSinks } from '../compare.mjs';
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
  const { of, skipped } = await withSinks(bench, (sinkFor) => interleaved(bench, work, sinkFor));
  const nodemailer = 'nodemailer, pool of 100';
  const peer = of.get(nodemailer);
  const source = of.get('smtp-source -s 100')?.perSecond;
  return {
    title: `1 KB messages on ${connections} connections`,
    ...throughput(work, of, nodemailer, [{ key: 'peakMegabytes', title: 'peak RSS MB', digits: 0 }]),
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
