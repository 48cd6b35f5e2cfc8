/** Hostile replies (S11, S12, S13): without end, without sense, one too many; and what of them reaches a terminal. */
import { inspect } from 'node:util';
import v8 from 'node:v8';
import vm from 'node:vm';
import { trace } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import { ReplyParser } from '../../src/wire/reply.ts';
import { falsehoods } from '../faults/truths.ts';
import { sendWhole } from '../faults/watched.ts';
import { hasV8 } from '../support/runtime.ts';
import { Attacker, type Plan } from './attacker.ts';
import { auth, type Field, field } from './field.ts';

/** Where in the dialogue the hostile reply comes. */
const places: Readonly<Record<string, (text: string) => Plan>> = {
  'the greeting': (greeting) => ({ greeting }),
  EHLO: (text) => ({ moves: { EHLO: { say: [text] } } }),
  MAIL: (text) => ({ moves: { MAIL: { say: [text] } } }),
  'the second RCPT': (text) => ({ moves: { RCPT: { say: [text] } } }),
  DATA: (text) => ({ moves: { DATA: { say: [text] } } }),
  'the verdict': (text) => ({ moves: { DATA: { say: ['354 go\r\n'] }, '.': { say: [text] } } }),
  QUIT: (text) => ({ moves: { DATA: { say: ['354 go\r\n'] }, QUIT: { say: [text] } } }),
};

function meet(plan: Plan): Field {
  const made = field(new Attacker(plan), { timeouts: { commandMs: 10_000, greetingMs: 10_000 } });
  const { client } = made;
  client.connect();
  sendWhole(client, ['b@example.test', 'c@example.test']);
  client.drive = (event) => {
    const refused =
      (event.name === 'SERVER_ERROR' || event.name === 'SERVER_RETRY') && event.step !== 'sendRecipient';
    if ((event.name === 'EOM_ACK' || refused) && client.can('disconnect')) client.disconnect();
  };
  made.finish();
  return made;
}

describe('S11: replies without end are cut off', () => {
  const endless: Readonly<Record<string, string>> = {
    'a line': '250 '.concat('x'.repeat(1_000_000)),
    'lines of one reply': '250-x\r\n'.repeat(200_000),
    'long lines of one reply': `250-${'x'.repeat(3000)}\r\n`.repeat(500),
    'empty lines': '\r\n'.repeat(500_000),
    'lone LF': '\n'.repeat(1_000_000),
    NUL: '\0'.repeat(1_000_000),
    digits: '2'.repeat(1_000_000),
    'whole replies that nobody asked for': '250 ok\r\n'.repeat(120_000),
    'text without a code': 'HTTP/1.1 400 Bad Request\r\n'.repeat(40_000),
  };

  it.each(Object.keys(endless))('%s, in every place of the dialogue', (name) => {
    for (const [place, plan] of Object.entries(places)) {
      const { client, told, tap } = meet(plan(endless[name] ?? ''));
      expect(told.at(-1), place).toMatch(place === 'QUIT' ? /^DISCONNECTED/ : /^DISCONNECTED ESERVERSYNC/);
      expect(falsehoods(client), place).toEqual([]);
      expect(tap.calls.close).toBe(1);
      const end = client.life.events.at(-1);
      const message = end?.name === 'DISCONNECTED' ? (end.reason?.message ?? '') : '';
      expect(message.length).toBeLessThan(1000);
    }
  });

  it('drip by drip: no more is read than the bounds allow, and the deadline stands', () => {
    for (const piece of ['x', '250-x\r\n', '\r\n', '250-'.concat('x'.repeat(500))]) {
      const made = field(
        {
          accept(line) {
            const drip = (): void => {
              line.write(piece);
              line.after(10, drip);
            };
            drip();
          },
        },
        { timeouts: { greetingMs: 20_000 } },
      );
      made.client.connect();
      const start = made.clock.now();
      made.finish();
      expect(made.told.at(-1)).toMatch(/^DISCONNECTED (?:ESERVERSYNC|ETIMEDOUT)$/);
      expect(made.clock.now() - start).toBeLessThanOrEqual(20_000);
      expect(made.tap.bytesIn).toBeLessThanOrEqual(65_536 + piece.length);
    }
  });

  const kept = (): number => {
    v8.setFlagsFromString('--expose_gc');
    const collect = vm.runInNewContext('gc') as () => void;
    // what a first round finds is let go of in the second
    for (let round = 0; round < 4; round++) collect();
    return process.memoryUsage().arrayBuffers;
  };

  it.runIf(hasV8)(
    'what a client keeps of an unfinished reply is bounded, and let go of when the line is closed',
    () => {
      const clients = 40;
      const before = kept();
      const fields = Array.from({ length: clients }, () => {
        // 60,000 octets in the bounds of a reply, and never the end of it
        const made = field(new Attacker({ greeting: `220-${'x'.repeat(3000)}\r\n`.repeat(20) }));
        made.client.connect();
        made.settle();
        expect(made.client.state).toBe('connecting');
        return made;
      });
      const held = (kept() - before) / clients;
      expect(held).toBeLessThan(4 * 65_536);
      for (const { client, settle } of fields) {
        client.abort();
        settle();
      }
      expect((kept() - before) / clients).toBeLessThan(8192);
      expect(fields.every(({ client }) => client.state === 'disconnected')).toBe(true);
    },
  );

  it.runIf(hasV8)('a short reply that somebody keeps does not keep the long one before it', () => {
    const long = `220-${'x'.repeat(3000)}\r\n`.repeat(20);
    const before = kept();
    const replies = Array.from({ length: 40 }, () => {
      const parser = new ReplyParser();
      parser.feed(Buffer.from(`${long}220 hello\r\n250 short\r\n`));
      expect(parser.next()?.lines).toHaveLength(21);
      return parser.next();
    });
    expect((kept() - before) / replies.length).toBeLessThan(8192);
    expect(replies.map((reply) => reply?.text)).toEqual(Array.from({ length: 40 }, () => 'short'));
  });

  it.runIf(hasV8)('a megabyte that broke the bounds is not kept', () => {
    const before = kept();
    const fields = Array.from({ length: 20 }, () => {
      const made = field(new Attacker({ greeting: '\n'.repeat(1_000_000) }));
      made.client.connect();
      made.finish();
      return made.client;
    });
    expect((kept() - before) / 20).toBeLessThan(65_536);
    expect(fields).toHaveLength(20);
  });
});

