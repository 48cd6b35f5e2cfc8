// @ts-check
/** Measures the core with its server in the same process: whole sessions, or messages on one. */
import { SmtpClient } from 'smtpump';
import { memory, ScriptedServer, VirtualClock } from 'smtpump/testing';
import { Mailer } from '../clients/smtpump.mjs';
import { rawMessage, recipientsOf, sender } from '../message.mjs';
import { MemorySink } from '../sink/memory.mjs';

/**
 * @typedef {import('../clients/smtpump.mjs').Style} Style
 * @param {{ of: 'messages' | 'sessions' | 'sink', milliseconds: number, scripted?: boolean } & Style} spec
 */
export async function measure({ of, milliseconds, scripted = false, ...style }) {
  const clock = new VirtualClock();
  const server = new ScriptedServer({ record: false });
  const counts = { messages: 0, octets: 0 };
  const clientFor = () =>
    new SmtpClient({
      host: 'mx.example',
      localName: 'bench.example',
      tls: 'never',
      clock,
      transport: scripted ? memory(server, { clock }) : new MemorySink(counts),
      pump: 'manual',
    });
  const work = { sessions, messages, sink }[of];
  let heard = 0;
  await work(800);
  heard = 0;
  const cpu = process.cpuUsage();
  const start = performance.now();
  const done = await work(milliseconds);
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: done / seconds, cpuMicroseconds: (user + system) / done, events: heard / done };

  /** @param {number} forMs */
  function sessions(forMs) {
    const end = performance.now() + forMs;
    let done = 0;
    for (; performance.now() < end; done++) heard += oneSession(clientFor(), style);
    return done;
  }

  /** What the server's half costs: the same octets in the same groups, and nobody who makes them. @param {number} forMs */
  function sink(forMs) {
    const end = performance.now() + forMs;
    const [recipient] = recipientsOf(1);
    const envelope = `MAIL FROM:<${sender}>\r\nRCPT TO:<${recipient}>\r\nDATA\r\n`;
    const transport = new MemorySink(counts);
    transport.open();
    transport.write(Buffer.from(envelope));
    const group = Buffer.concat([rawMessage, Buffer.from(`.\r\n${envelope}`)]);
    let done = 0;
    for (; performance.now() < end; done++) {
      transport.write(group);
      while (transport.poll() !== undefined);
    }
    return done;
  }

  /** @param {number} forMs */
  async function messages(forMs) {
    const client = clientFor();
    const mailer = new Mailer(client, style);
    client.connect();
    const end = performance.now() + forMs;
    const poured = mailer.pour(() => performance.now() < end);
    while (!mailer.dry) client.execute();
    heard += mailer.heard;
    return poured;
  }
}

/** @param {SmtpClient} client @param {Style} style @returns {number} events heard */
function oneSession(client, style) {
  const mailer = new Mailer(client, style);
  let left = 1;
  let over = false;
  client.once('DISCONNECTED', () => {
    over = true;
  });
  client.connect();
  void mailer.pour(() => left-- > 0);
  // disconnect() before CONNECTED would leave without the message; from then on it waits for verdicts
  client.once(style.mode === 'ahead' ? 'CONNECTED' : 'EOM_ACK', () => client.disconnect());
  while (!over) client.execute();
  if (!mailer.dry) throw new Error('the message was not delivered');
  return mailer.heard;
}
