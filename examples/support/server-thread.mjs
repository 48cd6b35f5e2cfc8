// @ts-check
/** The mail server of the examples in a thread of its own: it answers a program that never returns to its event loop. */
import { parentPort } from 'node:worker_threads';
import { startServer } from './server.mjs';

const server = await startServer();
parentPort?.postMessage({ address: server.address, port: server.port });
parentPort?.once('message', () => {
  parentPort?.postMessage(server.messages.map(String));
  server.close();
});