describe('S12: replies without sense', () => {
  const senseless = {
    'another code on the second line': '250-a\r\n251 b\r\n',
    'a code below 200': '150 a\r\n',
    'a code above 599': '600 a\r\n',
    'two digits': '25 a\r\n',
    'four digits': '2500 a\r\n',
    'no code': 'ok\r\n',
    'a sign': '+250 a\r\n',
    'fullwidth digits': '２５０ a\r\n',
    'a tab behind the code': '250\ta\r\n',
    'only an escape': '\x1b[2J\r\n',
  } as const;

  it.each(Object.entries(senseless))('%s breaks the protocol, in every place', (_, text) => {
    for (const [place, plan] of Object.entries(places)) {
      const { client, told } = meet(plan(text));
      expect(told.at(-1), place).toMatch(/^DISCONNECTED ESERVERSYNC/);
      expect(falsehoods(client), place).toEqual([]);
    }
  });

  it.each(['553\n', '553\r\n', '553-\n553\n', '553 \n'])('%j is a refusal like any other', (text) => {
    const { told } = meet({ moves: { MAIL: { say: [text] } } });
    expect(told).toContain('SERVER_ERROR sendSender 1 553');
  });

  it.each([
    '250-',
    '250-a\r\n',
    '250-a\r\n2',
    '250-a\r\n25',
    '250-a\r\n250',
    '250-a\r\n250-b\r\n',
    '2',
    '250 a\r',
  ])('%j and the end of the line: no reply, no crash', (text) => {
    for (const verb of ['EHLO', 'MAIL', 'DATA']) {
      const { client, told } = meet({ moves: { [verb]: { say: [text], end: true } } });
      expect(told.at(-1)).toBe('DISCONNECTED ESHUTDOWN 1:unsent');
      expect(falsehoods(client)).toEqual([]);
    }
  });

  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
  const raw = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]/;
  const dirty = '\x1b]0;owned\x07\x1b[2J\x9b31m\x00\x08\x7f\u2028\r evil';

  it('nothing of a reply reaches a terminal raw: texts, stacks, inspection and traces', () => {
    const said: string[] = [];
    for (const [place, plan] of Object.entries(places)) {
      for (const code of [550, 450, 421]) {
        for (const text of [`${code} ${dirty}\r\n`, `${code}-a\r\n${code} ${dirty}\r\n`, `${dirty}\r\n`]) {
          const { client } = meet(plan(text));
          for (const event of client.life.events) {
            for (const error of ['error' in event && event.error, 'reason' in event && event.reason]) {
              if (!(error instanceof Error)) continue;
              const cause = error.cause instanceof Error ? error.cause.message : '';
              const plain = [error.message, String(error), error.stack ?? '', cause];
              for (const one of plain) expect(one.replaceAll('\n', ' '), place).not.toMatch(raw);
              // Node's own escapes leave U+2028 alone
              for (const one of [inspect(error), inspect(event)])
                expect(one.replaceAll(/[\n\u2028]/g, ' '), place).not.toMatch(raw);
              said.push(error.message);
            }
          }
        }
      }
    }
    expect(said.join()).toContain('\\x1b');
    expect(said.length).toBeGreaterThan(50);
  });

  it('nor of what the server is traced to say', () => {
    const lines: string[] = [];
    const attacker = new Attacker({
      greeting: `220 ${dirty}\r\n`,
      moves: { EHLO: { say: [`550 ${dirty}\r\n`] } },
    });
    const made = field(attacker);
    const traced = trace(made.tap, ({ text }) => lines.push(text));
    traced.open({ host: 'x', port: 1 });
    for (let n = 0; n < 5; n++) traced.poll();
    traced.close(false);
    expect(lines.join()).toContain('owned');
    for (const line of lines) expect(line).not.toMatch(raw);
  });

  it('the text itself stays as it came, for whoever asks for it', () => {
    const { client } = meet({ moves: { MAIL: { say: ['550 a\x1bb\r\n'] } } });
    const refusal = client.life.events.find(({ name }) => name === 'SERVER_ERROR');
    expect(refusal?.name === 'SERVER_ERROR' && refusal.reply?.text).toBe('a\x1bb');
  });
});

