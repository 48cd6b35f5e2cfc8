// @ts-check
/** `node ends.mjs HOW PORT`: connects, and then the program ends in one way or another. */
import { SmtpClient, worker } from 'smtpump';

const [, , how, port] = process.argv;
const kept = how === 'closed' || how === 'kept';
const transport = worker({ ref: kept });
const client = new SmtpClient({
  host: '127.0.0.1',
  port: Number(port),
  pump: kept ? 'auto' : 'manual',
  transport,
});
client.on('CONNECTED', ({ name }) => console.log(name));
client.on('DISCONNECTED', ({ name }) => console.log(name));
client.connect();
if (how === 'closed') client.on('CONNECTED', () => client.disconnect());
else if (how === 'kept') client.on('CONNECTED', () => client.noop());
else {
  for (client.execute(); client.state !== 'ready'; client.execute()) transport.wait(client.readTimer());
  if (how === 'throws') throw new Error('this program has failed');
  if (how === 'exits') process.exit(3);
}
