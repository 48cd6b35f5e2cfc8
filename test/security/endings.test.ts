/** Ends of lines and of time (S18, S19, S20): an end is an event and never a retry, and no drip buys time. */

import type { SmtpClientOptions } from 'smtpump';
import { ScriptedServer, type ServerOptions, type ServerSession } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import { falsehoods } from '../faults/truths.ts';
import { sendWhole } from '../faults/watched.ts';
import { auth, field } from './field.ts';

const login: ServerOptions = {
  tls: 'starttls',
  auth: { mechanisms: ['SCRAM-SHA-1'], users: { ann: 'secret' } },
};
const verbs = [
  'CONNECT',
  'EHLO',
  'STARTTLS',
  'AUTH',
  'RESPONSE',
  'MAIL',
  'RCPT',
  'DATA',
  'CONTENT',
  'NOOP',
  'RSET',
  'QUIT',
] as const;

describe('S18: the end of the line is an event and never a retry', () => {
  it.each(verbs)('in place of the answer to %s', (verb) => {
    for (const plan of [
      { drop: true },
      { reset: true },
      { raw: '250-half', drop: true },
      { reply: '250 yes', drop: true },
    ]) {
      const server = new ScriptedServer({
        ...login,
        reply: (command) =>
          command.verb === verb ? { raw: 'reply' in plan ? undefined : '', ...plan } : undefined,
      });
      const made = field(server, { auth });
      const { client, clock, tap } = made;
      client.connect();
      sendWhole(client);
      client.noop();
      client.reset();
      client.drive = (event) => void (event.name === 'RESET' && client.disconnect());
      made.finish();
      const said = server.commands.length;
      const written = tap.bytesOut;
      const told = made.told.length;
      // a day later, and a hundred turns
      clock.advance(86_400_000);
      for (let turn = 0; turn < 100; turn++) client.execute();
      made.settle();
      expect({ lines: server.accepted, opened: tap.calls.open, said: server.commands.length }).toEqual({
        lines: 1,
        opened: 1,
        said,
      });
      expect({ written: tap.bytesOut, told: made.told.length }).toEqual({ written, told });
      expect(server.commands.filter((line) => line === 'RSET').length).toBeLessThanOrEqual(1);
      for (const once of ['MAIL', 'RCPT', 'DATA', 'NOOP', 'QUIT', 'STARTTLS', 'AUTH'])
        expect(server.commands.filter((line) => line.startsWith(once)).length, once).toBeLessThanOrEqual(1);
      expect(falsehoods(client, { secure: true })).toEqual([]);
      expect(tap.calls.close).toBe(1);
    }
  });

  it('a line that is refused, or never comes up, is tried once', () => {
    for (const where of ['other.example.test:1', 'mx.example.test:1']) {
      const server = new ScriptedServer();
      const made = field(server);
      made.client.connect({ host: where.split(':')[0], port: 1, path: undefined });
      made.settle();
      if (made.client.can('abort')) made.client.abort();
      made.settle();
      expect(made.tap.calls.open).toBe(1);
    }
  });

  it('a server that refuses everything is asked each thing once: no loop of mechanisms, EHLO or RSET', () => {
    const mechanisms = ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'CRAM-MD5', 'PLAIN', 'LOGIN'];
    const server = new ScriptedServer({
      auth: { mechanisms, users: {} },
      tls: 'starttls',
      reply: ({ verb }) => (verb === 'AUTH' ? '535 no' : undefined),
    });
    const made = field(server, { auth });
    made.client.connect();
    made.settle();
    expect(server.commands.filter((line) => line.startsWith('AUTH'))).toHaveLength(mechanisms.length);
    expect(made.told).toEqual(['SECURE_OK', 'AUTH_FAIL 535']);
    const deaf = new ScriptedServer({ reply: ({ verb }) => (/EHLO|HELO/.test(verb) ? '502 no' : undefined) });
    const other = field(deaf);
    other.client.connect();
    other.finish();
    expect(deaf.commands).toEqual(['EHLO client.example.test', 'HELO client.example.test']);
    const full = new ScriptedServer({
      reply: ({ verb }) => (/MAIL|RSET/.test(verb) ? '452 full' : undefined),
    });
    const third = field(full);
    third.client.connect();
    for (let i = 0; i < 5; i++) sendWhole(third.client);
    third.settle();
    expect(full.commands.filter((line) => line.startsWith('MAIL'))).toHaveLength(5);
    expect(full.commands.filter((line) => line === 'RSET').length).toBeLessThanOrEqual(5);
  });
});

