/** disconnect() in every phase: when QUIT is sent, what leaves before it, what is unsent. */
import { describe, expect, it } from 'vitest';
import { bench, connected, last, late, replies, steps, verbs } from './support.ts';

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

  it.each(['sender', 'recipient'] as const)(
    'with the newest message at %s: QUIT, and the message is unsent',
    (point) => {
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
    },
  );

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
    expect(news().filter((line) => /EOM|DIS/.test(line))).toEqual([
      'EOM_ACK 1 b/',
      'EOM_ACK 2 b/',
      'DISCONNECTED',
    ]);
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
