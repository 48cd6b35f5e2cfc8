/**
 * The thread of the sockets: the file that it runs. It serves the lines of all clients of the process, and ends some
 * seconds after the last of them. It knows no SMTP.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { TlsMemory } from '../tls-memory.ts';
import { type ThreadData, type ToPump, type ToSockets, threadEnded } from './messages.ts';
import { ServedLine } from './served-line.ts';
import { SharedLine } from './shared-line.ts';

// this file is run as a thread, by host.ts, and no other way
const port = parentPort as NonNullable<typeof parentPort>;
const { lines: open, lingerMs } = workerData as ThreadData;
const lines = new Map<number, ServedLine>();
const tlsMemory = new TlsMemory();
const tell = (message: ToPump): void => port.postMessage(message);
let ending: ReturnType<typeof setTimeout> | undefined;

port.on('message', (message: ToSockets) => {
  if (message.type === 'open') return openLine(message);
  const line = lines.get(message.line);
  if (message.type === 'wake') line?.wake();
  else if (message.type === 'secure') line?.secure(message.options, message.rest, message.seen);
  else line?.close(message.graceful, message.rest);
});

// An error that nobody catches ends the thread. Whoever waits for it may never return to Node's event loop, and would
// not hear of that: each line says why it is lost, and that nobody is here any more.
process.on('uncaughtExceptionMonitor', ({ message }) => {
  end();
  const error = new Error(`the thread of the sockets has failed: ${message}`);
  for (const line of lines.values()) line.fail(error);
});
process.on('exit', end);

function end(): void {
  Atomics.store(open, 0, threadEnded);
}

function openLine({ line, target, options, memory }: Extract<ToSockets, { type: 'open' }>): void {
  clearTimeout(ending);
  const served = new ServedLine(new SharedLine(memory, 'sockets'), options, tlsMemory, {
    signal: () => tell({ type: 'signal', line }),
    over: () => {
      lines.delete(line);
      tell({ type: 'over', line });
      if (Atomics.sub(open, 0, 1) === 1) linger();
    },
  });
  lines.set(line, served);
  served.open(target);
}

function linger(): void {
  clearTimeout(ending);
  ending = setTimeout(() => {
    // sockets that are closing gently are waited for
    if (Atomics.compareExchange(open, 0, 0, threadEnded) !== 0) return;
    // Deno's port cannot be closed
    if ('close' in port) port.close();
    else process.exit();
  }, lingerMs);
}