describe('S19: dripping octets buy no time', () => {
  const limits: Readonly<Record<string, [verb: string, limit: string, phase: string]>> = {
    'the greeting': ['CONNECT', 'greetingMs', 'greeting'],
    EHLO: ['EHLO', 'commandMs', 'ehlo'],
    STARTTLS: ['STARTTLS', 'commandMs', 'starttls'],
    AUTH: ['AUTH', 'commandMs', 'auth'],
    MAIL: ['MAIL', 'commandMs', 'mail'],
    RCPT: ['RCPT', 'commandMs', 'rcpt'],
    DATA: ['DATA', 'dataMs', 'data'],
    'the verdict': ['CONTENT', 'verdictMs', 'verdict'],
    NOOP: ['NOOP', 'commandMs', 'noop'],
    RSET: ['RSET', 'commandMs', 'rset'],
    QUIT: ['QUIT', 'quitMs', 'quit'],
  };

  /** One octet every 100 ms, for ever: of a line, of a reply of many lines, of empty lines. */
  const drips = ['250-and so it goes', '250-x\r\n', '\r\n'];

  it.each(Object.entries(limits))(
    '%s: one octet each 100 ms with a limit of 300 ms',
    (_, [verb, limit, phase]) => {
      for (const drip of drips) {
        const dripping = (session: ServerSession, i: number): void => {
          session.say(drip[i % drip.length] ?? '');
          session.line.after(100, () => dripping(session, i + 1));
        };
        let from = 0;
        let octets = 0;
        const server = new ScriptedServer({
          ...login,
          reply(command, session) {
            if (command.verb !== verb) return undefined;
            from = made.clock.now();
            octets = made.tap.bytesIn;
            dripping(session, 0);
            return { raw: '', stall: true };
          },
        });
        const made = field(server, {
          auth,
          timeouts: { [limit]: 300 } as SmtpClientOptions['timeouts'] & object,
        });
        made.client.connect();
        sendWhole(made.client);
        made.client.noop();
        made.client.reset();
        made.client.drive = (event) => void (event.name === 'RESET' && made.client.disconnect());
        made.finish();
        expect(made.told.at(-2), drip).toBe(`TIMEOUT ${phase}`);
        expect(made.clock.now() - from).toBe(300);
        expect(made.tap.bytesIn - octets).toBeGreaterThanOrEqual(2);
        expect(falsehoods(made.client)).toEqual([]);
      }
    },
  );

  it('totalMs bounds all of connecting, however lively the server is', () => {
    const server = new ScriptedServer({ ...login, delayMs: 200 });
    const made = field(server, { auth, timeouts: { totalMs: 500 } });
    const from = made.clock.now();
    made.client.connect();
    made.finish();
    expect(made.told.at(-1)).toBe('DISCONNECTED ETIMEDOUT');
    expect(made.clock.now() - from).toBe(500);
  });

  it('messageMs bounds a message, however many answers come in between', () => {
    const server = new ScriptedServer({ delayMs: 200 });
    const made = field(server, { timeouts: { messageMs: 1000 } });
    made.client.connect();
    sendWhole(made.client, ['b@example.test', 'c@example.test', 'd@example.test', 'e@example.test']);
    made.finish();
    expect(made.told.at(-1)).toMatch(/^DISCONNECTED ETIMEDOUT 1:un/);
    expect(falsehoods(made.client, { server })).toEqual([]);
  });

  it('a server that reads one octet at a time does not hold a body for ever', () => {
    const server = new ScriptedServer({
      reply(command, session) {
        if (command.verb === 'DATA') session.line.pause();
        return undefined;
      },
    });
    const made = field(server, { timeouts: { bodyMs: 300 } });
    made.client.connect();
    sendWhole(made.client, ['b@example.test'], 'x'.repeat(400_000));
    const from = made.clock.now();
    made.finish();
    expect(made.told.slice(-2)).toEqual(['TIMEOUT body', 'DISCONNECTED ETIMEDOUT 1:unsent']);
    expect(made.clock.now() - from).toBe(300);
  });
});

describe('S20: an end that left without a verdict is unknown, and is not sent again', () => {
  const ends = {
    'the line ends': { drop: true, raw: '' },
    'the line breaks': { reset: true, raw: '' },
    'nothing comes': { stall: true, raw: '' },
    'half a verdict comes': { raw: '250 2.0.0 ok', drop: true },
    'half a long verdict comes': { raw: '250-2.0.0 ok\r\n', drop: true },
    'nonsense comes': { raw: 'ok\r\n' },
  } as const;

  it.each(Object.entries(ends))('%s after the final dot', (_, plan) => {
    for (const pipelining of [true, false]) {
      const server = new ScriptedServer({ reply: ({ verb }) => (verb === 'CONTENT' ? plan : undefined) });
      const made = field(server, { pipelining });
      made.client.connect();
      sendWhole(made.client);
      sendWhole(made.client);
      made.finish();
      expect(made.told.at(-1)).toMatch(/^DISCONNECTED E\w+ 1:unknown 2:unsent$/);
      expect(made.tap.text.split('Subject: message 1\r\n')).toHaveLength(2);
      expect(made.tap.text).not.toContain('Subject: message 2');
      // the same client, later: what is unknown stays the caller's to decide
      made.client.connect();
      made.settle();
      expect(made.tap.text.split('Subject: message 1\r\n')).toHaveLength(2);
      expect(made.client.due).toBe(0);
    }
  });

  it('the dot that did not leave in full is no end: unsent', () => {
    const server = new ScriptedServer({
      reply(command, session) {
        if (command.verb === 'DATA') session.line.pause();
        return undefined;
      },
    });
    const made = field(server, { timeouts: { bodyMs: 1000 } });
    made.client.connect();
    sendWhole(made.client, ['b@example.test'], 'y'.repeat(300_000));
    made.settle();
    made.client.abort();
    made.settle();
    expect(made.told.at(-1)).toBe('DISCONNECTED EABORTED 1:unsent');
    expect(made.tap.text).not.toContain('\r\n.\r\n');
  });

  it('421 as the verdict: this one is put off, those that follow are unsent', () => {
    const server = new ScriptedServer({
      reply: ({ verb }) => (verb === 'CONTENT' ? '421 4.3.2 down' : undefined),
    });
    const made = field(server);
    made.client.connect();
    sendWhole(made.client);
    sendWhole(made.client);
    made.finish();
    expect(made.told.slice(-2)).toEqual(['SERVER_RETRY sendEom 1 421', 'DISCONNECTED ESERVERTEMP 2:unsent']);
    expect(falsehoods(made.client, { server })).toEqual([]);
  });
});
