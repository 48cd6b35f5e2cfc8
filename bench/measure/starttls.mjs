// @ts-check
/** A connection for each message: connect, STARTTLS, one message, QUIT; one after the other, the certificate verified. */
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
