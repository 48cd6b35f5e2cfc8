/**
 * Nothing in a body ends the message or starts a command (S10): through the client, over the wire, at every cut.
 * The encoder alone is tried exhaustively in test/wire/body.exhaustive.test.ts.
 */

import { SmtpUsageError } from 'smtpump';
import { Random, ScriptedServer } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import { field } from './field.ts';

/** What a body must arrive as: every CRLF, CR and LF is one line end, and the last line has one. */
function normalised(body: string): string {
  const text = body.replace(/\r\n|\r|\n/g, '\r\n');
  return text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`;
}

/** Messages by these pieces, one after the other on one connection; the text after each DATA, as it was on the wire. */
function send(bodies: readonly (readonly (string | Uint8Array)[])[], pipelining: boolean) {
  const server = new ScriptedServer();
  const { client, tap, settle, told } = field(server, { pipelining });
  client.connect();
  settle();
  const wires: string[] = [];
  for (const pieces of bodies) {
    const from = tap.bytesOut;
    client.sendSender('a@example.test');
    client.sendRecipient('b@example.test');
    client.sendBom({ raw: true });
    for (const piece of pieces) client.sendBody(piece);
    client.sendEom();
    settle();
    const text = tap.text.slice(from);
    wires.push(text.slice(text.indexOf('\r\nDATA\r\n') + 8));
  }
  return { server, told, wires };
}

function judge(bodies: readonly (readonly (string | Uint8Array)[])[], pipelining = true): void {
  const { server, wires, told } = send(bodies, pipelining);
  expect(server.violations).toEqual([]);
  expect(server.commands.filter((line) => !/^(?:EHLO|MAIL|RCPT|DATA)/.test(line))).toEqual([]);
  expect(told.filter((one) => one.startsWith('EOM_ACK'))).toHaveLength(bodies.length);
  expect(wires).toHaveLength(bodies.length);
  bodies.forEach((pieces, i) => {
    const body = Buffer.concat(pieces.map((piece) => Buffer.from(piece))).toString('latin1');
    const wire = `\r\n${wires[i]}`;
    expect(wire.indexOf('\r\n.\r\n'), JSON.stringify(pieces)).toBe(wire.length - 5);
    expect(wire).not.toMatch(/[^\r]\n|\r[^\n]|\n\n|\n\r(?!\n)|\r\r/);
    expect(Buffer.from(server.messages[i]?.data ?? []).toString('latin1')).toBe(normalised(body));
  });
}

const smuggles = [
  '\n.\n',
  '\n.\r\n',
  '\r\n.\n',
  '\r.\r',
  '\r\n.\r',
  '\r.\r\n',
  '\n\n.\r\n',
  '\r\r\n.\r\r\n',
  '\r\n\0.\r\n',
  '.\r\n',
  '.',
  '..',
  '\r\n.',
  '\r\n..\r\n',
  '\r\n.\r\nMAIL FROM:<evil@attacker.test>\r\nRCPT TO:<b@example.test>\r\nDATA\r\nx\r\n.\r\n',
  '\n.\nQUIT\n',
  '\r.\rRSET\r',
  '\r\n.\r\n.\r\n',
  '\u0085.\u0085',
  '\u2028.\u2028',
  '\x0b.\x0c',
];

describe('S10: CRLF . CRLF comes once, at the end', () => {
  it.each(smuggles)('%j, whole and cut in two and three at every place', (text) => {
    const bytes = Buffer.from(`a${text}b`);
    for (const body of [bytes, Buffer.from(text)]) {
      const cuts: Uint8Array[][] = [[body]];
      for (let i = 0; i <= body.length; i++) {
        cuts.push([body.subarray(0, i), body.subarray(i)]);
        if (body.length < 16)
          for (let j = i; j <= body.length; j++)
            cuts.push([body.subarray(0, i), body.subarray(i, j), body.subarray(j)]);
      }
      judge(cuts);
    }
  });

  it('random CR, LF, dots and others, at random cuts, pipelined and not, strings and bytes', () => {
    const seed = Number(process.env.SMTPUMP_SEED ?? 10);
    const random = new Random(seed);
    const rounds = process.env.SMTPUMP_LONG === undefined ? 60 : 3000;
    for (let round = 0; round < rounds; round++) {
      const bodies = Array.from({ length: 25 }, () => {
        const pieces: (string | Uint8Array)[] = [];
        for (let n = random.int(5); n >= 0; n--) {
          let text = '';
          for (let i = random.int(12); i >= 0; i--)
            text += random.pick(['\r', '\n', '\r\n', '.', 'a', '\0', '\r\n.\r\n']);
          pieces.push(random.chance(0.5) ? text : Buffer.from(text));
        }
        return pieces;
      });
      judge(bodies, round % 2 === 0);
    }
  });

  it('a body of nothing, of dots only, of line ends only', () => {
    judge([
      [],
      [''],
      ['.'],
      ['...'],
      ['\r\n'],
      ['\n'],
      ['\r'],
      ['\r', '\n'],
      ['\r', '\r'],
      ['\n', '\r'],
      ['.', '\r', '\n', '.'],
    ]);
  });

  it('pieces as large as they come, with a dot on each side of every cut', () => {
    const big = Buffer.from('x'.repeat(70_000));
    judge([
      [big, '\r\n', '.', '\r\n', big],
      [Buffer.concat([big, Buffer.from('\r')]), Buffer.concat([Buffer.from('\n.\r\n'), big])],
    ]);
  });

  it('bareLineEnds: refuse takes nothing of such a piece, and the message stays open', () => {
    const server = new ScriptedServer();
    const { client, settle, told } = field(server, { bareLineEnds: 'refuse' });
    client.connect();
    client.sendSender('a@example.test');
    client.sendRecipient('b@example.test');
    client.sendBom({ raw: true });
    for (const text of ['a\nb', 'a\rb', '\n', '\r\r\n', '\n.\n', 'a\r\n\n'])
      expect(() => client.sendBody(text), JSON.stringify(text)).toThrow(SmtpUsageError);
    client.sendBody('ok\r');
    expect(() => client.sendBody('x')).toThrow(SmtpUsageError);
    expect(() => client.sendEom()).toThrow(SmtpUsageError);
    client.sendBody('\n.\r\n');
    client.sendEom();
    settle();
    expect(told.at(-1)).toBe('EOM_ACK 1 b/');
    expect(Buffer.from(server.messages[0]?.data ?? []).toString()).toBe('ok\r\n.\r\n');
  });
});
