// @ts-check
/** S1: messages of 1 KB, each to a recipient nobody has seen, on one TCP connection: with CHUNKING and without. */
import { interleaved, ratio, throughput, withSinks } from '../compare.mjs';
import { target } from '../table.mjs';

export const name = 's1';

const chunked = { chunking: true };
const ahead = { client: 'smtpump', mode: 'ahead' };
/** @type {import('../compare.mjs').Work[]} */
const work = [
  { label: 'smtpump, BDAT, 16 in flight, raw', ...chunked, ...ahead, window: 16 },
  { label: 'smtpump, BDAT, 16 in flight, headers', ...chunked, ...ahead, window: 16, headers: true },
  { label: 'smtpump, BDAT, 64 in flight, raw', ...chunked, ...ahead, window: 64 },
  { label: 'smtpump, BDAT, 64 in flight, headers', ...chunked, ...ahead, window: 64, headers: true },
  { label: 'smtpump, DATA, raw', ...ahead, window: 16 },
  { label: 'nodemailer, pool of 1, raw', client: 'nodemailer' },
  { label: 'emailjs', client: 'emailjs' },
  { label: '@upyo/smtp', client: 'upyo' },
  { label: 'smtp-source', peer: 'smtp-source', messages: 6000, args: ['-l', '1024', '-s', '1'] },
  { label: 'libcurl', peer: 'curl', messages: 4000 },
  { label: 'libESMTP, BDAT', ...chunked, peer: 'esmtp', messages: 8000 },
  { label: 'bare socket, BDAT, 16 in flight', ...chunked, client: 'honest', window: 16 },
  { label: 'bare socket, BDAT, 64 in flight', ...chunked, client: 'honest', window: 64 },
  { label: 'bare socket, DATA', client: 'honest' },
  { label: 'the same of ready bytes, BDAT, 16', ...chunked, client: 'bare', window: 16 },
  { label: 'the same of ready bytes, BDAT, 64', ...chunked, client: 'bare', window: 64 },
  { label: 'the same of ready bytes, DATA', client: 'bare' },
];

/** @param {import('../table.mjs').Bench} bench @returns {Promise<import('../table.mjs').RowResult>} */
export async function run(bench) {
  const { of, skipped } = await withSinks(bench, (sinkFor) => interleaved(bench, work, sinkFor));
  const rate = (/** @type {string} */ label) => of.get(label)?.perSecond ?? Number.NaN;
  const cpu = (/** @type {string} */ label) => of.get(label)?.cpuMicroseconds ?? Number.NaN;
  const { apart } = bench.processes;
  const data = 'smtpump, DATA, raw';
  /** @param {string} text @param {string} of @param {string} than @param {number} least */
  const times = (text, of, than, least) =>
    target(`${text} ≥ ${least}`, ratio(rate(of), rate(than)), (x) => x >= least);
  /** @param {number} window @param {string} form @param {number} most */
  const lean = (window, form, most) => {
    const label = `smtpump, BDAT, ${window} in flight, ${form}`;
    const bare = `bare socket, BDAT, ${window} in flight`;
    return target(
      `${window} in flight, ${form}: × CPU of bare ≤ ${most}`,
      ratio(cpu(label), cpu(bare)),
      (x) => x <= most,
    );
  };
  const nodemailer = 'nodemailer, pool of 1, raw';
  return {
    title: '1 KB messages on one TCP connection',
    ...throughput(work, of, nodemailer, [
      { key: 'octets', title: 'octets', digits: 0 },
      { key: 'events', title: 'events/message', digits: 1 },
    ]),
    notes: [
      ...skipped,
      'bare socket: lines and body written one by one into a group, each code read',
      "emailjs writes one message in many pieces with Nagle's algorithm on, and waits for delayed ACKs",
    ],
    targets: [
      times('16 in flight: × nodemailer', 'smtpump, BDAT, 16 in flight, raw', nodemailer, 25),
      times('64 in flight: × nodemailer', 'smtpump, BDAT, 64 in flight, raw', nodemailer, 60),
      times('64 in flight: × libESMTP', 'smtpump, BDAT, 64 in flight, raw', 'libESMTP, BDAT', 10),
      target('64 in flight: messages/s ≥ 100,000', rate('smtpump, BDAT, 64 in flight, raw'), (x) => x >= 1e5),
      lean(16, 'raw', 2),
      lean(64, 'raw', 2),
      lean(16, 'headers', 4),
      lean(64, 'headers', 4),
      times('DATA: × nodemailer', data, nodemailer, apart ? 3 : 8),
      times('DATA: × smtp-source', data, 'smtp-source', apart ? 2.5 : 1.8),
      times('DATA: × libESMTP', data, 'libESMTP, BDAT', apart ? 1.3 : 1.1),
      target('DATA: turns a message ≤ 1.01', of.get(data)?.trips ?? Number.NaN, (x) => x <= 1.01),
    ],
  };
}
