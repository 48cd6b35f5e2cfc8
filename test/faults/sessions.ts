/**
 * Thirty reference sessions, as different as sessions can be: TLS, logins, LMTP, pipelined or not, refusals, several
 * messages. Each runs by itself to DISCONNECTED. Whatever breaks them is not known here.
 */
import type { SmtpClient, SmtpClientOptions } from 'smtpump';
import type { ServerOptions, Transport, VirtualClock } from 'smtpump/testing';
import { Rig, type RigOptions } from './rig.ts';
import { ahead, stepwise } from './situations.ts';
import { sendWhole, type WatchedClient } from './watched.ts';

export interface Session {
  readonly name: string;
  readonly client?: SmtpClientOptions;
  readonly server?: ServerOptions;
  readonly script?: RigOptions['script'];
  /** Everything that the caller does, the end included. */
  readonly caller: (client: WatchedClient) => void;
}

/** A rig in which the session has begun. */
export function begin(
  session: Session,
  wrap?: (transport: Transport, clock: VirtualClock) => Transport,
): Rig {
  const { client, server, script } = session;
  const rig = new Rig({
    ...(client && { client }),
    ...(server && { server }),
    ...(script && { script }),
    ...(wrap && { wrap }),
  });
  session.caller(rig.client);
  return rig;
}

const three = ['b@example.test', 'c@example.test', 'd@example.test'];
const auth = { user: 'ann', password: 'secret' };
const token = { user: 'ann', token: 'secret' };
const users = { ann: 'secret' };
const login = (...mechanisms: string[]): ServerOptions => ({ tls: 'starttls', auth: { mechanisms, users } });
const lockStep = { pipelining: false } as const;
const lmtp = { client: { protocol: 'lmtp' }, server: { lmtp: true } } as const;

/** Leaves when so many messages have a result. */
function messages(count: number, each: (client: SmtpClient) => void = (client) => sendWhole(client, three)) {
  return (client: WatchedClient): void => {
    client.connect();
    let left = count;
    for (let i = 0; i < count; i++) each(client);
    client.drive = (event) => {
      const refused = event.name === 'SERVER_ERROR' || event.name === 'SERVER_RETRY';
      if (event.name === 'EOM_ACK' || (refused && event.step !== 'sendRecipient')) left--;
      if (left === 0 && client.can('disconnect')) client.disconnect();
    };
  };
}

const refuse =
  (verb: string, reply: string, n?: number): NonNullable<RigOptions['script']> =>
  (command) => {
    if (command.verb !== verb) return undefined;
    return n === undefined || command.line.includes(three[n - 1] ?? '') ? reply : undefined;
  };

/** Leaves as soon as the connection is there. */
function greet(client: WatchedClient): void {
  client.connect();
  client.drive = (event) => void (event.name === 'CONNECTED' && client.disconnect());
}

/** Withdraws its first message, sends a second one, and asks whether the server is still there. */
function withdraw(client: WatchedClient): void {
  client.connect();
  client.sendSender('a@example.test');
  client.sendRecipient('b@example.test');
  client.drive = (event) => {
    if (event.name === 'RECIPIENT_ACK' && event.message.id === 1) {
      client.reset();
      sendWhole(client);
      client.noop();
    }
    if (event.name === 'NOOP_ACK') client.disconnect();
  };
}

export const sessions: readonly Session[] = [
  { name: 'connect and leave', caller: greet },
  { name: 'connect and leave, TLS by STARTTLS', caller: greet, server: { tls: 'starttls' } },
  { name: 'connect and leave, HELO only', caller: greet, script: refuse('EHLO', '502 no') },
  { name: 'one message, pipelined', caller: ahead },
  { name: 'one message, in lock step', caller: ahead, client: lockStep },
  { name: 'one message, stepwise', caller: stepwise },
  { name: 'three messages, pipelined', caller: messages(3) },
  { name: 'three messages, in lock step', caller: messages(3), client: lockStep },
  { name: 'a server without extensions', caller: messages(2), server: { extensions: [] } },
  { name: 'optional TLS', caller: messages(1), server: { tls: 'starttls' } },
  { name: 'TLS always', caller: messages(2), server: { tls: 'starttls' }, client: { tls: 'always' } },
  { name: 'TLS implicit', caller: messages(2), server: { tls: 'implicit' }, client: { tls: 'implicit' } },
  { name: 'PLAIN', caller: messages(1), server: login('PLAIN'), client: { auth } },
  { name: 'LOGIN', caller: messages(1), server: login('LOGIN'), client: { auth } },
  { name: 'CRAM-MD5', caller: messages(1), server: login('CRAM-MD5'), client: { auth, tls: 'always' } },
  { name: 'SCRAM-SHA-1', caller: messages(1), server: login('SCRAM-SHA-1'), client: { auth } },
  { name: 'SCRAM-SHA-256-PLUS', caller: greet, server: login('SCRAM-SHA-256-PLUS'), client: { auth } },
  { name: 'XOAUTH2', caller: messages(1), server: login('XOAUTH2'), client: { auth: token } },
  { name: 'OAUTHBEARER, stepwise', caller: stepwise, server: login('OAUTHBEARER'), client: { auth: token } },
  {
    name: 'the second mechanism is taken',
    caller: messages(1),
    server: login('CRAM-MD5', 'PLAIN'),
    client: { auth },
    script: (command) => (command.line.startsWith('AUTH CRAM') ? '535 not so' : undefined),
  },
  { name: 'LMTP', caller: messages(2), ...lmtp },
  { name: 'LMTP, stepwise', caller: stepwise, ...lmtp },
  {
    name: 'LMTP, one verdict is bad',
    caller: messages(2),
    ...lmtp,
    script: (command) => (command.address === three[1] ? badVerdict(command.verb) : undefined),
  },
  {
    name: 'MAIL is refused, 354 all the same',
    caller: messages(2),
    script: ({ verb }) => (verb === 'MAIL' ? '550 not you' : verb === 'DATA' ? '354 go' : undefined),
  },
  {
    name: 'MAIL is refused, in lock step',
    caller: messages(2),
    client: lockStep,
    script: refuse('MAIL', '451 later'),
  },
  { name: 'one recipient of three is refused', caller: messages(2), script: refuse('RCPT', '550 nobody', 2) },
  { name: 'every recipient is refused', caller: messages(2), script: refuse('RCPT', '450 not now') },
  {
    name: 'every recipient is refused, 354 all the same',
    caller: messages(2),
    script: ({ verb }) => (verb === 'RCPT' ? '550 no' : verb === 'DATA' ? '354 go' : undefined),
  },
  { name: 'the content is refused', caller: messages(2), script: refuse('CONTENT', '554 spam') },
  { name: 'a message is withdrawn', caller: withdraw },
];

const badVerdict = (verb: string): string | undefined => (verb === 'CONTENT' ? '552 full' : undefined);
