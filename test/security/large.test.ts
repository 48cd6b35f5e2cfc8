/**
 * A megabyte where a word was expected (S9): every parser is linear, so each of these is over at once. The budget is
 * processor time, and far more than a busy machine needs; what is quadratic in 1 MB misses it by orders of magnitude.
 */

import { SmtpUsageError } from 'smtpump';
import { ScriptedServer } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import { decodeBase64 } from '../../src/sasl/base64.ts';
import { parsePath } from '../../src/wire/address.ts';
import { parseCapabilities } from '../../src/wire/capabilities.ts';
import { Reply, ReplyParser } from '../../src/wire/reply.ts';
import { decodeXtext } from '../../src/wire/xtext.ts';
import { Attacker } from './attacker.ts';
import { auth, field } from './field.ts';

const size = 2 ** 20;
const budgetMicroseconds = 15_000_000;

/** Runs it and says whether it was in time; what it throws must be ours. */
function inTime(run: () => unknown): void {
  const start = process.cpuUsage();
  try {
    run();
  } catch (error) {
    if (!(error instanceof SmtpUsageError) && !(error instanceof Error && error.name === 'ReplySyntaxError'))
      if (!(error instanceof Error && error.name === 'SaslError')) throw error;
  }
  expect(process.cpuUsage(start).user).toBeLessThan(budgetMicroseconds);
}

const big: Readonly<Record<string, string>> = {
  letters: 'x'.repeat(size),
  dots: '.'.repeat(size),
  quotes: '"'.repeat(size),
  backslashes: `"${'\\'.repeat(size)}`,
  'open brackets': '<('.repeat(size / 2),
  'at signs': '@'.repeat(size),
  'dotted letters': 'a.'.repeat(size / 2),
  spaces: ' '.repeat(size),
  words: 'a '.repeat(size / 2),
  'encoded words': '=?utf-8?q?a?= '.repeat(size / 16),
  'half encoded words': '=?'.repeat(size / 2),
  accents: 'é'.repeat(size / 2),
  'pairs of surrogates': '😀'.repeat(size / 4),
  percents: '%61'.repeat(size / 4),
  colons: ':'.repeat(size),
  pluses: '+41'.repeat(size / 4),
};

describe('S9: 1 MB of', () => {
  it.each(Object.entries(big))('%s, in every text of a message', (_, text) => {
    const server = new ScriptedServer();
    const { client, settle } = field(server);
    client.connect();
    settle();
    for (const address of [
      text,
      `${text}@example.test`,
      `a@${text}`,
      `"${text}"@example.test`,
      `a@[${text}]`,
    ]) {
      inTime(() => parsePath(address, 'x'));
      inTime(() => client.sendSender(address));
    }
    inTime(() => client.sendSender({ address: 'a@example.test', envid: text }));
    inTime(() => client.sendSender({ address: 'a@example.test', replyTo: text }));
    if (!client.can('sendSender')) client.reset();
    client.sendSender({ address: 'a@example.test', name: text });
    inTime(() => client.sendRecipient({ address: 'b@example.test', orcpt: text }));
    client.sendRecipient({ address: 'b@example.test', name: text });
    inTime(() => client.sendBom({ headers: { [text.slice(0, 1000)]: 'x', References: text } }));
    inTime(() => client.sendBom({ date: text }));
    inTime(() => client.sendBom({ subject: text, headers: { 'X-Big': text } }));
    if (client.can('sendBom')) client.sendBom();
    inTime(() => {
      for (let at = 0; at < text.length; at += 65_536) {
        client.sendBody(text.slice(at, at + 65_536));
        settle();
      }
    });
    client.sendEom();
    inTime(settle);
    expect(server.delivered).toBe(1);
    const { data = new Uint8Array() } = server.messages[0] ?? {};
    const header = Buffer.from(data).toString().split('\r\n\r\n')[0] ?? '';
    for (const line of header.split('\r\n'))
      if (line.length > 998) throw new Error(`a line of ${line.length}`);
  });

  it.each(Object.entries(big))('%s, in what a server may say', (_, text) => {
    inTime(() => Reply.of(`250 ${text}\r\n`));
    inTime(() => decodeXtext(text));
    inTime(() => decodeBase64(text));
    const lines = text.slice(0, 60_000).replace(/.{100}/g, '$&\r\n250-');
    inTime(() => parseCapabilities(Reply.of(`250-x\r\n250-AUTH ${lines}\r\n250 ok\r\n`)));
    inTime(() => parseCapabilities(Reply.of(`250-x\r\n250-AUTH=${text.slice(0, 4000)}\r\n250 ok\r\n`)));
  });

  it('replies that come octet by octet', () => {
    const bytes = Buffer.from('250-abcdefgh\r\n'.repeat(400).concat('250 x\r\n').repeat(190));
    const parser = new ReplyParser();
    let replies = 0;
    inTime(() => {
      for (let i = 0; i < bytes.length; i++) {
        parser.feed(bytes.subarray(i, i + 1));
        if (parser.next() !== undefined) replies++;
      }
    });
    expect(bytes.length).toBeGreaterThan(size);
    expect(replies).toBe(190);
  });

  it.each(['334 ', '334 r=', '334 v='])('a challenge %j', (start) => {
    const server = new Attacker({
      implicit: true,
      moves: {
        EHLO: { say: ['250-mx\r\n250 AUTH SCRAM-SHA-256\r\n'] },
        AUTH: { say: [`${start}${'A'.repeat(size)}\r\n`] },
      },
    });
    const made = field(server, { tls: 'implicit', auth });
    made.client.connect();
    inTime(() => made.finish());
    expect(made.told.at(-1)).toBe('DISCONNECTED ESERVERSYNC');
    expect(made.tap.bytesIn).toBeGreaterThan(size);
  });

  it('the rounds of SCRAM are capped, so that a server cannot stop the pump for minutes', () => {
    const nonce = Buffer.alloc(24, 7).toString('base64');
    const first = Buffer.from(`r=${nonce}x,s=c2FsdA==,i=2147483647`).toString('base64');
    const server = new Attacker({
      implicit: true,
      moves: {
        EHLO: { say: ['250-mx\r\n250 AUTH SCRAM-SHA-256\r\n'] },
        AUTH: { say: [`334 ${first}\r\n`] },
        '*': { say: ['501 x\r\n'] },
      },
    });
    const made = field(server, { tls: 'implicit', auth });
    made.client.connect();
    inTime(() => made.settle());
    expect(made.told).toEqual(['SECURE_OK', 'AUTH_FAIL 501']);
  });

  it('20,000 recipients and 20,000 small pieces of a body', () => {
    const server = new ScriptedServer();
    const { client, settle, told } = field(server);
    inTime(() => {
      client.connect();
      client.sendSender('a@example.test');
      for (let i = 0; i < 20_000; i++) client.sendRecipient({ address: `r${i}@example.test`, type: 'bcc' });
      client.sendBom();
      for (let i = 0; i < 20_000; i++) client.sendBody('x\r\n');
      client.sendEom();
    });
    settle();
    expect(server.messages[0]?.to).toHaveLength(20_000);
    expect(told.filter((one) => one.startsWith('RECIPIENT_ACK'))).toHaveLength(20_000);
  });
});
