/** Replies: what is read out of whole ones. Cuts and bounds have files of their own. */
import { inspect } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { Reply, ReplyParser, ReplySyntaxError } from '../../src/wire/reply.ts';

const reasonOf = (whole: string | Uint8Array): string => {
  try {
    Reply.of(whole);
  } catch (error) {
    if (error instanceof ReplySyntaxError) return error.reason;
    throw error;
  }
  return 'none';
};

describe('one reply', () => {
  it('has a code, lines and text', () => {
    const reply = Reply.of('250-mx.example\r\n250-SIZE 1000\r\n250 HELP\r\n');
    expect(reply.code).toBe(250);
    expect(reply.lines).toEqual(['mx.example', 'SIZE 1000', 'HELP']);
    expect(reply.text).toBe('mx.example\nSIZE 1000\nHELP');
  });

  it.each([
    ['250\r\n', ['']],
    ['250\n', ['']],
    ['250 \r\n', ['']],
    ['250-\r\n250\r\n', ['', '']],
    ['250-a\n250 b\n', ['a', 'b']],
    ['250   two blanks stay\r\n', ['  two blanks stay']],
    ['250 a\rb\r\r\n', ['a\rb\r']],
    ['250 \0\r\n', ['\0']],
    ['\r\n\n\r\n220 after empty lines\r\n', ['after empty lines']],
  ])('%j has the lines %j', (whole, lines) => {
    expect(Reply.of(whole).lines).toEqual(lines);
  });

  it.each(['200', '354', '421', '599'])('takes the code %s', (code) => {
    expect(Reply.of(`${code} x\r\n`).code).toBe(Number(code));
  });
});

describe('enhanced codes (RFC 2034, LE043)', () => {
  it.each([
    ['250 2.1.5 Ok', [2, 1, 5]],
    ['550 5.7.999 x', [5, 7, 999]],
    ['421 4.0.0', [4, 0, 0]],
    ['250-2.100.10 a\r\n250 b', [2, 100, 10]],
    ['250 4.1.5 other class than the code', undefined],
    ['354 3.1.0 no such class', undefined],
    ['250 2.1 x', undefined],
    ['250 2.1.x', undefined],
    ['250 2..1 x', undefined],
    ['250 2.1.5x', undefined],
    ['250 2.1.5.1 x', undefined],
    ['250 2.01.5 x', undefined],
    ['250 2.1.00 x', undefined],
    ['250 2.1.1000 x', undefined],
    ['250  2.1.5 x', undefined],
    ['250', undefined],
    ['250-a\r\n250 2.1.5', undefined],
  ])('%j has %j', (whole, expected) => {
    expect(Reply.of(`${whole}\r\n`).enhanced).toEqual(expected);
    expect(Reply.of(`${whole}\n`).enhanced).toEqual(expected);
  });

  it('does not read on in the memory behind the reply', () => {
    const parser = new ReplyParser();
    parser.feed(Buffer.from('250\r\n250 2.1.5 x\r\n'));
    expect([parser.next()?.enhanced, parser.next()?.enhanced]).toEqual([undefined, [2, 1, 5]]);
  });

  it('stay in the text', () => {
    expect(Reply.of('250 2.1.5 Ok\r\n').text).toBe('2.1.5 Ok');
  });
});

describe('charsets', () => {
  it('reads UTF-8', () => {
    expect(Reply.of('550 Empfänger unbekannt ✉\r\n').text).toBe('Empfänger unbekannt ✉');
  });

  it('reads what is not UTF-8 as latin1, and keeps the bytes', () => {
    const sent = Buffer.from('550-Empfänger\r\n550 ÿ\r\n', 'latin1');
    const reply = Reply.of(sent);
    expect(reply.lines).toEqual(['Empfänger', 'ÿ']);
    expect(Buffer.from(reply.bytes)).toEqual(sent);
  });
});

