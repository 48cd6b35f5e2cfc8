/** reset(), disconnect() and abort() in every phase: what is still sent, what is told, what becomes of the messages. */
import type { SmtpClient } from 'smtpump';
import type { ScriptedReply } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import { type Bench, bench, connected, last, replies, sendMail, silence } from './support.ts';

const verbs = (lines: readonly string[]) => lines.slice(1).map((line) => line.split(' ')[0]);
const late = (reply: string): ScriptedReply => ({ reply, delayMs: 1000 });

/** Steps up to a point, and turned; then `turned: false` leaves the last of them unsent. */
function steps(client: SmtpClient, upTo: 'sender' | 'recipient' | 'bom' | 'body' | 'eom'): void {
  client.sendSender('a@example.test');
  if (upTo === 'sender') return;
  client.sendRecipient('b@example.test');
  if (upTo === 'recipient') return;
  client.sendBom({ raw: true });
  if (upTo === 'bom') return;
  client.sendBody('half a line');
  if (upTo === 'body') return;
  client.sendEom();
}

function nextMailGoes({ client, server, settle, news }: Bench, id: number): void {
  sendMail(client);
  settle();
  expect(news()).toEqual([`SENDER_ACK ${id}`, `RECIPIENT_ACK ${id} b`, `BOM_ACK ${id}`, `EOM_ACK ${id} b/`]);
  expect(server.violations).toEqual([]);
}

describe('reset()', () => {
  it('TK19: with nothing to withdraw it is a plain RSET, and RESET is told once, with the reply', () => {
    const { client, server, settle, news, events } = connected();
    client.reset();
    settle();
    expect(news()).toEqual(['RESET']);
    expect(last(events, 'RESET').reply.code).toBe(250);
    expect(verbs(server.commands)).toEqual(['RSET']);
    expect(client.state).toBe('ready');
  });

  it('TK18: after RCPT it withdraws: state ready, no timer, and a new transaction works', () => {
    const made = connected();
    const { client, server, settle, news } = made;
    steps(client, 'recipient');
    settle();
    news();
    client.reset();
    expect(client.state).toBe('ready');
    settle();
    expect(news()).toEqual(['RESET']);
    expect(client.readTimer()).toBe(Number.POSITIVE_INFINITY);
    expect(verbs(server.commands)).toEqual(['MAIL', 'RCPT', 'RSET']);
    nextMailGoes(made, 2);
    expect(verbs(server.commands)).toEqual(['MAIL', 'RCPT', 'RSET', 'MAIL', 'RCPT', 'DATA']);
  });

  it('TK18: while a reply is due the reply is waited for, told to nobody, and RESET follows', () => {
    const made = connected({ server: replies({ MAIL: (_, nth) => (nth === 1 ? late('250 ok') : undefined) }) });
    const { client, settle, news } = made;
    steps(client, 'recipient');
    client.execute();
    client.reset();
    settle();
    expect(news()).toEqual(['RESET']);
    nextMailGoes(made, 2);
  });

  it('what has not left is never sent', () => {
    const made = connected();
    const { client, server, settle, news } = made;
    steps(client, 'bom');
    client.reset();
    settle();
    expect(verbs(server.commands)).toEqual(['RSET']);
    expect(news()).toEqual(['RESET']);
    nextMailGoes(made, 2);
    expect(verbs(server.commands)).toEqual(['RSET', 'MAIL', 'RCPT', 'DATA']);
  });

  it('while connecting it is sent when mail can be', () => {
    const { client, server, settle, told } = bench();
    client.connect();
    steps(client, 'body');
    client.reset();
    settle();
    expect(told).toEqual(['CONNECTED', 'RESET']);
    expect(verbs(server.commands)).toEqual(['RSET']);
  });

  it('a refused RSET is SERVER_ERROR', () => {
    const { client, settle, news } = connected({ server: replies({ RSET: '500 what?' }) });
    client.reset();
    settle();
    expect(news()).toEqual(['SERVER_ERROR reset 500']);
  });

  it('while DATA content is open the line is closed: unsent, EABORTED, nothing after it', () => {
    const { client, server, settle, news, events } = connected();
    steps(client, 'body');
    settle();
    news();
    client.reset();
    settle();
    expect(news()).toEqual(['DISCONNECTED EABORTED 1:unsent']);
    expect(last(events, 'DISCONNECTED').reason).toMatchObject({ code: 'EABORTED', phase: 'body' });
    expect(verbs(server.commands)).toEqual(['MAIL', 'RCPT', 'DATA']);
    expect(server.messages).toEqual([]);
    expect(client.state).toBe('disconnected');
  });

  it('DATA on the wire and not answered: 354 closes the line, unsent, EABORTED', () => {
    const { client, server, settle, news } = connected({ server: replies({ DATA: late('354 go') }) });
    steps(client, 'body');
    client.execute();
    client.reset();
    settle();
    expect(news()).toEqual(['DISCONNECTED EABORTED 1:unsent']);
    expect(verbs(server.commands)).toEqual(['MAIL', 'RCPT', 'DATA']);
    expect(server.violations).toEqual([]);
  });

  it('DATA on the wire and then refused: nothing to close, RESET', () => {
    const made = connected({ server: replies({ DATA: (_, nth) => (nth === 1 ? late('451 later') : undefined) }) });
    const { client, settle, news } = made;
    steps(client, 'body');
    client.execute();
    client.reset();
    settle();
    expect(news()).toEqual(['RESET']);
    nextMailGoes(made, 2);
  });

  it('DATA on the wire, nobody accepted and 354: a lone dot, RESET', () => {
    const first = (reply: ScriptedReply) => (_: unknown, nth: number) => (nth === 1 ? reply : undefined);
    const made = connected({
      server: replies({ RCPT: first(late('550 no')), DATA: first('354 go'), CONTENT: first('554 nothing') }),
    });
    const { client, server, settle, news } = made;
    steps(client, 'body');
    client.execute();
    client.reset();
    settle();
    expect(server.log).toContain('C: <text of 0 octets>');
    expect(news()).toEqual(['RESET']);
    nextMailGoes(made, 2);
  });

  it('ended messages keep their verdicts: EOM_ACK, then RESET', () => {
    const made = connected();
    const { client, settle, news } = made;
    steps(client, 'eom');
    client.reset();
    settle();
    expect(news()).toEqual(['SENDER_ACK 1', 'RECIPIENT_ACK 1 b', 'BOM_ACK 1', 'EOM_ACK 1 b/', 'RESET']);
    nextMailGoes(made, 2);
  });

  it('only the newest message is withdrawn, the ended one before it is delivered', () => {
    const { client, server, settle, news } = connected({ server: replies({ CONTENT: late('250 mine') }) });
    steps(client, 'eom');
    steps(client, 'recipient');
    client.execute();
    client.reset();
    settle();
    expect(news()).toEqual(['SENDER_ACK 1', 'RECIPIENT_ACK 1 b', 'BOM_ACK 1', 'EOM_ACK 1 b/', 'RESET']);
    expect(server.delivered).toBe(1);
  });

  it('after a refusal it is sent and told', () => {
    const { client, server, settle, news } = connected({ server: replies({ DATA: '451 later' }) });
    steps(client, 'eom');
    settle();
    news();
    client.reset();
    settle();
    expect(news()).toEqual(['RESET']);
    client.sendSender('a@example.test');
    settle();
    // the one RSET serves both ends
    expect(verbs(server.commands).filter((verb) => verb === 'RSET')).toHaveLength(1);
  });
});

