// @ts-check
/** What an idle connected client keeps in memory: on the transport in memory, over TCP, and Node's own socket beside. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { SmtpClient, tcp } from 'smtpump';
import { VirtualClock } from 'smtpump/testing';
import { MemorySink } from '../sink/memory.mjs';

const counts = { messages: 0, octets: 0 };
const clock = new VirtualClock();
const common = /** @type {const} */ ({ host: '127.0.0.1', localName: 'bench.example', tls: 'never' });

/** @type {Record<string, (port: number) => Promise<object>>} */
const kinds = {
  async memory() {
    const client = new SmtpClient({ ...common, clock, transport: new MemorySink(counts), pump: 'manual' });
    client.on('event', heard);
    client.connect();
    for (let turn = 0; client.state !== 'ready'; turn++) {
      if (turn > 100) throw new Error('it does not connect');
      client.execute();
    }
    return client;
  },
  /** The other end alone, which is part of the line above. */
  async sink() {
    const transport = new MemorySink(counts);
    transport.onReady = () => {};
    transport.open();
    transport.write(Buffer.from('EHLO bench.example\r\n'));
    while (transport.poll() !== undefined);
    return transport;
  },
  async tcp(port) {
    const client = new SmtpClient({ ...common, port, transport: tcp() });
    client.on('event', heard);
    client.connect();
    await new Promise((resolve, reject) => {
      client.once('CONNECTED', resolve);
      client.once('DISCONNECTED', reject);
    });
    return client;
  },
  async socket(port) {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    socket.on('data', heard).on('error', heard);
    await once(socket, 'data');
    socket.write('EHLO bench.example\r\n');
    await once(socket, 'data');
    return socket;
  },
};

function heard() {}

/** @param {{ kind: string, clients: number, port: number }} spec */
export async function measure({ kind, clients, port }) {
  const make = kinds[kind];
  if (make === undefined) throw new Error(`no kind ${kind}`);
  // what is made once a process is not a client's
  const first = await Promise.all(Array.from({ length: 20 }, () => make(port)));
  const before = await retained();
  const all = [];
  for (let i = 0; i < clients; i++) all.push(await make(port));
  const bytes = ((await retained()) - before) / clients;
  if (first.length + all.length !== clients + 20) throw new Error('they were let go');
  return { bytes };
}

async function retained() {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
