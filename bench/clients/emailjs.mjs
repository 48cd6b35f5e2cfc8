// @ts-check
/** emailjs: its queue on one connection never lacks work. It takes no finished message, so it writes the header. */
import { Message, SMTPClient } from 'emailjs';
import { bodyText, freshRecipients, sender, subject } from '../message.mjs';
import { pourQueued } from './queued.mjs';

const queued = 16;

/** @param {{ port: number, recipients?: number }} spec */
export async function open({ port, recipients = 1 }) {
  const client = new SMTPClient({ host: '127.0.0.1', port, domain: 'bench.example' });
  return {
    pour: pourQueued(queued, (done) => {
      const to = freshRecipients(recipients).join(', ');
      client.send(new Message({ from: sender, to, subject, text: bodyText }), done);
    }),
    async close() {
      client.smtp.close(true);
    },
  };
}
