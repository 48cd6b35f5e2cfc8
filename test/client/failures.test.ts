/** What the network and a broken server can do: every ending has its event, its code, and comes once. */

import { SmtpClient } from 'smtpump';
import type { ReplyPlan } from 'smtpump/testing';
import { LineError, ScriptedServer, SimNetwork, VirtualClock, withFaults } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import {
  type Bench,
  bench,
  connected,
  last,
  plainLogin,
  replies,
  sendMail,
  settle,
  short,
} from './support.ts';

/** Where in a whole session with TLS and login, and what was due then. */
const stages = [
  { verb: 'CONNECT', phase: 'greeting', ends: ' 1:unsent' },
  { verb: 'EHLO', phase: 'ehlo', ends: ' 1:unsent' },
  { verb: 'STARTTLS', phase: 'starttls', ends: ' 1:unsent' },
  { verb: 'AUTH', phase: 'auth', ends: ' 1:unsent' },
  { verb: 'RESPONSE', phase: 'auth', ends: ' 1:unsent' },
  { verb: 'MAIL', phase: 'mail', ends: ' 1:unsent' },
  { verb: 'RCPT', phase: 'rcpt', ends: ' 1:unsent' },
  { verb: 'DATA', phase: 'data', ends: ' 1:unsent' },
  { verb: 'CONTENT', phase: 'verdict', ends: ' 1:unknown' },
  { verb: 'NOOP', phase: 'noop', ends: '' },
  { verb: 'RSET', phase: 'rset', ends: '' },
] as const;

function run(verb: string, plan: ReplyPlan | string): Bench {
  const made = bench({
    server: {
      tls: 'starttls',
      auth: { mechanisms: ['CRAM-MD5'], users: { ann: 'secret' } },
      ...replies({ [verb]: plan }),
    },
    client: { auth: plainLogin },
  });
  made.client.connect();
  if (verb === 'NOOP') made.client.noop();
  else if (verb === 'RSET') made.client.reset();
  else sendMail(made.client);
  made.settle();
  return made;
}

describe('a line that ends', () => {
  it.each(stages)(
    'TK62 TK63: the server closes in place of answering $verb: ESHUTDOWN with the phase, once',
    (stage) => {
      const made = run(stage.verb, { drop: true });
      expect(made.told.at(-1)).toBe(`DISCONNECTED ESHUTDOWN${stage.ends}`);
      expect(made.told.filter((line) => line.startsWith('DISCONNECTED'))).toHaveLength(1);
      const { reason } = last(made.events, 'DISCONNECTED');
      expect(reason).toMatchObject({
        code: 'ESHUTDOWN',
        phase: stage.phase,
        retryable: true,
        reply: undefined,
      });
      expect(made.client.state).toBe('disconnected');
      expect(made.client.due).toBe(0);
      expect(made.client.execute()).toBe('idle');
      expect(made.client.readTimer()).toBe(Number.POSITIVE_INFINITY);
    },
  );

  it.each(stages)(
    'TK62 TK64: the line breaks at $verb: ECONNECTION with the socket error as cause',
    (stage) => {
      const made = run(stage.verb, { reset: true });
      expect(made.told.at(-1)).toBe(`DISCONNECTED ECONNECTION${stage.ends}`);
      const { reason } = last(made.events, 'DISCONNECTED');
      expect(reason).toMatchObject({ phase: stage.phase, retryable: true, cause: { code: 'ECONNRESET' } });
    },
  );

  it('TK63: while idle, and while the content is open', () => {
    const idle = connected();
    idle.transport.line?.end();
    idle.settle();
    expect(idle.news()).toEqual(['DISCONNECTED ESHUTDOWN']);
    const reason = last(idle.events, 'DISCONNECTED').reason;
    expect(reason).toMatchObject({ phase: 'connect', hint: expect.stringMatching(/was idle: connect\(\)/) });
    expect(reason?.command).toBeUndefined();
    for (const extensions of [[], ['PIPELINING', 'CHUNKING']]) {
      const open = connected({ server: { extensions } });
      open.client.sendSender('a@example.test');
      open.client.sendRecipient('b@example.test');
      open.client.sendBom();
      open.settle();
      open.transport.line?.end();
      open.settle();
      expect(open.news().at(-1)).toBe('DISCONNECTED ESHUTDOWN 1:unsent');
      expect(last(open.events, 'DISCONNECTED').reason?.phase).toBe('body');
    }
  });

  it('during the handshake it is SECURE_FAIL', () => {
    const made = bench({ server: { tls: 'implicit', handshake: 'stall' }, client: { tls: 'implicit' } });
    made.client.connect();
    made.settle(0);
    made.transport.line?.end();
    made.settle(0);
    expect(made.told).toEqual(['SECURE_FAIL', 'DISCONNECTED ETLS']);
  });

  it.each([
    ['refused', 'mx.example.test', 'ECONNREFUSED', /host and port/],
    ['unknown host', 'nowhere.test', 'ENOTFOUND', /host/],
  ])(
    'TK64: %s: DISCONNECTED ECONNECTION with that code, phase connect, and a hint',
    (_, host, code, hint) => {
      const clock = new VirtualClock();
      const network = new SimNetwork({ clock }).listen('mx.example.test:25', new ScriptedServer());
      const client = new SmtpClient({
        host,
        port: 587,
        pump: 'manual',
        clock,
        transport: network.transport(),
      });
      const told: string[] = [];
      client.on('event', (event) => told.push(short(event)));
      let reason: unknown;
      client.on('DISCONNECTED', (event) => {
        reason = event.reason;
      });
      client.connect();
      sendMail(client);
      settle(client, clock, 1000);
      expect(told).toEqual(['DISCONNECTED ECONNECTION 1:unsent']);
      expect(reason).toMatchObject({
        phase: 'connect',
        cause: { code },
        hint: expect.stringMatching(hint),
        retryable: true,
      });
    },
  );
});