describe('what is made of a reply', () => {
  it('is JSON of its facts', () => {
    expect(JSON.stringify(Reply.of('250 2.0.0 Ok\r\n'))).toBe(
      '{"code":250,"enhanced":[2,0,0],"lines":["2.0.0 Ok"],"text":"2.0.0 Ok"}',
    );
  });

  it('shows the same to console.log, control characters escaped (S12)', () => {
    const shown = inspect(Reply.of('550 \u001b[31mred\r\n'));
    expect(shown).toContain('550');
    expect(shown).not.toContain('\u001b');
  });

  it('is no string unless somebody reads it', () => {
    const decode = vi.spyOn(Buffer.prototype, 'toString');
    const parser = new ReplyParser();
    parser.feed(Buffer.from('250-2.0.0 a\r\n250 2.0.0 b\r\n'));
    const reply = parser.next();
    expect([reply?.code, reply?.enhanced]).toEqual([250, [2, 0, 0]]);
    expect(decode).not.toHaveBeenCalled();
    expect(reply?.lines).toBe(reply?.lines);
    expect(decode).toHaveBeenCalledTimes(1);
    decode.mockRestore();
  });

  it('is its own: the chunk may change, and later replies do not touch it', () => {
    const parser = new ReplyParser();
    const chunk = Buffer.from(`250 first\r\n250 ${'x'.repeat(300)}\r\n`);
    parser.feed(chunk);
    const replies = [parser.next(), parser.next(), parser.next()];
    chunk.fill(0x2a);
    for (let i = 0; i < 1000; i++) {
      parser.feed(Buffer.from('550 later\r\n'));
      parser.next();
    }
    expect(replies.map((reply) => reply?.text)).toEqual(['first', 'x'.repeat(300), undefined]);
  });

  it('is refused for tests unless whole and alone', () => {
    for (const whole of ['', '250', '250-a\r\n', '250 a\r\n250 b\r\n', '250 a\r\n\r\n']) {
      expect(reasonOf(whole)).toBe('notOne');
    }
  });
});

describe('what is no reply', () => {
  it.each([
    ['code', 'HTTP/1.1 400\r\n'],
    ['code', '\0'],
    ['code', '25'.padEnd(3, '\r')],
    ['code', '25\r\n'],
    ['code', ' 250 x\r\n'],
    ['code', '\r250 x\r\n'],
    ['code', '150 wait\r\n'],
    ['code', '099 x\r\n'],
    ['code', '600 x\r\n'],
    ['code', '553-a\r\n\r\n553 b\r\n'],
    ['code', Buffer.from('\u0016\u0003\u0001\u0002', 'latin1')],
    ['separator', '553x'],
    ['separator', '2500 x\r\n'],
    ['separator', '250\tx\r\n'],
    ['separator', '250\rx\r\n'],
    ['mixedCodes', '250-a\r\n251 b\r\n'],
    ['mixedCodes', '250-a\r\n5'],
  ])('is refused at once, reason %s: %j (S12, LE044)', (reason, whole) => {
    expect(reasonOf(whole)).toBe(reason);
  });

  it('is shown in the error, safe to print (S12)', () => {
    expect(() => Reply.of(`\u001b]0;${'x'.repeat(500)}`)).toThrow(/^not a reply code: "\\x1b\]0;x{76}…"$/);
  });

  it('poisons the parser until it is reset (S13)', () => {
    const parser = new ReplyParser();
    parser.feed(Buffer.from('250 good\r\njunk\r\n250 late\r\n'));
    expect(parser.next()?.text).toBe('good');
    expect(() => parser.next()).toThrow(ReplySyntaxError);
    parser.feed(Buffer.from('250 later\r\n'));
    expect(() => parser.next()).toThrow('not a reply code');
    expect(parser.pending).toBeGreaterThan(0);

    parser.reset();
    expect([parser.pending, parser.next()]).toEqual([0, undefined]);
    parser.feed(Buffer.from('250 again\r\n'));
    expect(parser.next()?.text).toBe('again');
  });
});

describe('pending', () => {
  it.each([
    ['', 0],
    ['2', 1],
    ['\r', 1],
    ['\r\n', 2],
    ['\n\n', 2],
    ['250 injected\r\n', 14],
    ['x'.repeat(5000), 5000],
  ])('after the 220 to STARTTLS, %j leaves so many bytes: %i (S1)', (behind, count) => {
    const parser = new ReplyParser();
    parser.feed(Buffer.from(`220 go\r\n${behind}`));
    expect(parser.next()?.code).toBe(220);
    expect(parser.pending).toBe(count);
  });

  it('counts empty lines that were stepped over, until a reply follows (S1)', () => {
    const parser = new ReplyParser();
    parser.feed(Buffer.from('\r\n\n2'));
    expect([parser.next(), parser.pending]).toEqual([undefined, 4]);
    parser.feed(Buffer.from('50\r\n'));
    expect([parser.next()?.code, parser.pending]).toEqual([250, 0]);
  });
});
