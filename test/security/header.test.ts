/** Header fields at random, and what no option of a message can do: open a file or a URL (S14, S15). */

import {
  type BomOptions,
  type RecipientOptions,
  type SenderOptions,
  type SmtpClientOptions,
  SmtpUsageError,
} from 'smtpump';
import { Random, ScriptedServer } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import { type Field, field } from './field.ts';

function connected(): Field & { server: ScriptedServer } {
  const server = new ScriptedServer();
  const made = field(server);
  made.client.connect();
  made.settle();
  return { ...made, server };
}

describe('S14: header fields', () => {
  const atoms = [
    'X-A',
    'Subject',
    'a',
    ':',
    ' ',
    '\t',
    '\r',
    '\n',
    '\r\n ',
    '\0',
    'ü',
    '\u2028',
    '\ud800',
    '\x7f',
    'x'.repeat(90),
    '=?',
    '?=',
  ];

  it('fuzz: each is refused, or is one field with that name and no line of another', () => {
    const random = new Random(14);
    const { client, server, settle } = connected();
    let sent = 0;
    let refused = 0;
    for (let i = 0; i < 1500; i++) {
      const text = (most: number): string =>
        Array.from({ length: random.int(most) }, () => random.pick(atoms)).join('');
      const name = random.chance(0.5) ? 'X-Fuzz' : text(3);
      const value = text(8);
      client.sendSender('a@example.test');
      client.sendRecipient('b@example.test');
      try {
        client.sendBom({ headers: [[name, value]], subject: random.chance(0.3) ? text(6) : 'plain' });
      } catch (error) {
        if (!(error instanceof SmtpUsageError)) throw error;
        refused++;
        client.reset();
        settle();
        continue;
      }
      sent++;
      client.sendBody('body\r\n');
      client.sendEom();
      settle();
      const lines = headerOf(server, sent - 1);
      for (const line of lines) expect(line, JSON.stringify([name, value])).toMatch(/^(?:[!-9;-~]+:|[ \t])/);
      const names = lines
        .filter((line) => !/^[ \t]/.test(line))
        .map((line) => line.split(':')[0]?.toLowerCase());
      const own = ['from', 'to', 'subject', 'date', 'message-id'];
      const extra = names.filter((one) => !own.includes(one ?? ''));
      expect(extra).toEqual(own.includes(name.toLowerCase()) ? [] : [name.toLowerCase()]);
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(998);
    }
    expect(server.violations).toEqual([]);
    expect(sent).toBeGreaterThan(100);
    expect(refused).toBeGreaterThan(100);
  });

  function headerOf(server: ScriptedServer, n: number): string[] {
    const text = Buffer.from(server.messages[n]?.data ?? []).toString('latin1');
    return text.slice(0, text.indexOf('\r\n\r\n')).split('\r\n');
  }
});

/** Names by which other libraries read files and fetch URLs on behalf of whoever wrote the message. */
type Opening =
  | 'path'
  | 'file'
  | 'filename'
  | 'href'
  | 'url'
  | 'uri'
  | 'src'
  | 'attachments'
  | 'icalEvent'
  | 'alternatives'
  | 'html'
  | 'text'
  | 'watchHtml'
  | 'httpHeaders';
type None<T extends never> = T extends never ? true : never;

describe('S15: nothing in a message is opened', () => {
  it('no option of a message can name a path or a URL: in the types', () => {
    const none:
      | readonly [
          None<Extract<keyof SenderOptions, Opening>>,
          None<Extract<keyof RecipientOptions, Opening>>,
          None<Extract<keyof BomOptions, Opening>>,
          // the one path is that of the socket
          None<Exclude<Extract<keyof SmtpClientOptions, Opening>, 'path'>>,
        ]
      | undefined = undefined;
    // @ts-expect-error a body is text or bytes
    const body: Parameters<Field['client']['sendBody']>[0] = { path: '/etc/passwd' };
    // @ts-expect-error nor a URL
    const url: Parameters<Field['client']['sendBody']>[0] = new URL('file:///etc/passwd');
    expect([none, typeof body, typeof url]).toEqual([undefined, 'object', 'object']);
  });

  it('and at run time: objects, URLs and streams are refused, paths and URLs in a text are text', () => {
    const { client, server, settle } = connected();
    client.sendSender('a@example.test');
    client.sendRecipient('b@example.test');
    for (const options of [{ path: '/etc/passwd' }, { href: 'http://127.0.0.1/' }, { attachments: [] }])
      expect(() => client.sendBom(options as object)).toThrow(/^bom: it has no/);
    client.sendBom({ subject: 'file:///etc/passwd' });
    for (const body of [
      { path: '/etc/passwd' },
      new URL('file:///etc/passwd'),
      { href: 'data:text/plain,x' },
      7,
    ])
      expect(() => client.sendBody(body as never)).toThrow(/^chunk: /);
    client.sendBody('/etc/passwd\r\nhttp://127.0.0.1/\r\n<img src="file:///etc/passwd">\r\n');
    client.sendEom();
    settle();
    const text = Buffer.from(server.messages[0]?.data ?? []).toString();
    expect(text).toContain('\r\n\r\n/etc/passwd\r\nhttp://127.0.0.1/\r\n<img src="file:///etc/passwd">\r\n');
    expect(text).not.toContain('root:');
  });
});
