/** The body: pieces, bounds, DRAIN, strings, 8-bit octets, and what waits while BOM_ACK is awaited. */
import { describe, expect, it } from 'vitest';
import { type Bench, bench, codeOf, connected, replies, type Setup, sendMail, textOf } from './support.ts';

function opened(setup: Setup = {}): Bench {
  const made = connected(setup);
  made.client.sendSender('a@example.test');
  made.client.sendRecipient('b@example.test');
  made.client.sendBom({ raw: true });
  made.settle();
  made.news();
  return made;
}
const noise = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i % 64 === 63 ? 10 : i % 64 === 62 ? 13 : 46 + (i % 7)));

describe('sendBody()', () => {
  it('TK26: pieces arrive joined, dots stuffed across their borders, ended by CRLF', () => {
    const { client, server, settle } = opened();
    for (const piece of ['one\r', '\n', '.', 'two\r\n.', '\r\n', '..three\r\n', '.\r\nfour']) {
      expect(client.sendBody(piece)).toBe(Buffer.byteLength(piece));
      settle();
    }
    client.sendEom();
    settle();
    expect(textOf(server)).toBe('one\r\n.two\r\n.\r\n..three\r\n.\r\nfour\r\n');
    expect(server.violations).toEqual([]);
  });

  it('an empty body, an empty piece and no piece are fine', () => {
    const { client, server, settle } = opened();
    expect(client.sendBody('')).toBe(0);
    expect(client.sendBody(new Uint8Array(0))).toBe(0);
    client.sendEom();
    settle();
    expect(textOf(server)).toBe('');
  });

  it('TK31: it starts no timer: an hour between pieces is nothing', () => {
    const { client, clock, server, settle, news } = opened();
    for (let n = 0; n < 3; n++) {
      client.sendBody('piece\r\n');
      settle();
      expect(client.readTimer()).toBe(Number.POSITIVE_INFINITY);
      clock.advance(3_600_000);
    }
    client.sendEom();
    settle();
    expect(news()).toEqual(['EOM_ACK 1 b/']);
    expect(textOf(server)).toBe('piece\r\n'.repeat(3));
  });

  it('TK27 TK28: 10 MB to a slow reader: less is taken than given, DRAIN comes once each time, all arrives', () => {
    const made = opened({
      line: { bytesPerSecond: 1_000_000, windowBytes: 50_000, latencyMs: 5 },
      client: { bodyBufferBytes: 100_000 },
      server: { extensions: ['8BITMIME', 'PIPELINING'] },
    });
    const { client, server, clock } = made;
    const whole = noise(10_000_000);
    let at = 0;
    let drains = 0;
    let least = Number.POSITIVE_INFINITY;
    let promised = true;
    const give = (): void => {
      while (at < whole.length) {
        const rest = whole.subarray(at);
        const taken = client.sendBody(rest);
        at += taken;
        if (taken === rest.length) continue;
        least = Math.min(least, taken);
        expect(client.sendBody(whole.subarray(at))).toBe(0);
        promised = true;
        return;
      }
      client.sendEom();
    };
    client.on('DRAIN', () => {
      expect(promised).toBe(true);
      promised = false;
      drains++;
      give();
    });
    give();
    expect(at).toBe(100_000);
    expect(client.execute()).not.toBe('idle');
    made.settle(1_000_000);
    expect(drains).toBeGreaterThan(50);
    expect(made.news().at(-1)).toBe('EOM_ACK 1 b/');
    expect(
      Buffer.compare(
        server.messages[0]?.data ?? Buffer.alloc(0),
        Buffer.concat([whole, Buffer.from(whole.at(-1) === 10 ? '' : '\r\n')]),
      ),
    ).toBe(0);
    expect(client.execute()).toBe('idle');
    expect(clock.now()).toBeGreaterThan(0);
  });

  it('the bound holds while the answer to DATA, or the connection itself, is awaited', () => {
    const { client, settle, told } = bench({ client: { bodyBufferBytes: 1000 } });
    client.connect();
    client.sendSender('a@example.test');
    client.sendRecipient('b@example.test');
    client.sendBom({ raw: true });
    expect(client.sendBody(new Uint8Array(1500).fill(97))).toBe(1000);
    expect(client.sendBody(new Uint8Array(500).fill(97))).toBe(0);
    expect(client.sendBody('x')).toBe(0);
    settle();
    expect(told.slice(-2)).toEqual(['BOM_ACK 1', 'DRAIN']);
    expect(client.sendBody(new Uint8Array(500).fill(97))).toBe(500);
    client.sendEom();
    settle();
    expect(told.at(-1)).toBe('EOM_ACK 1 b/');
  });

  it('a string is taken whole or not at all: whole while there is any room, whatever its length', () => {
    const { client, server, settle, news } = opened({ client: { bodyBufferBytes: 100 } });
    const long = 'ä'.repeat(1000);
    expect(client.sendBody('x'.repeat(99))).toBe(99);
    expect(client.sendBody(long)).toBe(2000);
    expect(client.sendBody('more')).toBe(0);
    settle();
    expect(news()).toEqual(['DRAIN']);
    expect(client.sendBody('more')).toBe(4);
    client.sendEom();
    settle();
    expect(textOf(server)).toBe(`${'x'.repeat(99)}${long}more\r\n`);
  });

  it('no DRAIN is told when none was owed', () => {
    const { client, settle, news } = opened({ client: { bodyBufferBytes: 100 } });
    expect(client.sendBody(new Uint8Array(100).fill(97))).toBe(100);
    settle();
    client.sendBody('x'.repeat(500));
    settle();
    expect(news()).toEqual([]);
  });

  it('a DRAIN that is owed is told although the message fails or is taken back', () => {
    for (const how of ['DATA refused', 'reset'] as const) {
      const { client, settle, news } = connected({
        server: how === 'DATA refused' ? replies({ DATA: '451 no' }) : {},
        client: { bodyBufferBytes: 10 },
      });
      client.sendSender('a@example.test');
      client.sendRecipient('b@example.test');
      client.sendBom({ raw: true });
      expect(client.sendBody(new Uint8Array(50))).toBe(10);
      if (how === 'reset') client.reset();
      settle();
      expect(news(), how).toContain('DRAIN');
    }
  });

  it('BOM_ACK waits for the 354 though body bytes were taken before', () => {
    const { client, settle, news, server } = connected({
      server: replies({ DATA: { reply: '354 go', delayMs: 1000 } }),
    });
    client.sendSender('a@example.test');
    client.sendRecipient('b@example.test');
    client.sendBom({ raw: true });
    expect(client.sendBody('early\r\n')).toBe(7);
    settle(500);
    expect(news()).toEqual(['SENDER_ACK 1', 'RECIPIENT_ACK 1 b']);
    settle();
    client.sendEom();
    settle();
    expect(news()).toEqual(['BOM_ACK 1', 'EOM_ACK 1 b/']);
    expect(textOf(server)).toBe('early\r\n');
    expect(server.violations).toEqual([]);
  });

  it.each([
    ['a number', 5],
    ['nothing', undefined],
    ['an array', [1, 2]],
    ['an ArrayBuffer', new ArrayBuffer(4)],
  ])('%s is EINVAL, and the message stays open', (_, chunk) => {
    const { client, server, settle } = opened();
    // the types forbid it
    const give = client.sendBody.bind(client) as (chunk: unknown) => number;
    expect(() => give(chunk)).toThrow(/^chunk: /);
    expect(codeOf(() => give(chunk))).toBe('EINVAL');
    client.sendBody('fine');
    client.sendEom();
    settle();
    expect(textOf(server)).toBe('fine\r\n');
  });

  it("bareLineEnds 'refuse': a bare CR or LF is EINVAL, nothing of the chunk is taken", () => {
    const { client, server, settle } = opened({ client: { bareLineEnds: 'refuse' } });
    expect(codeOf(() => client.sendBody('a\nb'))).toBe('EINVAL');
    client.sendBody('good\r');
    expect(codeOf(() => client.sendEom())).toBe('EINVAL');
    expect(codeOf(() => client.sendBody('bad'))).toBe('EINVAL');
    client.sendBody('\n');
    client.sendEom();
    settle();
    expect(textOf(server)).toBe('good\r\n');
  });
});

