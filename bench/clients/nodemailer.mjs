// @ts-check
/** nodemailer: a pool of one connection that never lacks work, given the whole message as bytes, its cheapest way. */
import { createTransport } from 'nodemailer';
import { rawMessage, recipientsOf, sender } from '../message.mjs';

const queued = 16;

/** @param {{ port: number, recipients?: number }} spec */
export async function open({ port, recipients = 1 }) {
  const transport = createTransport({
    pool: true,
    maxConnections: 1,
    maxMessages: Number.POSITIVE_INFINITY,
    host: '127.0.0.1',
    port,
    name: 'bench.example',
    ignoreTLS: true,
  });
  const mail = { envelope: { from: sender, to: recipientsOf(recipients) }, raw: rawMessage };
  return {
    /** @param {() => boolean} more @returns {Promise<number>} */
    pour: (more) =>
      new Promise((resolve, reject) => {
        let started = 0;
        let done = 0;
        const next = () => {
          if (more()) {
            started++;
            transport.sendMail(mail, (error) => {
              if (error) return reject(error);
              done++;
              next();
            });
          } else if (done === started) resolve(done);
        };
        for (let n = 0; n < queued; n++) next();
      }),
    async close() {
      transport.close();
    },
  };
}