describe('a server out of step', () => {
  const ready = ['SECURE_OK', 'AUTH_OK CRAM-MD5', 'CONNECTED'];
  const acks = ['SENDER_ACK 1', 'RECIPIENT_ACK 1 b', 'BOM_ACK 1'];

  it.each([
    ['CONNECT', '250 hello', [], 'greeting', ' 1:unsent'],
    ['CONNECT', '354 hello', [], 'greeting', ' 1:unsent'],
    ['EHLO', '354 hello', [], 'ehlo', ' 1:unsent'],
    ['MAIL', '354 go', ready, 'mail', ' 1:unsent'],
    ['RCPT', '354 go', [...ready, 'SENDER_ACK 1'], 'rcpt', ' 1:unsent'],
    ['DATA', '250 fine', [...ready, 'SENDER_ACK 1', 'RECIPIENT_ACK 1 b'], 'data', ' 1:unsent'],
    ['CONTENT', '354 more', [...ready, ...acks], 'verdict', ' 1:unknown'],
    ['NOOP', '354 go', ready, 'noop', ''],
    ['RSET', '334 go', ready, 'rset', ''],
  ])(
    'TK61 TK62: %s answered with %s: DISCONNECTED ESERVERSYNC with the reply',
    (verb, reply, before, phase, ends) => {
      const made = run(verb, reply);
      expect(made.told).toEqual([...before, `DISCONNECTED ESERVERSYNC${ends}`]);
      const { reason } = last(made.events, 'DISCONNECTED');
      expect(reason).toMatchObject({
        code: 'ESERVERSYNC',
        phase,
        retryable: false,
        reply: { code: Number(reply.slice(0, 3)) },
      });
      expect(made.server.open).toBe(0);
    },
  );

  it.each([
    ['a reply with nothing due', '250 surprise\r\n'],
    ['no reply at all', 'HTTP/1.1 400 Bad Request\r\n'],
    ['a code that changes', '250-one\r\n251 two\r\n'],
    ['an endless line', '2'.repeat(100_000)],
    ['NUL', '250 \0\r\n'],
  ])('TK61: %s while idle: one DISCONNECTED ESERVERSYNC', (_, raw) => {
    const made = connected();
    made.server.connections[0]?.say(raw);
    made.settle();
    expect(made.news()).toEqual(['DISCONNECTED ESERVERSYNC']);
    expect(made.client.can('connect')).toBe(true);
  });
});