describe('disconnect()', () => {
  it('TK17: sends QUIT and tells DISCONNECTED after the 221', () => {
    const { client, server, settle, clock, news, told } = connected({
      server: replies({ QUIT: { reply: '221 bye', delayMs: 700 } }),
    });
    client.disconnect();
    settle(0);
    expect(server.commands.at(-1)).toBe('QUIT');
    expect(client.state).toBe('closing');
    clock.advance(699);
    settle(0);
    expect(news()).toEqual([]);
    clock.advance(1);
    settle(0);
    expect(told.slice(1)).toEqual(['DISCONNECTED']);
    expect(client.state).toBe('disconnected');
    expect(server.open).toBe(0);
  });

  it.each([
    ['the greeting', { CONNECT: late('220 hi') }],
    ['EHLO', { EHLO: late('250 hi') }],
  ])('before CONNECTED (%s awaited) it closes without QUIT; what was called ahead is unsent', (_, script) => {
    const { client, server, settle, told, events } = bench({ server: replies(script) });
    client.connect();
    steps(client, 'eom');
    settle(0);
    client.disconnect();
    settle();
    expect(told).toEqual(['DISCONNECTED 1:unsent']);
    expect(last(events, 'DISCONNECTED').reason).toBeUndefined();
    expect(server.commands).not.toContain('QUIT');
    expect(server.open).toBe(0);
  });

  it('right after connect(), before any turn', () => {
    const { client, settle, told } = bench();
    client.connect();
    client.disconnect();
    settle();
    expect(told).toEqual(['DISCONNECTED']);
  });

  it.each(['sender', 'recipient'] as const)('with the newest message at %s: QUIT, and the message is unsent', (point) => {
    const { client, server, settle, news, events } = connected();
    steps(client, point);
    settle();
    news();
    client.disconnect();
    settle();
    expect(news()).toEqual(['DISCONNECTED 1:unsent']);
    expect(last(events, 'DISCONNECTED').reason).toBeUndefined();
    expect(server.commands.at(-1)).toBe('QUIT');
    expect(server.violations).toEqual([]);
  });

  it('what has not left is not sent', () => {
    const { client, server, settle, news } = connected();
    steps(client, 'bom');
    client.disconnect();
    settle();
    expect(news()).toEqual(['DISCONNECTED 1:unsent']);
    expect(verbs(server.commands)).toEqual(['QUIT']);
  });

  it('with DATA content open it closes without QUIT', () => {
    const { client, server, settle, news } = connected();
    steps(client, 'body');
    settle();
    news();
    client.disconnect();
    settle();
    expect(news()).toEqual(['DISCONNECTED 1:unsent']);
    expect(verbs(server.commands)).toEqual(['MAIL', 'RCPT', 'DATA']);
    expect(server.messages).toEqual([]);
  });

  it.each([
    ['354 go', ['MAIL', 'RCPT', 'DATA']],
    ['451 later', ['MAIL', 'RCPT', 'DATA', 'QUIT']],
  ])('with DATA on the wire and then %s: unsent, and QUIT is never taken for text', (reply, sent) => {
    const { client, server, settle, news } = connected({ server: replies({ DATA: late(reply) }) });
    steps(client, 'body');
    client.execute();
    client.disconnect();
    settle();
    expect(news()).toEqual(['DISCONNECTED 1:unsent']);
    expect(verbs(server.commands)).toEqual(sent);
    expect(server.messages).toEqual([]);
    expect(server.violations).toEqual([]);
  });

  it('QUIT waits for the verdicts of all ended messages', () => {
    const { client, server, settle, news } = connected({ server: replies({ CONTENT: late('250 mine') }) });
    steps(client, 'eom');
    steps(client, 'eom');
    client.disconnect();
    settle();
    expect(news().filter((line) => /EOM|DIS/.test(line))).toEqual(['EOM_ACK 1 b/', 'EOM_ACK 2 b/', 'DISCONNECTED']);
    expect(server.commands.at(-1)).toBe('QUIT');
    expect(server.violations).toEqual([]);
  });

  it('an ended message whose content is still leaving goes out whole first', () => {
    const { client, server, settle, news } = connected({ line: { bytesPerSecond: 100_000, latencyMs: 20 } });
    client.sendSender('a@example.test');
    client.sendRecipient('b@example.test');
    client.sendBom({ raw: true });
    client.sendBody(new Uint8Array(200_000).fill(97));
    client.sendEom();
    client.execute();
    client.disconnect();
    settle();
    expect(news().slice(-2)).toEqual(['EOM_ACK 1 b/', 'DISCONNECTED']);
    expect(server.messages[0]?.data.length).toBe(200_002);
  });

  it('repeats are harmless: one QUIT, one DISCONNECTED', () => {
    const { client, server, settle, news } = connected();
    client.disconnect();
    client.disconnect();
    client.execute(1);
    if (client.state === 'closing') client.disconnect();
    settle();
    expect(news()).toEqual(['DISCONNECTED']);
    expect(server.commands.filter((line) => line === 'QUIT')).toHaveLength(1);
  });

  it.each([
    ['closes without a 221', { drop: true }],
    ['breaks the line', { reset: true }],
    ['answers 421', '421 gone anyway'],
    ['refuses QUIT', '500 no'],
  ])('a server that %s at QUIT: DISCONNECTED without a reason', (_, answer) => {
    const { client, settle, news, events } = connected({ server: replies({ QUIT: answer }) });
    client.disconnect();
    settle();
    expect(news()).toEqual(['DISCONNECTED']);
    expect(last(events, 'DISCONNECTED').reason).toBeUndefined();
  });

  it('a line lost before the verdict that QUIT waits for is a failure: unknown', () => {
    const { client, settle, news } = connected({ server: replies({ CONTENT: { drop: true } }) });
    steps(client, 'eom');
    client.disconnect();
    settle();
    expect(news().at(-1)).toBe('DISCONNECTED ESHUTDOWN 1:unknown');
  });

  it('NOOP and RSET on the way are answered before', () => {
    const { client, settle, news } = connected();
    client.noop();
    client.reset();
    client.disconnect();
    settle();
    expect(news()).toEqual(['NOOP_ACK', 'RESET', 'DISCONNECTED']);
  });
});

