/**
 * Every public situation that a connection can be in, each as data: how the client is made, which answer the server
 * holds back, what the caller does. What becomes of it is not known here.
 */
import type { SmtpEvent } from 'smtpump';
import type { ServerCommand, ServerOptions } from 'smtpump/testing';
import type { Situation } from './reach.ts';
import { mark, sendWhole, type WatchedClient } from './watched.ts';

const two = ['b@example.test', 'c@example.test'];

/** Everything at once, before any answer; then, when all that is done, QUIT. */
export function ahead(client: WatchedClient): void {
  client.connect();
  sendWhole(client, two);
  client.noop();
  client.reset();
  client.drive = (event) => void (event.name === 'RESET' && client.disconnect());
}

/** Each step when the one before was answered. */
export function stepwise(client: WatchedClient): void {
  client.connect();
  const left = [...two];
  client.drive = (event) => step(client, event, left);
}

function step(client: WatchedClient, event: SmtpEvent, left: string[]): void {
  const next = left[0];
  if (event.name === 'CONNECTED') client.sendSender('a@example.test');
  else if (event.name === 'SENDER_ACK' || event.name === 'RECIPIENT_ACK') {
    if (next !== undefined) client.sendRecipient(left.shift() ?? next);
    else client.sendBom({ raw: true });
  } else if (event.name === 'BOM_ACK') {
    client.sendBody(`${mark(event.message)}\r\n`);
    client.sendBody('.\r\n');
    client.sendEom();
  } else if (event.name === 'EOM_ACK') client.noop();
  else if (event.name === 'NOOP_ACK') client.reset();
  else if (event.name === 'RESET') client.disconnect();
}

const nothing = (client: WatchedClient): void => client.connect();

/** A message whose end is not called. */
export function unended(client: WatchedClient): void {
  client.connect();
  const message = client.sendSender('a@example.test');
  client.sendRecipient('b@example.test');
  client.sendBom({ raw: true });
  client.sendBody(`${mark(message)}\r\nhalf a line`);
}

export function twice(client: WatchedClient): void {
  client.connect();
  sendWhole(client);
  sendWhole(client, two);
}

const password = { user: 'ann', password: 'secret' };
const users = { ann: 'secret' };
const login = (...mechanisms: string[]): ServerOptions => ({ tls: 'starttls', auth: { mechanisms, users } });
const tls = { tls: 'starttls' } as const;

/** Before mail can be sent; each with nothing called ahead, and with a whole message. */
const opening: readonly Omit<Situation, 'state' | 'caller'>[] = [
  { name: 'the line is coming up', fault: { kind: 'unreachable' } },
  { name: 'the greeting is due', hold: ['CONNECT'] },
  { name: 'EHLO is due', hold: ['EHLO'] },
  { name: 'HELO is due', hold: ['HELO'], script: ({ verb }) => (verb === 'EHLO' ? '500 what?' : undefined) },
  { name: 'LHLO is due', hold: ['LHLO'], client: { protocol: 'lmtp' }, server: { lmtp: true } },
  { name: 'STARTTLS is due, optional', hold: ['STARTTLS'], server: tls },
  { name: 'STARTTLS is due, always', hold: ['STARTTLS'], server: tls, client: { tls: 'always' } },
  { name: 'the handshake goes on, optional', server: tls, handshake: 'stall' },
  { name: 'the handshake goes on, always', server: tls, client: { tls: 'always' }, handshake: 'stall' },
  {
    name: 'the handshake goes on, implicit',
    server: { tls: 'implicit' },
    client: { tls: 'implicit' },
    handshake: 'stall',
  },
  {
    name: 'the greeting under TLS is due',
    hold: ['CONNECT'],
    server: { tls: 'implicit' },
    client: { tls: 'implicit' },
  },
  { name: 'EHLO under TLS is due', hold: ['EHLO', 2], server: tls, client: { tls: 'always' } },
  { name: 'AUTH PLAIN is due', hold: ['AUTH'], server: login('PLAIN'), client: { auth: password } },
  { name: 'AUTH LOGIN is due', hold: ['RESPONSE', 2], server: login('LOGIN'), client: { auth: password } },
  {
    name: 'SCRAM waits for its first challenge',
    hold: ['AUTH'],
    server: login('SCRAM-SHA-1'),
    client: { auth: password },
  },
  {
    name: 'SCRAM waits for its proof',
    hold: ['RESPONSE', 1],
    server: login('SCRAM-SHA-1'),
    client: { auth: password },
  },
  {
    name: 'SCRAM waits for its 235',
    hold: ['RESPONSE', 2],
    server: login('SCRAM-SHA-1'),
    client: { auth: password },
  },
  {
    name: 'the second mechanism is due',
    hold: ['AUTH', 2],
    server: login('PLAIN', 'CRAM-MD5'),
    client: { auth: password },
    script: ({ verb, line }) => (verb === 'AUTH' && line.includes('CRAM') ? '535 not so' : undefined),
  },
  {
    name: 'a login is being cancelled',
    hold: ['RESPONSE'],
    server: login('SCRAM-SHA-1'),
    client: { auth: password },
    script: ({ verb }) => (verb === 'AUTH' ? '334 !!!' : undefined),
  },
];

