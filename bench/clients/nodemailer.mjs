// @ts-check
/** nodemailer: a pool, of one connection unless said, that never lacks work, given the whole message as bytes, its cheapest way. */
import { createTransport } from 'nodemailer';
import { freshRecipients, rawMessage, sender } from '../message.mjs';

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
    /** @param {() => boolean} more @returns {Promise<number>} */
    pour: (more) =>
      new Promise((resolve, reject) => {
        let started = 0;
        let done = 0;
        const next = () => {
          if (more()) {
            started++;
            const envelope = { from: sender, to: freshRecipients(recipients) };
            transport.sendMail({ envelope, raw: rawMessage }, (error) => {
              if (error) return reject(error);
              done++;
              next();
            });
          } else if (done === started) resolve(done);
        };
        for (let n = 0; n < Math.max(queued, 2 * connections); n++) next();
      }),
    async close() {
      transport.close();
    },
  };
}
