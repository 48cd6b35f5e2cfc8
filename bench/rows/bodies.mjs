// @ts-check
/** S3: bodies of 10 MB on one connection, by DATA with dots to stuff and by BDAT; and one body of 1 GB for the memory. */
import { interleaved, ratio, withSinks } from '../compare.mjs';
import { target } from '../table.mjs';

export const name = 's3';

const body = { module: 'body' };
const chunking = true;
/** @type {import('../compare.mjs').Work[]} */
const work = [
  { label: 'smtpump, DATA', ...body, client: 'smtpump', dotted: true },
  { label: 'bare socket, DATA', ...body, client: 'bare', dotted: true },
  { label: 'smtpump, DATA without dots', ...body, client: 'smtpump' },
  { label: 'bare socket, DATA without dots', ...body, client: 'bare' },
  { label: 'smtpump, BDAT', ...body, client: 'smtpump', chunking },
  { label: 'bare socket, BDAT', ...body, client: 'bare', chunking },
  { label: 'nodemailer, raw', ...body, client: 'nodemailer', dotted: true },
  { label: 'smtp-source', peer: 'smtp-source', messages: 30, args: ['-l', '10000000', '-s', '1'] },
];
const grow = 1e9;

/** @param {import('../table.mjs').Bench} bench @returns {Promise<import('../table.mjs').RowResult>} */
export async function run(bench) {
  const { of, skipped, apart } = await withSinks(bench, async (sinkFor) => ({
    ...(await interleaved(bench, work, sinkFor)),
    apart: await counted(bench, sinkFor),
  }));
  const rate = (/** @type {string} */ label) => (of.get(label)?.perSecond ?? Number.NaN) * megabytesOf(label);
  const cpu = (/** @type {string} */ label) =>
    (of.get(label)?.cpuMicroseconds ?? Number.NaN) / megabytesOf(label);
  return {
    title: 'bodies of 10 MB on one TCP connection',
    columns: [
      { key: 'label', title: 'client' },
      { key: 'rate', title: 'MB/s', digits: 0 },
      { key: 'cpu', title: 'µs CPU/MB', digits: 0 },
      { key: 'growth', title: 'MB grown by 1 GB', digits: 1 },
      { key: 'foreign', title: 'copies sent, bytes/MB', digits: 0 },
      { key: 'copied', title: 'bytes copied/MB', digits: 0 },
    ],
    results: work
      .filter(({ label }) => of.has(label))
      .map(({ label }) => ({ label, rate: rate(label), cpu: cpu(label), ...apart[label] })),
    notes: [
      ...skipped,
      "copies sent: not from the caller's memory; command lines",
      "copied: by Buffer's copy and concat and Uint8Array's set; each body once into the memory where flaws are searched",
    ],
    targets: [
      ...['DATA', 'DATA without dots', 'BDAT'].flatMap((way) => [
        target(
          `${way}: × CPU of bare ≤ 1.25`,
          ratio(cpu(`smtpump, ${way}`), cpu(`bare socket, ${way}`)),
          (x) => x <= 1.25,
        ),
        target(
          `${way}: × nodemailer ≥ 6`,
          ratio(rate(`smtpump, ${way}`), rate('nodemailer, raw')),
          (x) => x >= 6,
        ),
        target(
          `${way}: × smtp-source ≥ 1.1`,
          ratio(rate(`smtpump, ${way}`), rate('smtp-source')),
          (x) => x >= 1.1,
        ),
      ]),
      ...Object.entries(apart).flatMap(([label, { growth, foreign }]) => [
        target(`${label}: grown by 1 GB, MB < 8`, growth, (x) => x < 8),
        // command lines are copied; a body that were would be a million
        target(`${label}: copies sent of a MB, bytes < 1,000`, foreign, (x) => x < 1000),
      ]),
    ],
  };
}

/**
 * Counted, not timed: once.
 * @param {import('../table.mjs').Bench} bench @param {(chunking: boolean) => import('../compare.mjs').AnySink} sinkFor
 */
async function counted({ processes }, sinkFor) {
  /** @type {Record<string, { growth: number, copied: number, foreign: number }>} */
  const apart = {};
  for (const { label, module: _, ...one } of work) {
    if (one.client !== 'smtpump' || one.dotted) continue;
    const spec = { ...one, port: sinkFor(one.chunking ?? false).port, milliseconds: 100 };
    const { growth } = await processes.measure('body', { ...spec, grow });
    const { copied, foreign } = await processes.measure('body', { ...spec, copies: true });
    apart[label] = { growth, copied, foreign };
  }
  return apart;
}

/** A peer's run counts messages of 10 MB, the others megabytes. @param {string} label */
const megabytesOf = (label) => (label === 'smtp-source' ? 10 : 1);
