// @ts-check
/** @upyo/smtp: a pool of one connection, always asked for the next message. It writes the header itself. */
import { createMessage } from '@upyo/core';
import { SmtpTransport } from '@upyo/smtp';
import { bodyText, freshRecipients, sender, subject } from '../message.mjs';

/** @param {{ port: number, recipients?: number }} spec */
export async function open({ port, recipients = 1 }) {
  const transport = new SmtpTransport({
    host: '127.0.0.1',
    port,
    secure: false,
    localName: 'bench.example',
    poolSize: 1,
  });
  return {
    /** @param {() => boolean} more @returns {Promise<number>} */
    async pour(more) {
      let done = 0;
      for (; more(); done++) {
        // addresses are template literal types there
        const to = /** @type {any} */ (freshRecipients(recipients));
        const message = createMessage({ from: sender, to, subject, content: { text: bodyText } });
        const receipt = await transport.send(message);
        if (!receipt.successful) throw new Error(receipt.errorMessages.join());
      }
      return done;
    },
    async close() {
      await transport.closeAllConnections();
    },
  };
}
