// @ts-check
/** Many clients of smtpump in one process, each on a connection of its own and each always asked for more. */
import * as smtpump from './smtpump.mjs';

/** @param {{ port: number, connections: number } & import('./smtpump.mjs').Style} spec */
export async function open({ connections, ...spec }) {
  const all = await Promise.all(Array.from({ length: connections }, () => smtpump.open(spec)));
  return {
    /** @param {() => boolean} more */
    async pour(more) {
      const poured = await Promise.all(all.map((one) => one.pour(more)));
      return poured.reduce((sum, messages) => sum + messages, 0);
    },
    heard: () => all.reduce((sum, one) => sum + one.heard(), 0),
    close: () => Promise.all(all.map((one) => one.close())),
  };
}
