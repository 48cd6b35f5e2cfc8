// @ts-check
/**
 * One mail, sent step by step through a pump that this program turns, with everything shown that happens on the way.
 * Without flags the server is an embedded one, with STARTTLS and AUTH: `npm run demo`.
 * With flags it is yours: `npm run demo -- --host mail.example --from me@example --to you@example`, and with a login
 * `--user me --pass secret`, or the password in SMTP_PASS.
 */
import { SmtpClient, SmtpUsageError } from 'smtpump';
import { readFlags } from '../support/flags.mjs';
import { password, startServer, user } from '../support/server.mjs';
import { Show } from './show.mjs';

const flags = readFlags();
const server = flags === undefined ? await startServer({ login: true }) : undefined;
const { target, from, to } = flags ?? {
  target: {
    host: server?.host,
    port: server?.port,
    auth: { user, password },
    tlsOptions: { ca: server?.ca },
  },
  from: 'pump@sender.example',
  to: 'you@receiver.example',
};

const show = new Show(process.stdout);
const client = new SmtpClient({ ...target, pump: 'manual' });
client.on('COMMAND', ({ line }) => show.wire('C:', line));
client.on('REPLY', ({ reply }) => show.reply(reply));
client.on('STATE', (event) => show.state(event));
client.on('event', (event) => {
  show.event(event);
  next(event);
});

/**
 * The program: what to do when something has happened.
 * @param {import('smtpump').SmtpEvent} event
 */
function next(event) {
  switch (event.name) {
    case 'CONNECTED':
      return step('sendSender', { address: from, name: 'The demo' });
    case 'SENDER_ACK':
      return step('sendRecipient', to);
    case 'RECIPIENT_ACK':
      return step('sendBom', { subject: 'Hello through the pump' });
    case 'BOM_ACK':
      step(
        'sendBody',
        'Nothing happens but in execute().\r\n.A dot at the beginning of a line survives.\r\n',
      );
      return step('sendEom');
    case 'EOM_ACK':
      return step('disconnect');
    case 'AUTH_FAIL':
    case 'SERVER_ERROR':
    case 'SERVER_RETRY':
      fail(event.error);
      if (client.can('disconnect')) step('disconnect');
      return;
    case 'DISCONNECTED':
      if (event.reason !== undefined) fail(event.reason);
  }
}

/**
 * Shows the step and takes it. A step that cannot be taken throws, and nothing was sent.
 * @template {'connect' | 'sendSender' | 'sendRecipient' | 'sendBom' | 'sendBody' | 'sendEom' | 'disconnect'} Name
 * @param {Name} name
 * @param {Parameters<SmtpClient[Name]>} args
 */
function step(name, ...args) {
  show.step(name, args);
  try {
    /** @type {(...args: Parameters<SmtpClient[Name]>) => unknown} */ (client[name]).apply(client, args);
  } catch (error) {
    if (!(error instanceof SmtpUsageError)) throw error;
    fail(error);
    if (client.can('abort')) client.abort();
  }
}

/** Shows the first failure; those that follow from it say nothing new. @param {import('smtpump').SmtpError | SmtpUsageError} error */
function fail(error) {
  if (process.exitCode !== 1) show.failure(error);
  process.exitCode = 1;
}

// The pump: turn it while there is something to do, sleep while something is awaited.
let wake = () => {};
client.setAsyncCallback(() => wake());
step('connect');
for (let verdict = client.execute(); verdict !== 'idle'; verdict = client.execute()) {
  if (verdict === 'pending') await sleep(client.readTimer());
}

/** Until something arrives, or the client's next time limit runs out. @param {number} ms */
function sleep(ms) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, Math.min(ms, 2 ** 31 - 1));
    wake = () => {
      clearTimeout(timer);
      resolve(undefined);
    };
  });
}

server?.close();
for (const message of server?.messages ?? []) show.frame('as the server received it', message.toString());
