// @ts-check
/** nodemailer: a pool, of one connection unless said, that never lacks work, given the whole message as bytes, its cheapest way. */
import { createTransport } from 'nodemailer';
import { freshRecipients, rawMessage, sender } from '../message.mjs';
import { pourQueued } from './queued.mjs';

const queued = 16;

/** @param {{ port: number, recipients?: number, connections?: number }} spec */
export async function open({ port, recipients = 1, connections = 1 }) {
  const transport = createTransport({
    pool: true,
    maxConnections: connections,
    maxMessages: Number.POSITIVE_INFINITY,
    host: '127.0.0.1',
    port,
    name: 'bench.example',
    ignoreTLS: true,
  });
  return {
    pour: pourQueued(Math.max(queued, 2 * connections), (done) => {
      const envelope = { from: sender, to: freshRecipients(recipients) };
      transport.sendMail({ envelope, raw: rawMessage }, done);
    }),
    async close() {
      transport.close();
    },
  };
}
