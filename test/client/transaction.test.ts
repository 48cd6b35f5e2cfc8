/** One mail and several: envelope, header, body, verdict, and what the caller hears of each. */
import { describe, expect, it } from 'vitest';
import { type Bench, bench, connected, last, replies, sendMail, short, textOf } from './support.ts';

const mailEvents = (id: number) => [
  `SENDER_ACK ${id}`,
  `RECIPIENT_ACK ${id} b`,
  `BOM_ACK ${id}`,
  `EOM_ACK ${id} b/`,
];

describe('a transaction', () => {
  it('TK02 TK34: three mails on one connection, one greeting', () => {
    const { client, server, settle, news } = connected();
    for (let n = 1; n <= 3; n++) {
      sendMail(client, { body: `mail ${n}\r\n` });
      settle();
      expect(news()).toEqual(mailEvents(n));
    }
    expect(server.accepted).toBe(1);
    expect(server.commands.filter((line) => line.startsWith('EHLO'))).toHaveLength(1);
    expect(server.log.filter((line) => line.startsWith('S: 220'))).toHaveLength(1);
    expect([0, 1, 2].map((n) => textOf(server, n))).toEqual(['mail 1\r\n', 'mail 2\r\n', 'mail 3\r\n']);
    expect(server.violations).toEqual([]);
  });

  it('TK22 TK23 TK24 TK25: the envelope as given, one RCPT a call in order, and the header that follows from it', () => {
    const { client, server, settle } = connected();
    client.sendSender({
      address: 'ann@example.test',
      name: 'Ann Änder',
      replyTo: { address: 'desk@example.test', name: 'Desk, Front' },
    });
    client.sendRecipient({ address: 'one@example.test', name: 'One', type: 'to' });
    client.sendRecipient({ address: 'three@example.test', type: 'bcc' });
    client.sendRecipient({ address: 'two@example.test', type: 'cc' });
    client.sendRecipient('four@example.test');
    client.sendBom({
      subject: 'Grüße',
      date: 'Thu, 01 Jan 2026 00:00:00 +0100',
      headers: { 'X-Kind': 'test' },
    });
    client.sendBody('hello\r\n');
    client.sendEom();
    settle();
    expect(server.commands.slice(1, 6).map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'MAIL FROM:<ann@example.test>',
      'RCPT TO:<one@example.test>',
      'RCPT TO:<three@example.test>',
      'RCPT TO:<two@example.test>',
      'RCPT TO:<four@example.test>',
    ]);
    const text = textOf(server);
    const [header = '', body] = text.split('\r\n\r\n');
    const field = (name: string) =>
      new RegExp(`^${name}: (.*)$`, 'm').exec(header.replaceAll('\r\n', '\n'))?.[1];
    expect(body).toBe('hello\r\n');
    expect(field('From')).toMatch(/^=\?UTF-8\?.*\?= <ann@example\.test>$/i);
    expect(field('Reply-To')).toBe('"Desk, Front" <desk@example.test>');
    expect(field('To')).toBe('One <one@example.test>, four@example.test');
    expect(field('Cc')).toBe('two@example.test');
    expect(field('Bcc')).toBeUndefined();
    expect(text).not.toContain('three@');
    expect(field('Subject')).toMatch(/^=\?UTF-8\?/i);
    expect(field('Date')).toBe('Thu, 01 Jan 2026 00:00:00 +0100');
    expect(field('Message-ID')).toMatch(/^<[^@]+@example\.test>$/);
    expect(field('X-Kind')).toBe('test');
  });

  it('TK22: null names are left out, and so is Reply-To', () => {
    const { client, server, settle } = connected();
    client.sendSender({ address: 'ann@example.test', name: undefined, replyTo: undefined });
    client.sendRecipient('b@example.test');
    client.sendBom();
    client.sendEom();
    settle();
    expect(textOf(server)).toMatch(/^From: ann@example\.test\r\n/m);
    expect(textOf(server)).not.toMatch(/^Reply-To:/m);
    expect(textOf(server)).toMatch(/^Date: Thu, 1 Jan 2026 00:00:00 \+0000\r\n/m);
  });

  it('the null reverse-path is MAIL FROM:<>', () => {
    const { client, server, settle, news } = connected();
    sendMail(client, { from: '' });
    settle();
    expect(server.messages[0]?.from).toBe('');
    expect(news()).toEqual(mailEvents(1));
  });

  it('TK36: SENDER_ACK, RECIPIENT_ACK, BOM_ACK and EOM_ACK come once for each command', () => {
    const { client, settle, news } = connected();
    sendMail(client, { to: ['b@example.test', 'c@example.test', 'd@example.test'] });
    settle();
    expect(news()).toEqual([
      'SENDER_ACK 1',
      'RECIPIENT_ACK 1 b',
      'RECIPIENT_ACK 1 c',
      'RECIPIENT_ACK 1 d',
      'BOM_ACK 1',
      'EOM_ACK 1 b+c+d/',
    ]);
  });

  it('names: sendSender and sendRecipient return the very objects that the events carry', () => {
    const { client, settle, events } = connected();
    const message = client.sendSender('a@example.test');
    const first = client.sendRecipient({ address: 'b@example.test', name: 'B', type: 'cc' });
    const second = client.sendRecipient('c@example.test');
    client.sendBom({ raw: true });
    client.sendEom();
    settle();
    const next = client.sendSender('a@example.test');
    expect(next.id).not.toBe(message.id);
    expect(first).toMatchObject({ address: 'b@example.test', name: 'B', type: 'cc' });
    expect(second).toMatchObject({ address: 'c@example.test', type: 'to' });
    expect(first.id).not.toBe(second.id);
    expect(last(events, 'SENDER_ACK').message).toBe(message);
    const acks = events.flatMap((event) => (event.name === 'RECIPIENT_ACK' ? [event] : []));
    expect(acks[0]?.recipient).toBe(first);
    expect(acks[1]?.recipient).toBe(second);
    expect(acks[1]?.message).toBe(message);
    expect(last(events, 'BOM_ACK').message).toBe(message);
    const done = last(events, 'EOM_ACK');
    expect(done.message).toBe(message);
    expect(done.accepted[0]).toBe(first);
    expect(done.accepted[1]).toBe(second);
  });

  it.each([
    ['554 5.7.1 spam', 'SERVER_ERROR sendEom 1 554', 'ESERVERPERM', false],
    ['451 4.3.0 later', 'SERVER_RETRY sendEom 1 451', 'ESERVERTEMP', true],
  ])(
    'TK32 TK33: EOM refused with %s is no EOM_ACK, and the connection is usable',
    (reply, event, code, retryable) => {
      const { client, server, settle, news, events } = connected({
        server: replies({ CONTENT: (_, nth) => (nth === 1 ? reply : undefined) }),
      });
      sendMail(client);
      settle();
      expect(news()).toEqual(['SENDER_ACK 1', 'RECIPIENT_ACK 1 b', 'BOM_ACK 1', event]);
      const refused = events.at(-1);
      expect(refused).toMatchObject({ error: { code, phase: 'verdict', retryable }, step: 'sendEom' });
      expect(server.delivered).toBe(0);
      expect(client.state).toBe('ready');
      client.reset();
      settle();
      expect(news()).toEqual(['RESET']);
      sendMail(client);
      settle();
      expect(news()).toEqual(mailEvents(2));
      expect(server.delivered).toBe(1);
    },
  );

  it('TK32: EOM_ACK comes only with the 250, not a moment earlier', () => {
    const { client, server, clock, settle, told } = connected({
      server: replies({ CONTENT: { reply: '250 2.0.0 mine', delayMs: 5000 } }),
    });
    sendMail(client);
    settle(4999);
    clock.advance(4999);
    settle(0);
    expect(told.at(-1)).toBe('BOM_ACK 1');
    expect(client.state).toBe('sent');
    clock.advance(1);
    settle(0);
    expect(told.at(-1)).toBe('EOM_ACK 1 b/');
    expect(server.delivered).toBe(1);
  });

  it.each([
    ['TK37', '550 5.1.1 nobody here', 'SERVER_ERROR', 'ESERVERPERM'],
    ['TK38', '450 4.2.1 not today', 'SERVER_RETRY', 'ESERVERTEMP'],
  ])(
    '%s: the second of three recipients refused with %s; the mail goes to the others',
    (_, reply, name, code) => {
      const { client, server, settle, news, events } = connected({
        server: replies({ RCPT: (command) => (command.address === 'c@example.test' ? reply : undefined) }),
      });
      // step by step: the next recipient is given after the refusal
      client.sendSender('a@example.test');
      client.sendRecipient('b@example.test');
      settle();
      const second = client.sendRecipient('c@example.test');
      settle();
      expect(news().at(-1)).toBe(`${name} sendRecipient 1 c ${reply.slice(0, 3)}`);
      expect(events.at(-1)).toMatchObject({
        recipient: second,
        error: {
          code,
          phase: 'rcpt',
          command: 'RCPT TO:<c@example.test>',
          reply: { code: Number(reply.slice(0, 3)) },
        },
      });
      client.sendRecipient('d@example.test');
      client.sendBom({ raw: true });
      client.sendEom();
      settle();
      expect(news()).toEqual(['RECIPIENT_ACK 1 d', 'BOM_ACK 1', 'EOM_ACK 1 b+d/c']);
      expect(server.messages[0]?.to).toEqual(['b@example.test', 'd@example.test']);
    },
  );

  it('order: BOM_ACK comes after the answers before it, DATA and DATA-less alike, and events stay in step order', () => {
    const plain = (pipelining: boolean): string[] => {
      const { client, settle, told } = bench({ client: { pipelining }, line: { latencyMs: 20, cut: true } });
      client.connect();
      for (const n of [1, 2])
        sendMail(client, { body: `${n}\r\n`, to: ['b@example.test', 'c@example.test'] });
      settle();
      return told;
    };
    const one = (id: number) => [
      `SENDER_ACK ${id}`,
      `RECIPIENT_ACK ${id} b`,
      `RECIPIENT_ACK ${id} c`,
      `BOM_ACK ${id}`,
      `EOM_ACK ${id} b+c/`,
    ];
    expect(plain(true)).toEqual(['CONNECTED', ...one(1), ...one(2)]);
    expect(plain(false)).toEqual(plain(true));
  });

  it('pipelining: false sends one command at a time, true all of an envelope in one write', () => {
    const lines = (made: Bench): number[] => {
      const { client, server, settle } = made;
      client.connect();
      settle();
      server.reads = [];
      sendMail(client, { to: ['b@example.test', 'c@example.test'] });
      settle();
      return server.reads.map((bytes) => Buffer.from(bytes).toString().split('\r\n').length - 1);
    };
    expect(lines(bench({ client: { pipelining: true } }))).toEqual([4, 2]);
    expect(lines(bench({ client: { pipelining: false } }))).toEqual([1, 1, 1, 1, 2]);
    expect(lines(bench({ server: { extensions: ['8BITMIME'] } }))).toEqual([1, 1, 1, 1, 2]);
  });

  it('COMMAND, REPLY and STATE are told only to those who listen by name, and never to `event`', () => {
    const { client, events, settle } = bench();
    const lines: string[] = [];
    client.on('COMMAND', (event) => lines.push(event.line));
    client.on('REPLY', (event) => lines.push(`${event.reply.code} ${event.command}`));
    let moved = 0;
    client.on('STATE', (event) => {
      expect(event.from).not.toBe(event.to);
      moved++;
    });
    client.connect();
    settle();
    expect(lines).toEqual(['220 undefined', 'EHLO client.example.test', '250 EHLO client.example.test']);
    expect(moved).toBeGreaterThan(2);
    expect(events.map(short)).toEqual(['CONNECTED']);
  });
});
