// @ts-check
/**
 * Many clients on the same work: each round runs everyone once, so that what else the machine does hits all alike.
 * A client is a module in clients/, or a peer in C that may be missing: then its line says why.
 */
import { have } from './peers/have.mjs';
import { medians } from './table.mjs';

/**
 * @typedef {Awaited<ReturnType<import('./processes.mjs').Processes['fastSink']>>} AnySink
 * @typedef {{ label: string, client?: string, module?: string, chunking?: boolean, [option: string]: unknown,
 *   peer?: 'smtp-source' | 'esmtp' | 'curl', messages?: number, args?: string[], recipients?: number }} Work
 * @typedef {Record<string, number | undefined>} Numbers
 */

/**
 * The sink without CHUNKING and the one with it, until `use` is done.
 * @template Result
 * @param {import('./table.mjs').Bench} bench
 * @param {(sinkFor: (chunking: boolean) => AnySink) => Promise<Result>} use
 */
export async function withSinks({ processes }, use) {
  const plain = await processes.fastSink();
  const chunked = await processes.fastSink({ chunking: true });
  const result = await use((chunking) => (chunking ? chunked : plain));
  for (const sink of [plain, chunked]) sink.close();
  return result;
}

/**
 * The table of a row of throughput: who ran, in the order of `work`, beside `peer`, and more columns behind.
 * @param {Work[]} work @param {Map<string, Numbers>} of @param {string} peer its label
 * @param {import('./table.mjs').Column[]} [more]
 */
export function throughput(work, of, peer, more = []) {
  const peerRate = of.get(peer)?.perSecond;
  /** @type {import('./table.mjs').Column[]} */
  const columns = [
    { key: 'label', title: 'client' },
    { key: 'perSecond', title: 'messages/s', digits: 0 },
    { key: 'timesPeer', title: '× nodemailer', digits: 2 },
    { key: 'cpuMicroseconds', title: 'µs CPU/message', digits: 1 },
    { key: 'trips', title: 'turns/message', digits: 2 },
    ...more,
  ];
  const results = work.flatMap(({ label }) => {
    const numbers = of.get(label);
    return numbers ? [{ ...numbers, label, timesPeer: ratio(numbers.perSecond, peerRate) }] : [];
  });
  return { columns, results };
}

/**
 * @param {import('./table.mjs').Bench} bench
 * @param {Work[]} work
 * @param {(chunking: boolean) => AnySink} sinkFor
 * @returns {Promise<{ of: Map<string, Numbers>, skipped: string[] }>}
 */
export async function interleaved({ processes, milliseconds, rounds }, work, sinkFor) {
  /** @type {Map<string, Record<string, number>[]>} */
  const runs = new Map();
  /** @type {Map<string, string>} */
  const skipped = new Map();
  for (let round = 0; round < rounds; round++) {
    for (const one of work) {
      const sink = sinkFor(one.chunking ?? false);
      const tool = one.peer && have(one.peer);
      if (typeof tool === 'string') {
        skipped.set(one.label, tool);
        continue;
      }
      await sink.take();
      const { label, module = 'throughput', peer, args, ...spec } = one;
      const measured =
        tool === undefined
          ? await processes.measure(module, { milliseconds, ...spec, port: sink.port })
          : await peerRun(processes, tool, one, sink.port);
      const { messages, octets, trips } = await sink.take();
      const run = { ...measured, trips: trips / messages, octets: octets / messages };
      runs.set(label, [...(runs.get(label) ?? []), run]);
    }
  }
  return {
    of: new Map([...runs].map(([label, of]) => [label, medians(of)])),
    skipped: [...skipped].map(([label, why]) => `${label}: not here (${why})`),
  };
}

/**
 * @param {import('./processes.mjs').Processes} processes @param {import('./peers/have.mjs').Tool} tool
 * @param {Work} work @param {number} port @returns {Promise<Record<string, number>>}
 */
async function peerRun(processes, tool, { peer, messages = 1000, recipients = 1, args = [] }, port) {
  if (peer !== 'smtp-source') {
    const { output } = await processes.command(tool, [`${port}`, `${messages}`, `${recipients}`]);
    const { seconds, cpu } = JSON.parse(output);
    return { perSecond: messages / seconds, cpuMicroseconds: (1e6 * cpu) / messages };
  }
  const { seconds, cpu } = await processes.command(tool, [
    ...['-d', '-m', `${messages}`, '-r', `${recipients}`, '-f', 'sender@bench.example'],
    ...['-t', 'recipient@sink.example', ...args, `127.0.0.1:${port}`],
  ]);
  return { perSecond: messages / seconds, cpuMicroseconds: (1e6 * cpu) / messages };
}

/** a ÷ b, NaN where one was not measured. @param {number | undefined} a @param {number | undefined} b */
export const ratio = (a = Number.NaN, b = Number.NaN) => a / b;
