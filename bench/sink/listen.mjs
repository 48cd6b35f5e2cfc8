// @ts-check
/** A sink's process as its parent sees it: its port is told first, and each message is answered with the counts since the last. */

/** @typedef {{ messages: number, octets: number, reads: number, trips: number }} SinkCounts */

/** @returns {SinkCounts} */
export const noCounts = () => ({ messages: 0, octets: 0, reads: 0, trips: 0 });

/** @param {import('node:net').Server} server @param {SinkCounts} counts */
export function listen(server, counts) {
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    process.send?.({ port: typeof address === 'object' && address !== null ? address.port : 0 });
  });
  process.on('message', () => {
    process.send?.(counts);
    Object.assign(counts, noCounts());
  });
  process.on('disconnect', () => process.exit());
}