/** After CONNECTED. */
const sending: readonly Pick<Situation, 'name' | 'state' | 'hold'>[] = [
  { name: 'MAIL is due', state: 'sender', hold: ['MAIL'] },
  { name: 'the first RCPT is due', state: 'recipients', hold: ['RCPT'] },
  { name: 'the second RCPT is due', state: 'recipients', hold: ['RCPT', 2] },
  { name: 'DATA is due', state: 'body', hold: ['DATA'] },
  { name: 'the verdict is due', state: 'sent', hold: ['CONTENT'] },
  { name: 'NOOP is due', state: 'ready', hold: ['NOOP'] },
  { name: 'RSET is due', state: 'ready', hold: ['RSET'] },
  { name: 'QUIT is due', state: 'closing', hold: ['QUIT'] },
];

const beforeVerdict = new Set(['sender', 'recipients', 'body']);

const styles: readonly Pick<Situation, 'name' | 'caller' | 'client' | 'server'>[] = [
  { name: 'ahead, pipelined', caller: ahead },
  { name: 'ahead, in lock step', caller: ahead, client: { pipelining: false } },
  { name: 'stepwise', caller: stepwise },
  {
    name: 'ahead, with TLS and login',
    caller: ahead,
    client: { tls: 'always', auth: password },
    server: login('PLAIN'),
  },
];

const refuseAll = ({ verb }: ServerCommand): string | undefined =>
  verb === 'RCPT' ? '550 nobody' : verb === 'DATA' ? '354 all the same' : undefined;

const special: readonly Situation[] = [
  { name: 'ready and idle', state: 'ready', caller: nothing },
  {
    name: 'ready and idle under TLS',
    state: 'ready',
    caller: nothing,
    server: tls,
    client: { tls: 'always' },
  },
  {
    name: 'the token is being fetched',
    state: 'sent',
    caller: ahead,
    server: { tls: 'starttls', auth: { mechanisms: ['XOAUTH2'], users: { ann: 'token' } } },
    client: () => ({ auth: { user: 'ann', token: onceNever() } }),
  },
  {
    name: 'the login was rejected',
    state: 'connecting',
    caller: nothing,
    server: login('PLAIN'),
    client: { auth: password },
    script: ({ verb }) => (verb === 'AUTH' ? '535 no' : undefined),
  },
  {
    name: 'the login was rejected, a message called ahead',
    state: 'sent',
    caller: ahead,
    server: login('PLAIN'),
    client: { auth: password },
    script: ({ verb }) => (verb === 'AUTH' ? '535 no' : undefined),
  },
  { name: 'the content stands open', state: 'body', caller: unended },
  {
    name: 'the content stands open, in lock step',
    state: 'body',
    caller: unended,
    client: { pipelining: false },
  },
  { name: 'content is called ahead, DATA due', state: 'body', caller: unended, hold: ['DATA'] },
  {
    name: 'the line is full',
    state: 'sent',
    caller(client) {
      client.connect();
      sendWhole(client, two, 'x'.repeat(200_000));
    },
    script: ({ verb }, session) => {
      if (verb === 'DATA') session.line.pause();
      return undefined;
    },
  },
  { name: 'a second message waits for a verdict', state: 'sent', caller: twice, hold: ['CONTENT'] },
  { name: 'the second message is judged', state: 'sent', caller: twice, hold: ['CONTENT', 2] },
  { name: 'an RSET of our own is due', state: 'sent', caller: twice, hold: ['RSET'], script: refuseAll },
  {
    name: 'MAIL was refused, 354 all the same',
    state: 'sent',
    caller: twice,
    hold: ['CONTENT'],
    script: ({ verb }) => (verb === 'MAIL' ? '550 not you' : verb === 'DATA' ? '354 go' : undefined),
  },
  {
    name: 'MAIL was refused, its RCPT is due',
    state: 'sent',
    caller: twice,
    hold: ['RCPT'],
    script: ({ verb }) => (verb === 'MAIL' ? '550 not you' : undefined),
  },
  {
    name: 'nobody is left, 354 all the same',
    state: 'sent',
    caller: twice,
    hold: ['CONTENT'],
    script: refuseAll,
  },
  {
    name: 'LMTP: the first verdict has come',
    state: 'sent',
    caller: (client) => {
      client.connect();
      sendWhole(client, two);
    },
    hold: ['CONTENT', 2],
    client: { protocol: 'lmtp' },
    server: { lmtp: true },
  },
];

/** A token that never comes the first time, and at once after that. */
function onceNever(): () => string | Promise<string> {
  let asked = 0;
  return () => (asked++ === 0 ? new Promise<string>(() => {}) : 'token');
}

export const situations: readonly Situation[] = [
  ...opening.flatMap((one) => [
    { ...one, state: 'connecting', caller: nothing },
    { ...one, name: `${one.name}, a message called ahead`, state: 'sent', caller: ahead },
  ]),
  ...styles.flatMap((style) =>
    sending.map((one): Situation => {
      // the caller's own view: called ahead, the message has ended long ago
      const state = style.caller === ahead && beforeVerdict.has(one.state) ? 'sent' : one.state;
      return { ...style, ...one, state, name: `${one.name}: ${style.name}` };
    }),
  ),
  ...special,
];
