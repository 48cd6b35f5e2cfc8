// @ts-check
/**
 * One step at a time against a server of yours, each awaited before the next: connect, sender, recipient, begin,
 * body, end, disconnect. A script reads from top to bottom; the first refusal ends it.
 */
import { printable, SmtpClient } from 'smtpump';
import { exitWithUsage, readFlags } from './support/flags.mjs';

const { target, from, to } = readFlags() ?? exitWithUsage('this example needs a server of yours');
const client = new SmtpClient(target);

try {
  await answer('CONNECTED', () => client.connect());
  await answer('SENDER_ACK', () => client.sendSender(from));
  await answer('RECIPIENT_ACK', () => client.sendRecipient(to));
  await answer('BOM_ACK', () => client.sendBom({ subject: 'Step by step' }));
  client.sendBody('One step at a time.\r\n');
  await answer('EOM_ACK', () => client.sendEom());
  await answer('DISCONNECTED', () => client.disconnect());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
  if (client.can('disconnect')) client.disconnect();
}

/**
 * Takes a step and waits for its event; another ending of it is thrown.
 * @param {import('smtpump').SmtpEventName} wanted
 * @param {() => void} step
 */
function answer(wanted, step) {
  return new Promise((resolve, reject) => {
    client.on('event', function hear(event) {
      const failure = 'error' in event ? event.error : 'reason' in event ? event.reason : undefined;
      if (event.name !== wanted && failure === undefined) return;
      client.off('event', hear);
      if (failure !== undefined) return reject(failure);
      // what a server says is its own: it must not move the cursor of whoever reads it
      console.log(wanted, client.lastReply?.code, printable(client.lastReply?.text ?? ''));
      resolve(event);
    });
    step();
  });
}