describe('abort()', () => {
  interface Case {
    readonly awaited: string;
    readonly script: Record<string, ScriptedReply>;
    readonly point: Parameters<typeof steps>[1] | undefined;
    readonly ends: string;
    readonly phase?: string;
    readonly command?: unknown;
  }
  const phases: readonly Case[] = [
    { awaited: 'greeting', script: { CONNECT: silence }, point: 'eom', ends: ' 1:unsent', phase: 'greeting' },
    {
      awaited: 'EHLO',
      script: { EHLO: silence },
      point: 'recipient',
      ends: ' 1:unsent',
      phase: 'ehlo',
      command: 'EHLO client.example.test',
    },
    {
      awaited: 'MAIL',
      script: { MAIL: silence },
      point: 'eom',
      ends: ' 1:unsent',
      phase: 'mail',
      command: expect.stringMatching(/^MAIL FROM/),
    },
    {
      awaited: 'RCPT',
      script: { RCPT: silence },
      point: 'eom',
      ends: ' 1:unsent',
      phase: 'rcpt',
      command: 'RCPT TO:<b@example.test>',
    },
    { awaited: 'DATA', script: { DATA: silence }, point: 'eom', ends: ' 1:unsent', phase: 'data', command: 'DATA' },
    { awaited: 'nothing, content open', script: {}, point: 'body', ends: ' 1:unsent', phase: 'body' },
    { awaited: 'the verdict', script: { CONTENT: silence }, point: 'eom', ends: ' 1:unknown', phase: 'verdict' },
    { awaited: 'nothing', script: {}, point: undefined, ends: '' },
  ];

  it.each(phases)('while awaiting $awaited: DISCONNECTED with EABORTED in the next execute()', (given) => {
    const { script, point, ends, phase, command } = given;
    const { client, server, told, events, settle } = bench({ server: replies(script) });
    client.connect();
    if (point !== undefined) steps(client, point);
    settle(0);
    const before = told.length;
    client.abort();
    client.abort();
    expect(told).toHaveLength(before);
    client.execute();
    expect(told.slice(before)).toEqual([`DISCONNECTED EABORTED${ends}`]);
    const { reason } = last(events, 'DISCONNECTED');
    expect(reason).toMatchObject({ code: 'EABORTED', retryable: false, command, reply: undefined });
    if (phase !== undefined) expect(reason?.phase).toBe(phase);
    expect(client.state).toBe('disconnected');
    settle();
    expect(told).toHaveLength(before + 1);
    expect(server.open).toBe(0);
    expect(client.readTimer()).toBe(Number.POSITIVE_INFINITY);
  });

  it('right after connect(): nothing is opened for good', () => {
    const { client, told, server } = bench();
    client.connect();
    client.abort();
    client.execute();
    expect(told).toEqual(['DISCONNECTED EABORTED']);
    expect(server.open).toBe(0);
  });

  it('while QUIT is due, while TLS is negotiated, while a token is fetched', () => {
    const quitting = connected({ server: replies({ QUIT: silence }) });
    quitting.client.disconnect();
    quitting.settle(0);
    quitting.client.abort();
    quitting.client.execute();
    expect(quitting.news()).toEqual(['DISCONNECTED EABORTED']);

    const securing = bench({ server: { tls: 'starttls', handshake: 'stall' } });
    securing.client.connect();
    securing.settle(0);
    securing.client.abort();
    securing.client.execute();
    expect(securing.told).toEqual(['DISCONNECTED EABORTED']);

    const fetching = bench({
      server: { auth: { mechanisms: ['XOAUTH2'], users: {} } },
      client: { auth: { user: 'ann', token: () => new Promise<string>(() => {}), allowPlaintext: true } },
    });
    fetching.client.connect();
    fetching.settle(0);
    fetching.client.abort();
    fetching.client.execute();
    expect(fetching.told).toEqual(['DISCONNECTED EABORTED']);
  });

  it('connect() again works, at once and in the listener of DISCONNECTED', () => {
    const { client, told, settle } = connected();
    client.once('DISCONNECTED', () => client.connect());
    client.abort();
    settle();
    expect(told).toEqual(['CONNECTED', 'DISCONNECTED EABORTED', 'CONNECTED']);
  });
});
