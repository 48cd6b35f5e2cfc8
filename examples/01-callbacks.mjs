// @ts-check
/**
 * Callbacks only: Node's event loop turns the pump, each event is answered with the next step.
 * `node examples/01-callbacks.mjs` talks to an embedded server; with `--host …` to yours.
 */
import { SmtpClient } from 'smtpump';
import { readFlags } from './support/flags.mjs';
import { startServer } from './support/server.mjs';

const flags = readFlags();
const server = flags === undefined ? await startServer() : undefined;
const target = flags?.target ?? { host: server?.host, port: server?.port };
const from = flags?.from ?? 'device@sender.example';
const recipients = flags === undefined ? ['ann@receiver.example', 'bob@receiver.example'] : [flags.to];

const client = new SmtpClient(target);
let sent = false;

client.on('CONNECTED', () => client.sendSender(from));
client.on('SENDER_ACK', nextRecipient);
client.on('RECIPIENT_ACK', nextRecipient);
client.on('BOM_ACK', () => {
  client.sendBody('Sent by callbacks.\r\n');
  client.sendEom();
});
client.on('EOM_ACK', ({ accepted }) => {
  sent = true;
  console.log(`accepted for ${accepted.map(({ address }) => address).join(' and ')}`);
  client.disconnect();
});

client.on('SERVER_ERROR', refused);
client.on('SERVER_RETRY', refused);
client.on('AUTH_FAIL', ({ error }) => {
  console.error(error.message);
  client.disconnect();
});
client.on('DISCONNECTED', ({ reason }) => {
  if (reason !== undefined) console.error(reason.message);
  process.exitCode = sent && reason === undefined ? 0 : 1;
  server?.close();
});

client.connect();

function nextRecipient() {
  const address = recipients.shift();
  if (address === undefined) client.sendBom({ subject: 'Hello' });
  else client.sendRecipient(address);
}

/**
 * A refused recipient does not end the message; anything else does.
 * @param {{ step: string, error: Error }} event
 */
function refused({ step, error }) {
  console.error(error.message);
  if (step === 'sendRecipient') nextRecipient();
  else if (client.can('disconnect')) client.disconnect();
}
