// @ts-check
/** S6: 100 connections one after the other, each with STARTTLS, one message and QUIT. */
import { selfSigned } from '../../examples/support/certificate.mjs';
import { interleaved, ratio } from '../compare.mjs';
import { target } from '../table.mjs';

export const name = 's6';

const servername = 'sink.example';
const connections = 100;

/** @param {import('../table.mjs').Bench} bench @returns {Promise<import('../table.mjs').RowResult>} */
export async function run(bench) {
  const { key, cert } = selfSigned(servername);
  const common = { module: 'starttls', connections, ca: cert, servername };
  const versions = /** @type {const} */ (['TLSv1.3', 'TLSv1.2']);
  const results = [];
  const targets = [];
  for (const maxVersion of versions) {
    const sink = await bench.processes.tlsSink({ key, cert, maxVersion });
    const work = ['smtpump', 'bare', 'nodemailer'].map((client) => ({ ...common, label: client, client }));
    const { of } = await interleaved(bench, work, () => /** @type {any} */ (sink));
    sink.close();
    const own = of.get('smtpump');
    const peer = of.get('nodemailer');
    for (const [label, numbers] of of) {
      const { wall, cpu } = numbers;
      const times = { timesWall: ratio(wall, peer?.wall), timesCpu: ratio(cpu, peer?.cpu) };
      results.push({ ...numbers, ...times, label: `${label}, ${maxVersion}` });
    }
    targets.push(
      target(`${maxVersion}: × nodemailer's wall ≤ 0.55`, ratio(own?.wall, peer?.wall), (x) => x <= 0.55),
      target(`${maxVersion}: × nodemailer's CPU ≤ 0.5`, ratio(own?.cpu, peer?.cpu), (x) => x <= 0.5),
      target(`${maxVersion}: resumed of ${connections} ≥ 99`, own?.resumed ?? 0, (x) => x >= 99),
    );
  }
  return {
    title: `STARTTLS, one message, QUIT: ${connections} connections one after the other, certificate verified`,
    columns: [
      { key: 'label', title: 'client' },
      { key: 'wall', title: 'ms each', digits: 2 },
      { key: 'cpu', title: 'ms CPU each', digits: 2 },
      { key: 'timesWall', title: '× nodemailer', digits: 2 },
      { key: 'timesCpu', title: '× its CPU', digits: 2 },
      { key: 'resumed', title: 'resumed', digits: 0 },
    ],
    results,
    notes: [
      "the sink is Node's TLS server; its work is part of each wall",
      'bare: node:net and node:tls with one context and resumed sessions, and no client',
    ],
    targets,
  };
}
