/** 421: as the answer to each kind of command, and out of the blue. */
import type { ServerCommand } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import { bench, connected, last, plainLogin, replies, sendMail } from './support.ts';

const closing = '421 4.3.2 shutting down';

describe('421', () => {
  it.each([
    ['CONNECT', 'greeting', 'greeting'],
    ['EHLO', 'ehlo', 'ehlo'],
  ])('to %s: SERVER_RETRY connect, then DISCONNECTED with the reply', (verb, phase) => {
    const { client, server, told, events, settle } = bench({ server: replies({ [verb]: closing }) });
    client.connect();
    sendMail(client);
    settle();
    expect(told).toEqual(['SERVER_RETRY connect 421', 'DISCONNECTED ESERVERTEMP 1:unsent']);
    expect(last(events, 'SERVER_RETRY').error).toMatchObject({ code: 'ESERVERTEMP', phase });
    expect(last(events, 'DISCONNECTED').reason).toMatchObject({
      code: 'ESERVERTEMP',
      phase,
      reply: { code: 421 },
    });
    expect(server.commands.length).toBe(verb === 'EHLO' ? 1 : 0);
    expect(server.open).toBe(0);
  });

  it('to STARTTLS and to AUTH: the same, and no mechanism or clear text after it', () => {
    const tls = bench({ server: { tls: 'starttls', ...replies({ STARTTLS: closing }) } });
    tls.client.connect();
    tls.settle();
    expect(tls.told).toEqual(['SERVER_RETRY connect 421', 'DISCONNECTED ESERVERTEMP']);
    expect(tls.server.commands).toEqual(['EHLO client.example.test', 'STARTTLS']);

    const auth = { mechanisms: ['PLAIN', 'LOGIN'], users: { ann: 'secret' } };
    const login = bench({
      server: { auth, ...replies({ AUTH: closing }) },
      client: { auth: { ...plainLogin, allowPlaintext: true } },
    });
    login.client.connect();
    login.settle();
    expect(login.told).toEqual(['SERVER_RETRY connect 421', 'DISCONNECTED ESERVERTEMP']);
    expect(login.server.commands).toHaveLength(2);
    expect(last(login.events, 'DISCONNECTED').reason?.phase).toBe('auth');
  });

  /** The one message of a whole mail that is called at once. */
  it.each([
    ['MAIL', ['SERVER_RETRY sendSender 1 421', 'DISCONNECTED ESERVERTEMP'], 'mail'],
    [
      'RCPT',
      ['SENDER_ACK 1', 'SERVER_RETRY sendRecipient 1 b 421', 'DISCONNECTED ESERVERTEMP 1:unsent'],
      'rcpt',
    ],
    [
      'DATA',
      ['SENDER_ACK 1', 'RECIPIENT_ACK 1 b', 'SERVER_RETRY sendBom 1 421', 'DISCONNECTED ESERVERTEMP'],
      'data',
    ],
    [
      'CONTENT',
      [
        'SENDER_ACK 1',
        'RECIPIENT_ACK 1 b',
        'BOM_ACK 1',
        'SERVER_RETRY sendEom 1 421',
        'DISCONNECTED ESERVERTEMP',
      ],
      'verdict',
    ],
  ])('to %s: the step is told its SERVER_RETRY, the message ends once', (verb, expected, phase) => {
    const { client, server, settle, news, events } = connected({ server: replies({ [verb]: closing }) });
    let after = 0;
    client.on('SERVER_RETRY', () => {
      after = server.commands.length;
    });
    sendMail(client);
    settle();
    expect(news()).toEqual(expected);
    expect(last(events, 'DISCONNECTED').reason).toMatchObject({
      code: 'ESERVERTEMP',
      phase,
      reply: { code: 421 },
      retryable: true,
    });
    // nothing more is written
    expect(server.commands).toHaveLength(after);
    expect(server.commands).not.toContain('QUIT');
  });

  it.each([
    ['NOOP', 'SERVER_RETRY noop 421', 'noop'],
    ['RSET', 'SERVER_RETRY reset 421', 'rset'],
  ])('to %s', (verb, event, phase) => {
    const { client, settle, news, events } = connected({ server: replies({ [verb]: closing }) });
    if (verb === 'NOOP') client.noop();
    else client.reset();
    settle();
    expect(news()).toEqual([event, 'DISCONNECTED ESERVERTEMP']);
    expect(last(events, 'SERVER_RETRY').error).toMatchObject({ phase, command: verb });
  });

  it('other ended messages: unknown where the end has left, else unsent', () => {
    const nth = (verb: string, n: number) =>
      replies({ [verb]: (_: ServerCommand, k: number) => (k === n ? closing : undefined) });
    const second = connected({ server: nth('MAIL', 2) });
    sendMail(second.client);
    sendMail(second.client);
    sendMail(second.client);
    second.settle();
    expect(second.news().slice(3)).toEqual([
      'EOM_ACK 1 b/',
      'SERVER_RETRY sendSender 2 421',
      'DISCONNECTED ESERVERTEMP 3:unsent',
    ]);
    const noop = connected({ server: { ...nth('NOOP', 1) } });
    noop.client.noop();
    sendMail(noop.client);
    noop.client.execute();
    noop.settle();
    expect(noop.news()).toEqual(['SERVER_RETRY noop 421', 'DISCONNECTED ESERVERTEMP 1:unsent']);
  });

  it('idle: only DISCONNECTED', () => {
    const { client, server, settle, news, events } = connected();
    server.connections[0]?.say(`${closing}\r\n`);
    settle();
    expect(news()).toEqual(['DISCONNECTED ESERVERTEMP']);
    expect(last(events, 'DISCONNECTED').reason).toMatchObject({
      code: 'ESERVERTEMP',
      reply: { code: 421 },
      command: undefined,
    });
    expect(client.lastReply?.code).toBe(421);
    expect(client.can('connect')).toBe(true);
  });

  it('idle in mid-message: what was not ended is unsent', () => {
    const { client, server, settle, news } = connected();
    client.sendSender('a@example.test');
    client.sendRecipient('b@example.test');
    client.sendBom({ raw: true });
    client.sendBody('half');
    settle();
    news();
    server.connections[0]?.say(`${closing}\r\n`);
    settle();
    expect(news()).toEqual(['DISCONNECTED ESERVERTEMP 1:unsent']);
  });

  it('after AUTH_FAIL', () => {
    const { client, server, settle, told } = bench({
      server: { auth: { mechanisms: ['PLAIN'], users: {} } },
      client: { auth: { ...plainLogin, allowPlaintext: true } },
    });
    client.connect();
    settle();
    server.connections[0]?.say(`${closing}\r\n`);
    settle();
    expect(told).toEqual(['AUTH_FAIL 535', 'DISCONNECTED ESERVERTEMP']);
  });

  it('in LMTP as one of the verdicts: that recipient is told, the message is unknown', () => {
    const { client, settle, news } = connected({
      server: { lmtp: true, ...replies({ CONTENT: (_, nth) => (nth === 2 ? closing : undefined) }) },
      client: { protocol: 'lmtp' },
    });
    sendMail(client, { to: ['b@example.test', 'c@example.test', 'd@example.test'] });
    settle();
    expect(news().slice(5)).toEqual(['SERVER_RETRY sendEom 1 c 421', 'DISCONNECTED ESERVERTEMP 1:unknown']);
  });
});
