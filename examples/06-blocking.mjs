// @ts-check
/**
 * A program that waits: each call returns when the server has answered, or throws. A refused recipient does not keep
 * the others from the mail, and nothing returns to Node's event loop meanwhile.
 * `node examples/06-blocking.mjs` talks to a server in another thread; with `--host …` to yours.
 */
import { printable, SmtpError } from 'smtpump';
import { connect } from 'smtpump/blocking';
import { findServer } from './support/elsewhere.mjs';

const { server, from, to, close } = await findServer();
let turns = 0;
setImmediate(() => turns++);

try {
  const smtp = connect({ host: server.address, port: server.port, tls: 'never' });
  try {
    console.log('sender', smtp.sendSender(from).code);
    for (const address of [to, 'nobody@localhost']) {
      try {
        console.log(address, smtp.sendRecipient(address).code);
      } catch (error) {
        // the world's failures; a mistake of ours is no reason to go on
        if (!(error instanceof SmtpError)) throw error;
        console.log(error.message);
      }
    }
    smtp.sendBom({ subject: 'One call after the other' });
    for (let line = 1; line <= 1000; line++) smtp.sendBody(`Measured: ${line} degrees.\r\n`);
    const { reply, accepted } = smtp.sendEom();
    // what a server says is its own: it must not move the cursor of whoever reads it
    console.log(`accepted for ${accepted.length}: ${reply.code} ${printable(reply.text)}`);
  } finally {
    smtp.disconnect();
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
console.log(`the event loop turned ${turns} times`);
for (const message of await close()) console.log(`received: ${message.length} octets`);