describe('S13: one reply too many', () => {
  const extra = '250 one too many\r\n';
  const polite: Readonly<Record<string, string>> = {
    EHLO: '250-mx\r\n250 DSN\r\n',
    MAIL: '250 ok\r\n',
    RCPT: '250 ok\r\n',
    DATA: '354 go\r\n',
    '.': '250 taken\r\n',
    NOOP: '250 here\r\n',
    RSET: '250 reset\r\n',
  };

  it.each(Object.keys(polite))('behind the answer to %s ends the connection, told or not yet', (verb) => {
    const moves = Object.fromEntries(
      Object.entries(polite).map(([name, text]) => [name, { say: name === verb ? [text + extra] : [text] }]),
    );
    const attacker = new Attacker({ moves });
    const made = field(attacker);
    const { client } = made;
    client.connect();
    sendWhole(client);
    client.noop();
    client.reset();
    made.finish();
    expect(made.told.at(-1)).toMatch(/^DISCONNECTED ESERVERSYNC/);
    expect(falsehoods(client)).toEqual([]);
    expect(attacker.heard).not.toContain('QUIT');
    expect(attacker.lines).toBe(1);
  });

  it('while nothing at all is due, connected and idle, or after a rejected login', () => {
    for (const options of [{}, { auth }]) {
      const attacker = new Attacker({});
      const made = field(attacker, options);
      made.client.connect();
      made.settle();
      const before = made.tap.bytesOut;
      attacker.say(extra);
      made.settle();
      expect(made.told.at(-1)).toBe('DISCONNECTED ESERVERSYNC');
      expect(made.tap.bytesOut).toBe(before);
    }
  });

  it('a 421 is none: it ends the connection as what it is', () => {
    const attacker = new Attacker({});
    const made = field(attacker);
    made.client.connect();
    made.settle();
    attacker.say('421 idle for too long\r\n');
    made.settle();
    expect(made.told).toEqual(['CONNECTED', 'DISCONNECTED ESERVERTEMP']);
    expect(attacker.heard).toEqual(['EHLO client.example.test']);
  });

  it('a timeout poisons the connection: the late answer is nobody’s, and nothing more is written', () => {
    for (const verb of ['EHLO', 'MAIL', 'RCPT', 'DATA', '.']) {
      const attacker = new Attacker({ moves: { DATA: { say: ['354 go\r\n'] }, [verb]: { say: [] } } });
      const made = field(attacker, { timeouts: { commandMs: 1000, dataMs: 1000, verdictMs: 1000 } });
      made.client.connect();
      sendWhole(made.client);
      made.finish();
      const before = made.tap.bytesOut;
      attacker.say('250 ok\r\n'.repeat(5));
      made.settle();
      expect(made.told.at(-2)).toMatch(/^TIMEOUT/);
      expect(made.told.at(-1)).toBe(`DISCONNECTED ETIMEDOUT 1:${verb === '.' ? 'unknown' : 'unsent'}`);
      expect(made.tap.bytesOut).toBe(before);
      expect(falsehoods(made.client)).toEqual([]);
    }
  });
});
