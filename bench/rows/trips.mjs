// @ts-check
/**
 * Round trips of one message after CONNECTED. Over TCP they are counted by a sink that answers late, so that
 * everything that leaves together is one turn; for smtpump also as virtual time on a simulated network ÷ round trip.
 */
import { median, target } from '../table.mjs';

export const name = 'trips';

const recipientCounts = [1, 100];
const work = [
  { label: 'smtpump, called ahead', client: 'smtpump', mode: 'ahead' },
  { label: 'smtpump, step by event', client: 'smtpump', mode: 'lockstep' },
  { label: 'nodemailer, pool of 1', client: 'nodemailer' },
  { label: 'emailjs', client: 'emailjs' },
];
const delayMs = 8;
// a turn that the system cut in two counts too many, and rarely: three runs are enough
const mostRounds = 3;

/** @param {import('../table.mjs').Bench} bench @returns {Promise<import('../table.mjs').RowResult>} */
export async function run({ processes, rounds }) {
  const sink = await processes.sink({ delayMs });
  const results = [];
  for (const { label, ...spec } of work) {
    /** @type {Record<string, number | string>} */
    const result = { label };
    for (const recipients of recipientCounts) {
      const counted = [];
      for (let round = 0; round < Math.min(rounds, mostRounds); round++) {
        await processes.measure('one-message', { ...spec, recipients, port: sink.port });
        counted.push((await sink.take()).trips);
      }
      result[`tcp${recipients}`] = median(counted);
      if (spec.client === 'smtpump') {
        const { trips } = await processes.measure('link', { ...spec, messages: 1, recipients });
        result[`virtual${recipients}`] = trips;
      }
    }
    results.push(result);
  }
  sink.close();
  const most = Math.max(Number(results[0]?.virtual100), Number(results[0]?.tcp100));
  return {
    title: 'round trips of one message after CONNECTED, PIPELINING',
    columns: [
      { key: 'label', title: 'client' },
      ...recipientCounts.flatMap((n) => [
        { key: `tcp${n}`, title: `${n} rcpt, TCP` },
        { key: `virtual${n}`, title: `${n} rcpt, virtual time` },
      ]),
    ],
    results,
    targets: [target('100 recipients, called ahead, at most 3', most, (trips) => trips <= 3)],
  };
}
