// @ts-check
/** Which server the examples without an event loop talk to: yours, by flags, or one in another thread. */
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { exitWithUsage, readFlags } from './flags.mjs';

/**
 * @typedef {object} Somewhere
 * @property {{ address: string, port: number }} server names are looked up before the loop begins
 * @property {string} from
 * @property {string} to
 * @property {() => Promise<string[]>} close what the server in the thread has received
 */

/** @returns {Promise<Somewhere>} */
export async function findServer() {
  const flags = readFlags();
  if (flags !== undefined) {
    if (flags.target.tls ?? flags.target.auth) exitWithUsage('this example knows neither TLS nor a login');
    const { address } = await lookup(flags.target.host ?? 'localhost');
    const server = { address, port: flags.target.port ?? 587 };
    return { server, from: flags.from, to: flags.to, close: async () => [] };
  }
  const thread = new Worker(new URL('./server-thread.mjs', import.meta.url));
  const [server] = await once(thread, 'message');
  const close = async () => {
    thread.postMessage('close');
    const [messages] = await once(thread, 'message');
    return messages;
  };
  return { server, from: 'device@sender.example', to: 'ann@receiver.example', close };
}
