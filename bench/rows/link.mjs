// @ts-check
/** S5: a link of 50 ms for the way there and back, in virtual time: exact, and the same on every machine. */
import { target } from '../table.mjs';

export const name = 's5';

const work = [
  {
    label: '100 messages, CHUNKING, 16 in flight',
    messages: 100,
    recipients: 1,
    window: 16,
    chunking: true,
    most: 9,
  },
  {
    label: '100 messages, CHUNKING, 64 in flight',
    messages: 100,
    recipients: 1,
    window: 64,
    chunking: true,
    most: 4,
  },
  { label: '100 messages, PIPELINING', messages: 100, recipients: 1, window: 16, chunking: false, most: 102 },
  {
    label: '1 message, 100 recipients, CHUNKING',
    messages: 1,
    recipients: 100,
    window: 16,
    chunking: true,
    most: 1,
  },
  {
    label: '1 message, 100 recipients, PIPELINING',
    messages: 1,
    recipients: 100,
    window: 16,
    chunking: false,
    most: 2,
  },
];

/** @param {import('../table.mjs').Bench} bench @returns {Promise<import('../table.mjs').RowResult>} */
export async function run({ processes }) {
  const results = [];
  for (const { label, most, ...spec } of work) {
    const { trips } = await processes.measure('link', spec);
    results.push({ label, trips, milliseconds: trips * 50, most });
  }
  return {
    title: 'a link of 50 ms, smtpump, after CONNECTED',
    columns: [
      { key: 'label', title: 'work' },
      { key: 'trips', title: 'round trips', digits: 1 },
      { key: 'milliseconds', title: 'ms', digits: 0 },
    ],
    results,
    targets: results.map(({ label, trips, most }) => target(`${label} ≤ ${most}`, trips, (x) => x <= most)),
  };
}
