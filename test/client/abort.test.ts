/** abort() in every phase: DISCONNECTED with EABORTED in the next execute(), and what it says of the messages. */
import type { ScriptedReply } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import { bench, connected, last, replies, silence, steps } from './support.ts';

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
    {
      awaited: 'DATA',
      script: { DATA: silence },
      point: 'eom',
      ends: ' 1:unsent',
      phase: 'data',
      command: 'DATA',
    },
    { awaited: 'nothing, content open', script: {}, point: 'body', ends: ' 1:unsent', phase: 'body' },
    {
      awaited: 'the verdict',
      script: { CONTENT: silence },
      point: 'eom',
      ends: ' 1:unknown',
      phase: 'verdict',
    },
    { awaited: 'nothing', script: {}, point: undefined, ends: '', phase: 'connect' },
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
