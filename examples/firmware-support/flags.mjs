// @ts-check
/** The command line of the firmware examples, which `run.mjs` describes. */
import { parseArgs } from 'node:util';

const text = /** @type {const} */ ({ type: 'string' });

/**
 * Ends the process where the flags make no sense.
 * @typedef {{ target: { host: string, port: number } | undefined, pace: 'freeze' | 'free', clock: 'virtual' | 'real', seconds: number }} Flags
 * @returns {Flags}
 */
export function readFlags() {
  try {
    const options = { server: text, pace: text, clock: text, seconds: text };
    const { server = 'memory', pace = 'freeze', seconds = '30', ...rest } = parseArgs({ options }).values;
    const { clock = server === 'memory' ? 'virtual' : 'real' } = rest;
    const target = server === 'memory' ? undefined : /^(?<host>.+):(?<port>\d+)$/.exec(server)?.groups;
    if (server !== 'memory' && target === undefined) throw new Error(`--server ${server}: not HOST:PORT`);
    if (pace !== 'freeze' && pace !== 'free') throw new Error(`--pace ${pace}: neither freeze nor free`);
    if (clock !== 'virtual' && clock !== 'real')
      throw new Error(`--clock ${clock}: neither virtual nor real`);
    if (!(Number(seconds) > 0)) throw new Error(`--seconds ${seconds}: not a number above 0`);
    const { host = '', port } = target ?? {};
    return { target: target && { host, port: Number(port) }, pace, clock, seconds: Number(seconds) };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}
flags: [--server memory | HOST:PORT] [--pace freeze | free] [--clock virtual | real] [--seconds N]`);
    process.exit(2);
  }
}
