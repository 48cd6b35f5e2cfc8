/** Every state that a client can wait in, how to get there, and which limit holds in it. For tests of time. */
import type { ServerOptions } from 'smtpump/testing';
import { type Bench, bench, plainLogin, replies, type Setup, silence } from './support.ts';

export const limits = {
  connectMs: 1010,
  secureMs: 1020,
  greetingMs: 1030,
  commandMs: 1040,
  dataMs: 1050,
  bodyMs: 1060,
  verdictMs: 1070,
  quitMs: 1080,
};
export const never = Number.POSITIVE_INFINITY;
const whole = { auth: { mechanisms: ['CRAM-MD5'], users: { ann: 'secret' } }, tls: 'starttls' } as const;
const login = { auth: plainLogin };

export interface Case {
  readonly state: string;
  readonly setup: Setup;
  readonly act?: (bench: Bench) => void;
  /** What readTimer() says in it. */
  readonly timer: number;
  /** The phase of TIMEOUT; undefined where nothing is limited. */
  readonly phase?: string;
}

export const mute = (verb: string, server: ServerOptions = {}, client = {}): Setup => ({
  server: { ...server, ...replies({ [verb]: silence }) },
  client,
});
const mailTo = (point: 'sender' | 'recipient' | 'bom' | 'eom') => {
  return ({ client, settle }: Bench): void => {
    settle(0);
    client.sendSender('a@example.test');
    if (point !== 'sender') client.sendRecipient('b@example.test');
    if (point === 'bom' || point === 'eom') client.sendBom({ raw: true });
    if (point === 'eom') client.sendEom();
  };
};

export const cases: readonly Case[] = [
  { state: 'opening', setup: { fault: { kind: 'unreachable' } }, timer: 1010, phase: 'connect' },
  { state: 'greeting', setup: mute('CONNECT'), timer: 1030, phase: 'greeting' },
  { state: 'EHLO', setup: mute('EHLO'), timer: 1040, phase: 'ehlo' },
  { state: 'STARTTLS', setup: mute('STARTTLS', { tls: 'starttls' }), timer: 1040, phase: 'starttls' },
  {
    state: 'handshake',
    setup: { server: { tls: 'starttls', handshake: 'stall' } },
    timer: 1020,
    phase: 'tls',
  },
  {
    state: 'implicit handshake',
    setup: { server: { tls: 'implicit', handshake: 'stall' }, client: { tls: 'implicit' } },
    timer: 1020,
    phase: 'tls',
  },
  { state: 'AUTH', setup: mute('AUTH', whole, login), timer: 1040, phase: 'auth' },
  { state: 'AUTH response', setup: mute('RESPONSE', whole, login), timer: 1040, phase: 'auth' },
  {
    state: 'token',
    setup: {
      server: { auth: { mechanisms: ['XOAUTH2'], users: {} }, tls: 'starttls' },
      client: { auth: { user: 'ann', token: () => new Promise<string>(() => {}) } },
    },
    timer: 1040,
    phase: 'auth',
  },
  {
    state: 'login rejected',
    setup: { server: { auth: { mechanisms: ['PLAIN'], users: {} }, tls: 'starttls' }, client: login },
    timer: never,
  },
  { state: 'ready', setup: {}, timer: never },
  { state: 'sender, unanswered', setup: mute('MAIL'), act: mailTo('sender'), timer: 1040, phase: 'mail' },
  { state: 'sender', setup: {}, act: mailTo('sender'), timer: never },
  {
    state: 'recipients, unanswered',
    setup: mute('RCPT'),
    act: mailTo('recipient'),
    timer: 1040,
    phase: 'rcpt',
  },
  { state: 'recipients', setup: {}, act: mailTo('recipient'), timer: never },
  { state: 'DATA', setup: mute('DATA'), act: mailTo('bom'), timer: 1050, phase: 'data' },
  { state: 'body, between pieces', setup: {}, act: mailTo('bom'), timer: never },
  {
    state: 'body, the line is full',
    setup: {},
    act: (made) => {
      mailTo('bom')(made);
      made.settle(0);
      made.transport.line?.pause();
      made.client.sendBody(new Uint8Array(200_000));
    },
    timer: 1060,
    phase: 'body',
  },
  { state: 'sent', setup: mute('CONTENT'), act: mailTo('eom'), timer: 1070, phase: 'verdict' },
  {
    state: 'RSET',
    setup: mute('RSET'),
    act: ({ client, settle }) => {
      settle(0);
      client.reset();
    },
    timer: 1040,
    phase: 'rset',
  },
  {
    state: 'NOOP',
    setup: mute('NOOP'),
    act: ({ client, settle }) => {
      settle(0);
      client.noop();
    },
    timer: 1040,
    phase: 'noop',
  },
  {
    state: 'QUIT',
    setup: mute('QUIT'),
    act: ({ client, settle }) => {
      settle(0);
      client.disconnect();
    },
    timer: 1080,
    phase: 'quit',
  },
];

export function enter({ setup, act }: Case): Bench {
  const made = bench({ ...setup, client: { timeouts: limits, ...setup.client } });
  made.client.connect();
  act?.(made);
  made.settle(0);
  made.news();
  return made;
}
