// @ts-check
/**
 * What a transport costs that is not Node's own loop: an empty poll, a command's round trip, a body. `how` is `auto`
 * (Node's loop turns the pump), `blocking` (each step sleeps until its answer) or `tight` (a loop that never yields).
 */
import { SmtpClient, tcp, worker } from 'smtpump';
import { BlockingClient } from 'smtpump/blocking';
import { sender } from '../message.mjs';

const megabyte = 1_000_000;
const warmUpMs = 200;
const polls = 2_000_000;
const recipient = 'recipient@sink.example';

/**
 * @typedef {{ port: number, milliseconds: number, what: 'poll' | 'trip' | 'body', how: 'auto' | 'blocking' | 'tight',
 *   transport: 'tcp' | 'worker' }} Spec
 * @param {Spec} spec
 * @returns {Promise<Record<string, number>>}
 */
export function measure(spec) {
  if (spec.what === 'poll') return emptyPoll(spec);
  if (spec.what === 'body') return body(spec);
  return trips(spec);
}

/** ns for a poll that brings nothing. @param {Spec} spec */
async function emptyPoll({ port, transport }) {
  const line = transport === 'tcp' ? tcp() : worker();
  /** @type {Promise<void>} */
  const greeted = new Promise((resolve) => {
    line.onReady = () => {
      for (let event = line.poll(); event !== undefined; event = line.poll())
        if (event.type === 'bytes') resolve();
    };
  });
  line.open({ host: '127.0.0.1', port });
  await greeted;
  for (let n = 0; n < polls; n++) line.poll();
  const start = performance.now();
  for (let n = 0; n < polls; n++) line.poll();
  return { nanoseconds: ((performance.now() - start) * 1e6) / polls };
}

/** @param {Spec} spec @param {Partial<ConstructorParameters<typeof SmtpClient>[0]>} [more] */
const optionsFor = ({ port, transport }, more = {}) => ({
  host: '127.0.0.1',
  port,
  localName: 'bench.example',
  tls: /** @type {const} */ ('never'),
  transport: transport === 'tcp' ? tcp() : worker(),
  ...more,
});

/** µs from NOOP to its answer. @param {Spec} spec */
async function trips(spec) {
  const noop = await noopFor(spec);
  const until = (/** @type {number} */ end) => noop(() => performance.now() < end);
  await until(performance.now() + warmUpMs);
  const start = performance.now();
  const count = await until(start + spec.milliseconds);
  return { microseconds: ((performance.now() - start) * 1000) / count };
}

/** @param {Spec} spec @returns {Promise<(more: () => boolean) => number | Promise<number>>} sends NOOPs, and counts them */
async function noopFor(spec) {
  if (spec.how === 'blocking') {
    const client = new BlockingClient({ ...optionsFor(spec), transport: worker() });
    client.connect();
    return (more) => {
      let count = 0;
      for (; more(); count++) client.noop();
      return count;
    };
  }
  const client = new SmtpClient(optionsFor(spec, { pump: spec.how === 'tight' ? 'manual' : 'auto' }));
  client.connect();
  if (spec.how === 'tight') {
    while (client.state !== 'ready') client.execute();
    let answered = 0;
    client.on('NOOP_ACK', () => {
      answered++;
    });
    return (more) => {
      const before = answered;
      for (let sent = before; more(); ) {
        client.noop();
        for (sent++; answered < sent; ) client.execute();
      }
      return answered - before;
    };
  }
  await new Promise((resolve) => client.once('CONNECTED', resolve));
  return (more) =>
    new Promise((resolve) => {
      let count = 0;
      const next = () => {
        if (more()) client.noop();
        else {
          client.off('NOOP_ACK', answered);
          resolve(count);
        }
      };
      const answered = () => {
        count++;
        next();
      };
      client.on('NOOP_ACK', answered);
      next();
    });
}

/** MB a second, by DATA and asleep in each step. @param {Spec} spec @returns {Promise<Record<string, number>>} */
async function body(spec) {
  const client = new BlockingClient({ ...optionsFor(spec), transport: worker(), chunking: false });
  client.connect();
  const text = Buffer.alloc(
    10 * megabyte,
    `${'The quick brown fox jumps over the lazy dog. '.repeat(2)}\r\n`,
  );
  const send = () => {
    client.sendSender(sender);
    client.sendRecipient(recipient);
    client.sendBom({ raw: true });
    client.sendBody(text);
    client.sendEom();
  };
  for (const warm = performance.now() + warmUpMs; performance.now() < warm; ) send();
  const start = performance.now();
  let bodies = 0;
  for (; performance.now() - start < spec.milliseconds; bodies++) send();
  return { perSecond: (bodies * 10) / ((performance.now() - start) / 1000) };
}
