// @ts-check
/**
 * A connection for each message: connect, STARTTLS, one message, QUIT; one after the other, the certificate verified.
 * `bare` is what no client of node:tls can be faster than: nothing is understood, the replies are counted.
 */
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls, createSecureContext } from 'node:tls';
import { createTransport } from 'nodemailer';
import { SmtpClient } from 'smtpump';
import { freshRecipients, rawMessage, sender } from '../message.mjs';

const warmUp = 20;

/** @typedef {{ port: number, ca: string, servername: string }} Spec */

/** @type {Record<string, (spec: Spec) => { one: () => Promise<unknown>, resumed: () => number }>} */
const clients = {
  smtpump({ port, ca, servername }) {
    let resumed = 0;
    const client = new SmtpClient({
      host: '127.0.0.1',
      port,
      localName: 'bench.example',
      tls: 'always',
      tlsOptions: { ca, servername },
    });
    client.on('SECURE_OK', ({ tls }) => {
      if (tls.resumed) resumed++;
    });
    client.on('EOM_ACK', () => client.disconnect());
    client.on('CONNECTED', () => {
      client.sendSender(sender);
      for (const to of freshRecipients(1)) client.sendRecipient(to);
      client.sendBom({ raw: true });
      client.sendBody(rawMessage);
      client.sendEom();
    });
    const one = () =>
      new Promise((resolve, reject) => {
        client.once('DISCONNECTED', ({ reason }) => (reason ? reject(reason) : resolve(undefined)));
        client.connect();
      });
    return { one, resumed: () => resumed };
  },
  bare({ port, ca, servername }) {
    const secureContext = createSecureContext({ ca });
    /** @type {Buffer | undefined} */
    let session;
    let resumed = 0;
    const one = async () => {
      const raw = connectTcp({ host: '127.0.0.1', port, noDelay: true });
      await once(raw, 'data');
      raw.write('EHLO bench.example\r\n');
      await once(raw, 'data');
      raw.write('STARTTLS\r\n');
      await once(raw, 'data');
      const socket = connectTls({ socket: raw, secureContext, servername, ...(session && { session }) });
      socket.on('session', (fresh) => {
        session = fresh;
      });
      await once(socket, 'secureConnect');
      if (socket.isSessionReused()) resumed++;
      if (socket.getProtocol() === 'TLSv1.2') session = socket.getSession();
      socket.write('EHLO bench.example\r\n');
      await once(socket, 'data');
      socket.write(
        `MAIL FROM:<${sender}>\r\nRCPT TO:<${freshRecipients(1)[0]}>\r\nBDAT ${rawMessage.length} LAST\r\n`,
      );
      socket.write(rawMessage);
      let lines = 0;
      while (lines < 3) {
        const [bytes] = await once(socket, 'data');
        lines += String(bytes).split('\n').length - 1;
      }
      socket.write('QUIT\r\n');
      await once(socket, 'data');
      const closed = once(raw, 'close');
      socket.end();
      await closed;
    };
    return { one, resumed: () => resumed };
  },
  nodemailer({ port, ca, servername }) {
    const transport = createTransport({
      host: '127.0.0.1',
      port,
      name: 'bench.example',
      requireTLS: true,
      tls: { ca, servername },
    });
    const one = () =>
      transport.sendMail({ envelope: { from: sender, to: freshRecipients(1) }, raw: rawMessage });
    return { one, resumed: () => Number.NaN };
  },
};

/** @param {{ client: string, connections: number } & Spec} spec */
export async function measure({ client, connections, ...spec }) {
  const open = clients[client];
  if (open === undefined) throw new Error(`no client ${client}`);
  const warm = open(spec);
  for (let n = 0; n < warmUp; n++) await warm.one();
  const { one, resumed } = open(spec);
  const cpu = process.cpuUsage();
  const start = performance.now();
  for (let n = 0; n < connections; n++) await one();
  const wall = (performance.now() - start) / connections;
  const { user, system } = process.cpuUsage(cpu);
  return { wall, cpu: (user + system) / 1000 / connections, resumed: resumed() };
}