describe('faults injected at every call of the transport', () => {
  const setup = (): Parameters<typeof bench>[0] => ({
    server: { tls: 'starttls', auth: { mechanisms: ['PLAIN'], users: { ann: 'secret' } } },
    client: { auth: plainLogin, pipelining: false },
    line: { latencyMs: 10 },
  });

  /** Every message's ends, told by whichever event: verdicts, refusals, DISCONNECTED. */
  function endsOf({ events }: Bench, id: number): string[] {
    return events.flatMap((event) => {
      if (event.name === 'EOM_ACK' && event.message.id === id) return ['delivered'];
      if ((event.name === 'SERVER_ERROR' || event.name === 'SERVER_RETRY') && event.message?.id === id)
        return ['refused'];
      if (event.name === 'DISCONNECTED')
        return event.messages.filter(({ message }) => message.id === id).map(({ outcome }) => outcome);
      return [];
    });
  }

  it.each(['open', 'secure', 'write', 'poll'] as const)(
    'TK71: the n-th %s fails, for every n: one DISCONNECTED, last; one end for each message, true to the server',
    (call) => {
      let reached = 0;
      for (let n = 1; n < 60; n++) {
        const error = new LineError('EPIPE', 'injected');
        const made = bench({
          ...setup(),
          wrap: (inner, clock) => withFaults(inner, { clock, failAt: { call, n, error } }),
        });
        const { client, told, server } = made;
        client.connect();
        sendMail(client, { to: ['b@example.test', 'c@example.test'] });
        sendMail(client);
        client.on('CONNECTED', () => client.disconnect());
        made.settle(1_000_000);
        const ends = [endsOf(made, 1), endsOf(made, 2)];
        expect(
          told.filter((line) => line.startsWith('DISCONNECTED')),
          `n = ${n}`,
        ).toHaveLength(1);
        expect(told.at(-1), `n = ${n}`).toMatch(/^DISCONNECTED/);
        expect(
          ends.map((list) => list.length),
          `n = ${n}: ${told.join(', ')}`,
        ).toEqual([1, 1]);
        // "delivered" and "unsent" are promises
        const sure = ends.flat().filter((end) => end === 'delivered').length;
        const open = ends.flat().filter((end) => end === 'unknown').length;
        expect(server.delivered, `n = ${n}`).toBeGreaterThanOrEqual(sure);
        expect(server.delivered, `n = ${n}`).toBeLessThanOrEqual(sure + open);
        expect(new Set(told).size, `n = ${n}`).toBe(told.length);
        expect(client.readTimer()).toBe(Number.POSITIVE_INFINITY);
        if (last(made.events, 'DISCONNECTED').reason === undefined) break;
        reached = n;
      }
      const least = { open: 1, secure: 1, write: 10, poll: 12 };
      expect(reached).toBeGreaterThanOrEqual(least[call]);
      expect(reached).toBeLessThan(59);
    },
  );

  it('TK71: the line stalls after every n-th byte of the server: a time limit ends it, once', () => {
    for (let after = 0; after < 700; after += 13) {
      const made = bench({ ...setup(), fault: { kind: 'stall', direction: 'toClient', after } });
      made.client.connect();
      sendMail(made.client);
      made.client.on('CONNECTED', () => made.client.disconnect());
      made.settle(10_000_000);
      const ends = made.told.filter((line) => /^(DISCONNECTED|TIMEOUT)/.test(line));
      if (ends.length === 1) expect(ends).toEqual(['DISCONNECTED']);
      else
        expect(ends.map((line) => line.split(' ').slice(0, 2).join(' '))[1], String(after)).toBe(
          'DISCONNECTED ETIMEDOUT',
        );
      expect(ends.length).toBeLessThan(3);
      expect(endsOf(made, 1)).toHaveLength(1);
    }
  });
});
