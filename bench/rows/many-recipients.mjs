// @ts-check
/** S2: messages of 1 KB to 100 recipients each, on one TCP connection. */
import { interleaved, ratio, throughput, withSinks } from '../compare.mjs';
import { target } from '../table.mjs';

export const name = 's2';

const recipients = 100;
const ahead = { client: 'smtpump', mode: 'ahead', recipients };
/** @type {import('../compare.mjs').Work[]} */
const work = [
  { label: 'smtpump, BDAT', chunking: true, ...ahead },
  { label: 'smtpump, DATA', ...ahead },
  { label: 'nodemailer', client: 'nodemailer', recipients },
  { label: 'smtp-source', peer: 'smtp-source', messages: 150, recipients, args: ['-l', '1024', '-s', '1'] },
  { label: 'libESMTP, BDAT', chunking: true, peer: 'esmtp', messages: 500, recipients },
  { label: 'libcurl', peer: 'curl', messages: 150, recipients },
  { label: 'bare socket, BDAT, 16 in flight', chunking: true, client: 'honest', recipients },
  { label: 'bare socket, DATA', client: 'honest', recipients },
];

/** @param {import('../table.mjs').Bench} bench @returns {Promise<import('../table.mjs').RowResult>} */
export async function run(bench) {
  const { of, skipped } = await withSinks(bench, (sinkFor) => interleaved(bench, work, sinkFor));
  const rate = (/** @type {string} */ label) => of.get(label)?.perSecond;
  const peer = 'nodemailer';
  const own = ['smtpump, BDAT', 'smtpump, DATA'];
  return {
    title: '1 KB messages to 100 recipients on one TCP connection',
    ...throughput(work, of, peer),
    notes: skipped,
    targets: own.flatMap((label) => [
      target(`${label}: × nodemailer ≥ 20`, ratio(rate(label), rate(peer)), (x) => x >= 20),
      target(`${label}: × libESMTP ≥ 2`, ratio(rate(label), rate('libESMTP, BDAT')), (x) => x >= 2),
      target(`${label}: turns a message ≤ 1.2`, of.get(label)?.trips ?? Number.NaN, (x) => x <= 1.2),
    ]),
  };
}
