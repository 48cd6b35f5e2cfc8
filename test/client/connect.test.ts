/** Connecting: what is said before mail can be, in which order, and what the caller hears of it. */
import { describe, expect, it } from 'vitest';
import { bench, codeOf, connected, last, plainLogin, plainServer, replies, sendMail } from './support.ts';

describe('connect()', () => {
  it('TK13 TK35: tells CONNECTED once, after greeting and EHLO, and sends no AUTH without credentials', () => {
    const { client, server, told, events, settle } = bench({ server: plainServer });
    client.connect();
    expect(client.state).toBe('connecting');
    expect(told).toEqual([]);
    settle();
    expect(told).toEqual(['CONNECTED']);
    expect(server.commands).toEqual(['EHLO client.example.test']);
    const event = last(events, 'CONNECTED');
    expect(event.secure).toBe(false);
    expect(event.reply.code).toBe(250);
    expect(event.reply.lines[0]).toContain('greets client.example.test');
    expect(event.capabilities).toBe(client.capabilities);
    expect(event.capabilities.pipelining).toBe(true);
    expect(client.state).toBe('ready');
  });

  it('TK12: a second connect() is EISCONN in every state of the first, which is unharmed', () => {
    const { client, server, told, settle } = bench();
    client.connect();
    expect(codeOf(() => client.connect())).toBe('EISCONN');
    settle();
    expect(codeOf(() => client.connect())).toBe('EISCONN');
    sendMail(client);
    expect(codeOf(() => client.connect())).toBe('EISCONN');
    settle();
    client.disconnect();
    expect(codeOf(() => client.connect())).toBe('EISCONN');
    settle();
    expect(told.slice(-2)).toEqual(['EOM_ACK 1 b/', 'DISCONNECTED']);
    expect(server.delivered).toBe(1);
    expect(server.accepted).toBe(1);
  });

  it('defaults: port 587, 465 with implicit TLS, tls optional, host localhost', () => {
    const where = (options: object) => {
      const { client, transport, settle } = bench({ client: { host: undefined, ...options } });
      client.connect();
      settle();
      const { host, port } = transport.line?.target ?? {};
      return `${host}:${port}`;
    };
    expect(where({})).toBe('localhost:587');
    expect(where({ tls: 'implicit' })).toBe('localhost:465');
    expect(where({ tls: 'implicit', port: 2465 })).toBe('localhost:2465');
    const offered = connected({ server: { tls: 'starttls' } });
    expect(offered.client.secure).toBe(true);
  });

  it('connect(target) stands before the options: host, port, path, auth, tls, tlsOptions, and for that time only', () => {
    const { client, server, transport, told, settle } = bench({
      server: { tls: 'starttls', handshake: 'untrusted', ...plainServer },
      client: { host: 'one.example.test', port: 25, tls: 'never' },
    });
    const target = { host: 'two.example.test', port: 2525, auth: plainLogin } as const;
    client.connect({
      ...target,
      tls: 'always',
      tlsOptions: { rejectUnauthorized: false, servername: 'x.test' },
    });
    settle();
    expect(told).toEqual(['SECURE_OK', 'AUTH_OK PLAIN', 'CONNECTED']);
    expect(transport.line?.target).toMatchObject({ host: 'two.example.test', port: 2525 });
    expect(transport.line?.servername).toBe('x.test');
    client.disconnect();
    settle();
    server.forget();
    client.connect();
    settle();
    expect(transport.line?.target).toMatchObject({ host: 'one.example.test', port: 25 });
    expect(server.commands).toEqual(['EHLO client.example.test']);
    client.disconnect();
    settle();
    client.connect({ path: '/run/lmtp' });
    settle();
    expect(transport.line?.target.path).toBe('/run/lmtp');
  });

  it('the EHLO name is the address literal of our end where none is given', () => {
    const { client, server, settle } = bench({ client: { localName: undefined } });
    client.connect();
    settle();
    expect(server.commands).toEqual(['EHLO [192.0.2.1]']);
  });

  it.each([500, 501, 502, 504])('EHLO refused with %i: HELO, and nothing is offered', (code) => {
    const { client, server, told, settle } = bench({ server: replies({ EHLO: `${code} what?` }) });
    client.connect();
    settle();
    expect(server.commands).toEqual(['EHLO client.example.test', 'HELO client.example.test']);
    expect(told).toEqual(['CONNECTED']);
    expect(client.capabilities?.keywords.size).toBe(0);
    sendMail(client);
    settle();
    expect(server.violations).toEqual([]);
    expect(server.delivered).toBe(1);
  });

  it.each([
    ['CONNECT', '554 5.7.1 go away', 'SERVER_ERROR connect 554', 'ESERVERPERM', 'greeting', undefined],
    ['CONNECT', '450 later', 'SERVER_RETRY connect 450', 'ESERVERTEMP', 'greeting', undefined],
    ['EHLO', '550 not you', 'SERVER_ERROR connect 550', 'ESERVERPERM', 'ehlo', 'EHLO client.example.test'],
    ['EHLO', '451 not now', 'SERVER_RETRY connect 451', 'ESERVERTEMP', 'ehlo', 'EHLO client.example.test'],
  ])(
    'a refused %s (%s) tells its cause, then DISCONNECTED with the same',
    (verb, reply, cause, code, phase, command) => {
      const { client, told, events, settle } = bench({ server: replies({ [verb]: reply }) });
      client.connect();
      sendMail(client);
      settle();
      expect(told).toEqual([cause, `DISCONNECTED ${code} 1:unsent`]);
      const { reason } = last(events, 'DISCONNECTED');
      expect(reason).toMatchObject({ code, phase, command, retryable: code === 'ESERVERTEMP' });
      expect(reason?.reply?.code).toBe(Number(reply.slice(0, 3)));
      expect(client.state).toBe('disconnected');
    },
  );

  it('HELO refused after EHLO ends the connection', () => {
    const { client, told, events, settle } = bench({ server: replies({ EHLO: '502 no', HELO: '550 no' }) });
    client.connect();
    settle();
    expect(told).toEqual(['SERVER_ERROR connect 550', 'DISCONNECTED ESERVERPERM']);
    expect(last(events, 'DISCONNECTED').reason).toMatchObject({
      phase: 'ehlo',
      command: 'HELO client.example.test',
    });
  });

  it('TK60: lastReply is each reply as the server said it: code, triple, text, all lines', () => {
    const { client, settle } = bench({
      server: replies({ NOOP: ['250-2.0.0 one', '250 2.0.0 two'], MAIL: '550 5.1.8 bad sender' }),
    });
    expect(client.lastReply).toBeUndefined();
    client.connect();
    settle();
    expect(client.lastReply?.lines[0]).toBe('mx.example.test greets client.example.test');
    client.noop();
    settle();
    expect(client.lastReply).toMatchObject({ code: 250, enhanced: [2, 0, 0] });
    expect(client.lastReply?.lines).toHaveLength(2);
    client.sendSender('a@example.test');
    settle();
    expect(client.lastReply).toMatchObject({ code: 550, enhanced: [5, 1, 8] });
    expect(client.lastReply?.text).toContain('bad sender');
  });

  it('TK21: NOOP is sent and answered with one NOOP_ACK, a refused one with SERVER_ERROR', () => {
    const { client, server, settle, news, events } = connected({
      server: replies({ NOOP: (_, nth) => (nth === 2 ? '550 no' : undefined) }),
    });
    client.noop();
    settle();
    expect(news()).toEqual(['NOOP_ACK']);
    expect(last(events, 'NOOP_ACK').reply.code).toBe(250);
    client.noop();
    settle();
    expect(news()).toEqual(['SERVER_ERROR noop 550']);
    expect(last(events, 'SERVER_ERROR').error).toMatchObject({ phase: 'noop', command: 'NOOP' });
    expect(server.commands.filter((line) => line === 'NOOP')).toHaveLength(2);
    expect(client.state).toBe('ready');
  });

  it('`due` counts what the server has not answered', () => {
    const { client, settle, clock } = connected({ line: { latencyMs: 50 } });
    expect(client.due).toBe(0);
    client.sendSender('a@example.test');
    client.sendRecipient('b@example.test');
    expect(client.due).toBe(0);
    client.execute();
    expect(client.due).toBe(2);
    clock.advance(1);
    settle();
    expect(client.due).toBe(0);
  });

  it('calling ahead: a whole session called before the first byte goes through in order', () => {
    const { client, server, told, settle } = bench();
    client.connect();
    sendMail(client);
    client.noop();
    sendMail(client);
    client.execute();
    settle();
    client.disconnect();
    settle();
    expect(told).toEqual([
      'CONNECTED',
      'SENDER_ACK 1',
      'RECIPIENT_ACK 1 b',
      'BOM_ACK 1',
      'EOM_ACK 1 b/',
      'NOOP_ACK',
      'SENDER_ACK 2',
      'RECIPIENT_ACK 2 b',
      'BOM_ACK 2',
      'EOM_ACK 2 b/',
      'DISCONNECTED',
    ]);
    expect(server.violations).toEqual([]);
  });
});
