/** Hundreds of lines, one after the other and some at once: one thread serves them, and nothing of them is kept. */
import { queryObjects } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { SmtpClient, worker } from 'smtpump';
import { expect, it, vi } from 'vitest';
import { hasV8 } from '../support/runtime.ts';
import { listen } from './loopback.ts';

const atOnce = 20;
/** Lines that are over and whose memory waits for the next one. */
const mostKept = 32;

const count = (kind: new (...given: never[]) => unknown): number => queryObjects(kind, { format: 'count' });
const living = () => ({
  threads: count(Worker),
  clients: count(SmtpClient),
  memory: count(SharedArrayBuffer),
});

it.runIf(hasV8)(
  'five hundred connections leave one thread, and no listeners, clients or memory of lines',
  async () => {
    let open = 0;
    const { port } = await listen((socket) => {
      open++;
      socket.on('close', () => open--);
      socket.write('220 mx.example\r\n');
      socket.on('data', (bytes) => {
        const quits = String(bytes).startsWith('QUIT');
        if (quits) socket.end('221 bye\r\n');
        else socket.write('250 mx.example\r\n');
      });
    });
    const posted = vi.spyOn(Worker.prototype, 'postMessage');
    /** Half of them leave, half of them break off. */
    const connections = async (): Promise<void> => {
      const clients = Array.from(
        { length: atOnce },
        () => new SmtpClient({ host: '127.0.0.1', port, transport: worker() }),
      );
      await Promise.all(
        clients.map(async (client, n) => {
          client.connect();
          await new Promise((resolve) => client.once('CONNECTED', resolve));
          if (n % 2 === 0) client.disconnect();
          else client.abort();
          await new Promise((resolve) => client.once('DISCONNECTED', resolve));
        }),
      );
    };
    await connections();
    const threads = new Set(posted.mock.contexts);
    const listeners = (): number[] =>
      [...threads].flatMap((one) =>
        one instanceof Worker ? one.eventNames().map((name) => one.listenerCount(name)) : [],
      );
    const before = { ...living(), listeners: listeners() };
    for (let round = 1; round < 25; round++) {
      posted.mockClear();
      await connections();
      for (const thread of posted.mock.contexts) threads.add(thread);
    }
    posted.mockRestore();
    expect(threads.size).toBe(1);
    const after = { ...living(), listeners: listeners() };
    expect(after.listeners).toEqual(before.listeners);
    expect(after.threads).toBe(before.threads);
    expect(after.clients).toBeLessThanOrEqual(before.clients + atOnce);
    // one more counts the lines of the thread
    expect(after.memory).toBeLessThanOrEqual(mostKept + 1 + atOnce);
    while (open > 0) await new Promise((resolve) => setImmediate(resolve));
  },
  60_000,
);