describe('8-bit octets', () => {
  const extensions = ['PIPELINING'];

  it('known capabilities: thrown EUNSUPPORTED, nothing of the chunk is taken, the message stays open', () => {
    const { client, server, settle, news } = opened({ server: { extensions } });
    client.sendBody('before\r\n');
    expect(() => client.sendBody('grün\r\n')).toThrow(/8BITMIME/);
    expect(codeOf(() => client.sendBody(Uint8Array.of(97, 0xff)))).toBe('EUNSUPPORTED');
    expect(client.state).toBe('body');
    client.sendBody('after\r\n');
    client.sendEom();
    settle();
    expect(news()).toEqual(['EOM_ACK 1 b/']);
    expect(textOf(server)).toBe('before\r\nafter\r\n');
  });

  it('a sender that declared 7bit: the same, though the server offers 8BITMIME', () => {
    const { client, server, settle } = connected();
    client.sendSender({ address: 'a@example.test', body: '7bit' });
    client.sendRecipient('b@example.test');
    client.sendBom({ raw: true });
    expect(codeOf(() => client.sendBody('grün'))).toBe('EUNSUPPORTED');
    client.sendBody('green');
    client.sendEom();
    settle();
    expect(textOf(server)).toBe('green\r\n');
    expect(server.commands).toContain('MAIL FROM:<a@example.test> BODY=7BIT');
  });

  it('unknown capabilities: taken, and told as SERVER_ERROR sendBody without reply where they are not offered; nothing leaves', () => {
    const { client, server, settle, told, events } = bench({ server: { extensions } });
    client.connect();
    sendMail(client, { body: 'grün\r\n' });
    sendMail(client);
    settle();
    expect(told).toEqual([
      'CONNECTED',
      'SERVER_ERROR sendBody 1 EUNSUPPORTED',
      'SENDER_ACK 2',
      'RECIPIENT_ACK 2 b',
      'BOM_ACK 2',
      'EOM_ACK 2 b/',
    ]);
    expect(events[1]).toMatchObject({ reply: undefined, error: { phase: 'body', code: 'EUNSUPPORTED' } });
    expect(server.messages).toHaveLength(1);
  });

  it('unknown capabilities and 8BITMIME offered: sent as BODY=8BITMIME', () => {
    const { client, server, settle } = bench();
    client.connect();
    sendMail(client, { body: 'grün\r\n' });
    settle();
    expect(server.messages[0]?.parameters.BODY).toBe('8BITMIME');
    expect(textOf(server)).toBe('grün\r\n');
  });

  it('octets that were not taken do not count', () => {
    const { client, server, settle, told } = bench({
      server: { extensions },
      client: { bodyBufferBytes: 4 },
    });
    client.connect();
    client.sendSender('a@example.test');
    client.sendRecipient('b@example.test');
    client.sendBom({ raw: true });
    expect(client.sendBody('abcd')).toBe(4);
    expect(client.sendBody('ü')).toBe(0);
    client.sendEom();
    settle();
    expect(told.filter((line) => line !== 'DRAIN')).toEqual([
      'CONNECTED',
      'SENDER_ACK 1',
      'RECIPIENT_ACK 1 b',
      'BOM_ACK 1',
      'EOM_ACK 1 b/',
    ]);
    expect(textOf(server)).toBe('abcd\r\n');
  });
});
