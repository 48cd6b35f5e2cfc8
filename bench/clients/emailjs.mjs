// @ts-check
/** emailjs: its queue on one connection never lacks work. It takes no finished message, so it writes the header. */
import { Message, SMTPClient } from 'emailjs';
import { bodyText, freshRecipients, sender, subject } from '../message.mjs';

const queued = 16;

/** @param {{ port: number, recipients?: number }} spec */
export async function open({ port, recipients = 1 }) {
  const client = new SMTPClient({ host: '127.0.0.1', port, domain: 'bench.example' });
  return {
    /** @param {() => boolean} more @returns {Promise<number>} */
    pour: (more) =>
      new Promise((resolve, reject) => {
        let started = 0;
        let done = 0;
        const next = () => {
          if (more()) {
            started++;
            const to = freshRecipients(recipients).join(', ');
            client.send(new Message({ from: sender, to, subject, text: bodyText }), (error) => {
              if (error) return reject(error);
              done++;
              next();
            });
          } else if (done === started) resolve(done);
        };
        for (let n = 0; n < queued; n++) next();
      }),
    async close() {
      client.smtp.close(true);
    },
  };
}
