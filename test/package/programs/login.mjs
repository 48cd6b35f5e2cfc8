// @ts-check
/** Logs in by SCRAM with the password that it is given, and prints what came of it. */
import { SmtpClient } from 'smtpump';
import { runUntil, ScriptedServer, SimNetwork, VirtualClock } from 'smtpump/testing';

const [, , password = ''] = process.argv;
const clock = new VirtualClock();
const network = new SimNetwork({ clock });
network.listen(
  'mx.example',
  new ScriptedServer({ auth: { mechanisms: ['SCRAM-SHA-256'], users: { ann: password } } }),
);

const client = new SmtpClient({
  host: 'mx.example',
  pump: 'manual',
  clock,
  transport: network.transport(),
  auth: { user: 'ann', password, allowPlaintext: true },
});
client.on('AUTH_OK', ({ mechanism }) => console.log(mechanism));
client.on('AUTH_FAIL', ({ error }) => {
  console.log(error.message);
  client.disconnect();
});
client.on('CONNECTED', () => client.disconnect());
let over = false;
client.on('DISCONNECTED', () => {
  over = true;
});
client.connect();
runUntil(client, clock, () => over);
