// @ts-check
/** `node tight-loop.mjs PORT`: sends a mail in a loop that never returns to Node's event loop. */
import { SmtpClient, worker } from 'smtpump';

const client = new SmtpClient({
  host: 'localhost',
  port: Number(process.argv[2]),
  pump: 'manual',
  transport: worker(),
});
/** @type {string[]} */
const told = [];
client.on('event', ({ name }) => told.push(name));
client.on('EOM_ACK', () => client.disconnect());
let yielded = false;
setImmediate(() => {
  yielded = true;
});

client.connect();
client.sendSender('me@sender.example');
client.sendRecipient('you@receiver.example');
client.sendBom({ subject: 'Out of a loop' });
client.sendBody('It never yields.\r\n');
client.sendEom();
while (client.execute() !== 'idle');

console.log(told.join(' '));
console.log(yielded ? 'it yielded' : 'it never yielded');
