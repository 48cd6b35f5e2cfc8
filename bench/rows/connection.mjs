// @ts-check
/**
 * Messages of 1 KB on one TCP connection: how many a second, and how much CPU each takes in the client's process.
 * The sink offers PIPELINING; with `chunking` also CHUNKING.
 */
import { medians } from '../table.mjs';

export const name = 'connection';

const work = [
  { label: 'smtpump, 16 called ahead, raw', client: 'smtpump', mode: 'ahead', window: 16 },
  { label: 'smtpump, 16 called ahead, headers', client: 'smtpump', mode: 'ahead', window: 16, headers: true },
  { label: 'smtpump, step by event, raw', client: 'smtpump', mode: 'lockstep' },
  { label: 'nodemailer, pool of 1, raw', client: 'nodemailer' },
  { label: 'emailjs', client: 'emailjs' },
  { label: 'bare socket, body with next envelope', client: 'bare', grouped: true },
  { label: 'bare socket, body, then envelope', client: 'bare', grouped: false },
];

/** @param {import('../table.mjs').Bench} bench @returns {Promise<import('../table.mjs').RowResult>} */
export async function run({ processes, milliseconds, rounds }) {
  const sink = await processes.sink();
  /** @type {Record<string, number>[][]} */
  const runs = work.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, { label, ...spec }] of work.entries()) {
      const measured = await processes.measure('throughput', { ...spec, port: sink.port, milliseconds });
      const { messages, octets, trips } = await sink.take();
      runs[i]?.push({ ...measured, trips: trips / messages, octets: octets / messages });
    }
  }
  sink.close();
  const measured = runs.map(medians);
  const of = (/** @type {string} */ client) => measured[work.findIndex((one) => one.client === client)];
  const peer = of('nodemailer')?.perSecond ?? Number.NaN;
  const bare = of('bare')?.cpuMicroseconds ?? Number.NaN;
  return {
    title: '1 KB messages on one TCP connection, PIPELINING',
    columns: [
      { key: 'label', title: 'client' },
      { key: 'perSecond', title: 'messages/s', digits: 0 },
      { key: 'timesPeer', title: '× nodemailer', digits: 2 },
      { key: 'cpuMicroseconds', title: 'µs CPU/message', digits: 1 },
      { key: 'timesBare', title: '× bare CPU', digits: 2 },
      { key: 'trips', title: 'turns/message', digits: 2 },
      { key: 'octets', title: 'octets', digits: 0 },
      { key: 'events', title: 'events/message', digits: 1 },
    ],
    results: measured.map(({ perSecond = Number.NaN, cpuMicroseconds = Number.NaN, events, ...rest }, i) => ({
      ...rest,
      label: work[i]?.label,
      perSecond,
      cpuMicroseconds,
      timesPeer: perSecond / peer,
      timesBare: cpuMicroseconds / bare,
      events: events || undefined,
    })),
    notes: [
      'turns: writes of the sink that answer mail; bare socket: bytes made before the run, × is of the grouped one',
      "emailjs writes one message in many pieces with Nagle's algorithm on, and waits for delayed ACKs",
    ],
  };
}
