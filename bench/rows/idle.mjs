// @ts-check
/** S7, the other half: what idle connected clients keep in memory. Counted, not timed: one run is enough. */
import { target } from '../table.mjs';

export const name = 's7-idle';

const work = [
  { label: '10,000 clients, transport in memory', kind: 'memory', clients: 10_000 },
  { label: "the sink's end of that alone", kind: 'sink', clients: 10_000 },
  { label: '1,000 clients on TCP', kind: 'tcp', clients: 1000 },
  { label: "1,000 of Node's sockets", kind: 'socket', clients: 1000 },
];
const most = 12;

/** @param {import('../table.mjs').Bench} bench @returns {Promise<import('../table.mjs').RowResult>} */
export async function run({ processes }) {
  const sink = await processes.fastSink();
  const results = [];
  for (const { label, ...spec } of work) {
    const { bytes } = await processes.measure('idle', { ...spec, port: sink.port });
    results.push({ label, kilobytes: bytes / 1024 });
  }
  sink.close();
  const [memory, , tcp, socket] = results.map(({ kilobytes }) => kilobytes);
  return {
    title: 'memory that an idle connected client retains',
    columns: [
      { key: 'label', title: 'what' },
      { key: 'kilobytes', title: 'KB each', digits: 2 },
    ],
    results,
    targets: [
      target(`in memory: KB < ${most}`, memory ?? Number.NaN, (x) => x < most),
      target(`on TCP, beside the socket: KB < ${most}`, (tcp ?? Number.NaN) - (socket ?? 0), (x) => x < most),
    ],
    notes: ['heap and external bytes after collection; the system has its own buffers for sockets'],
  };
}
