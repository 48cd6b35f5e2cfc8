// @ts-check
/**
 * Bodies of many megabytes on one connection: wall and CPU time of this process a megabyte. With `grow` one body of
 * so many bytes, and how far the memory of the process grows meanwhile; with `copies` the bytes that Buffer's own ways
 * of copying moved, and the bytes that left from other memory than the body's.
 */
import { once } from 'node:events';
import { connect, Socket } from 'node:net';
import { createTransport } from 'nodemailer';
import { SmtpClient, tcp, worker } from 'smtpump';
import { sender } from '../message.mjs';

const megabyte = 1_000_000;
/** ms, as in throughput.mjs. */
const warmUp = 500;
const bodyBytes = 10 * megabyte;
const slice = 256 * 1024;
const recipient = 'recipient@sink.example';
const dots = Buffer.from('\r\n.');
const dot = Buffer.from('.');

/** Lines of 76; each hundredth begins with a dot where DATA has something to stuff. @param {boolean} dotted */
function bodyOf(dotted) {
  const line = `${'The quick brown fox jumps over the lazy dog, again and again. '.repeat(2).slice(0, 76)}\r\n`;
  const block = line.repeat(99) + (dotted ? `.${line.slice(1)}` : line);
  const body = Buffer.alloc(bodyBytes, block, 'latin1');
  body.write('\r\n', bodyBytes - 2);
  return body;
}

/**
 * @typedef {{ port: number, chunking?: boolean, transport?: string }} Spec
 * @typedef {(spec: Spec) => Promise<(body: Buffer, times: number) => Promise<void>>} Open a body, so often as one message
 * @type {Record<string, Open>}
 */
const clients = {
  async smtpump({ port, chunking = false, transport = 'tcp' }) {
    const client = new SmtpClient({
      transport: transport === 'worker' ? worker() : tcp(),
      host: '127.0.0.1',
      port,
      localName: 'b.example',
      tls: 'never',
      chunking,
    });
    client.connect();
    await new Promise((resolve) => client.once('CONNECTED', resolve));
    return (body, times) =>
      new Promise((resolve, reject) => {
        let left = times;
        let at = 0;
        const feed = () => {
          while (left > 0) {
            const taken = client.sendBody(at === 0 ? body : body.subarray(at));
            at += taken;
            if (at < body.length) {
              onTurn();
              return;
            }
            at = 0;
            left--;
          }
          client.off('DRAIN', feed);
          client.sendEom();
        };
        client.on('DRAIN', feed);
        client.once('EOM_ACK', () => resolve());
        client.once('DISCONNECTED', ({ reason }) => reject(reason));
        client.sendSender(sender);
        client.sendRecipient(recipient);
        client.sendBom({ raw: true });
        feed();
      });
  },
  async bare({ port, chunking = false }) {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    const say = async (/** @type {string} */ text) => {
      socket.write(text);
      await once(socket, 'data');
    };
    const write = (/** @type {Buffer} */ bytes) => socket.write(bytes) || once(socket, 'drain');
    await once(socket, 'data');
    await say('EHLO bench.example\r\n');
    return async (body, times) => {
      await say(`MAIL FROM:<${sender}>\r\n`);
      await say(`RCPT TO:<${recipient}>\r\n`);
      if (!chunking) await say('DATA\r\n');
      for (let n = 0; n < times; n++) {
        for (let at = 0; at < body.length; at += slice) {
          const end = Math.min(at + slice, body.length);
          if (chunking) {
            const last = n === times - 1 && end === body.length;
            socket.write(`BDAT ${end - at}${last ? ' LAST' : ''}\r\n`);
            await write(body.subarray(at, end));
          } else await stuffed(body, at, end);
        }
      }
      if (chunking) await once(socket, 'data');
      else await say('.\r\n');
    };

    /** @param {Buffer} body @param {number} at @param {number} end */
    async function stuffed(body, at, end) {
      const part = body.subarray(at, end);
      let from = 0;
      socket.cork();
      for (let found = part.indexOf(dots); found >= 0; found = part.indexOf(dots, from)) {
        socket.write(part.subarray(from, found + 2));
        socket.write(dot);
        from = found + 2;
      }
      const room = socket.write(part.subarray(from));
      socket.uncork();
      if (!room) await once(socket, 'drain');
    }
  },
  async nodemailer({ port }) {
    const transport = createTransport({
      pool: true,
      maxConnections: 1,
      host: '127.0.0.1',
      port,
      ignoreTLS: true,
    });
    return async (raw) => {
      await transport.sendMail({ envelope: { from: sender, to: recipient }, raw });
    };
  },
};

let onTurn = () => {};

/** @param {{ client: string, milliseconds: number, dotted?: boolean, grow?: number, copies?: boolean } & Spec} spec */
export async function measure({ client, milliseconds, dotted = false, grow = 0, copies = false, ...spec }) {
  const send = await clients[client]?.(spec);
  if (send === undefined) throw new Error(`no client ${client}`);
  const body = bodyOf(dotted);
  const warm = performance.now() + warmUp;
  do await send(body, 1);
  while (performance.now() < warm);
  if (grow > 0) return growth(() => send(body, Math.ceil(grow / bodyBytes)));
  const copied = copies ? countCopies(body) : () => ({});
  const cpu = process.cpuUsage();
  const start = performance.now();
  let bodies = 0;
  for (; performance.now() - start < milliseconds; bodies++) await send(body, 1);
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const megabytes = (bodies * bodyBytes) / megabyte;
  const counts = Object.entries(copied()).map(([name, bytes]) => [name, bytes / megabytes]);
  return {
    perSecond: megabytes / seconds,
    cpuMicroseconds: (user + system) / megabytes,
    ...Object.fromEntries(counts),
  };
}

/** @param {() => Promise<void>} work */
async function growth(work) {
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  let peak = before;
  let turns = 0;
  onTurn = () => {
    if (turns++ % 16 === 0) peak = Math.max(peak, process.memoryUsage.rss());
  };
  await work();
  return { growth: (Math.max(peak, process.memoryUsage.rss()) - before) / megabyte };
}

/** Counts what the ways of copying move from now on, and what leaves that is not the body's own. @param {Buffer} body */
function countCopies(body) {
  let bytes = 0;
  let foreign = 0;
  const { write } = Socket.prototype;
  /** @this {Socket} @param {string | Uint8Array} piece @param {any[]} rest */
  Socket.prototype.write = function counted(piece, ...rest) {
    if (typeof piece === 'string' || piece.buffer !== body.buffer) foreign += piece.length;
    return write.call(this, piece, ...rest);
  };
  const { copy } = Buffer.prototype;
  const { set } = Uint8Array.prototype;
  const { concat } = Buffer;
  /** @this {Buffer} @param {[Uint8Array, number?, number?, number?]} args */
  Buffer.prototype.copy = function counted(...args) {
    const moved = copy.apply(this, args);
    bytes += moved;
    return moved;
  };
  /** @this {Uint8Array} @param {[ArrayLike<number>, number?]} args */
  Uint8Array.prototype.set = function counted(...args) {
    bytes += args[0].length;
    set.apply(this, args);
  };
  Buffer.concat = (/** @type {Parameters<typeof concat>} */ ...args) => {
    const all = concat(...args);
    bytes += all.length;
    return all;
  };
  return () => ({ copied: bytes, foreign });
}
