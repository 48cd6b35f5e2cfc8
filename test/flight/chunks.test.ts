/** CHUNKING (RFC 3030): which octets go in which chunk, and where chunks are used. */
import type { SmtpClientOptions } from 'smtpump';
import { describe, expect, it } from 'vitest';
import { type Bench, connected, last, textOf } from '../client/support.ts';
import { chunking, groups } from './flight.ts';

const binary = [...chunking, 'BINARYMIME'];

function opened(extensions: readonly string[], client: SmtpClientOptions = {}, body?: 'binarymime'): Bench {
  const made = connected({ server: { extensions }, client });
  made.client.sendSender({ address: 'a@example.test', ...(body && { body }) });
  made.client.sendRecipient('b@example.test');
  made.client.sendBom({ raw: true });
  return made;
}

/** Turns the crank until all of it is taken. */
function give(made: Bench, body: Uint8Array): void {
  for (let at = 0; at < body.length; ) {
    at += made.client.sendBody(body.subarray(at));
    made.settle();
  }
}

function finish(made: Bench): void {
  made.client.sendEom();
  made.settle();
}

const bdat = ({ heard }: Bench): string[] =>
  heard.filter((line) => line.startsWith('BDAT')).map((line) => line.slice(5));
const sizes = (made: Bench): number[] => bdat(made).map((argument) => Number.parseInt(argument, 10));
const stored = (made: Bench): Buffer => Buffer.from(made.server.messages[0]?.data ?? 'none');

/** Octets of all values, as repeatable as noise can be. */
function noise(length: number, among: readonly number[]): Uint8Array {
  let seed = 7;
  return Uint8Array.from({ length }, () => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return among[(seed >> 8) % among.length] ?? 0;
  });
}
const text = noise(300_000, [0x61, 0x2e, 0x0d, 0x0a, 0xe9]);
const normalised = Buffer.from(text)
  .toString('latin1')
  .replace(/\r\n|\r|\n/g, '\r\n')
  .replace(/(?<!\r\n)$/, '\r\n');

describe('what is in the chunks', () => {
  it('LE026 S10: any text arrives with CRLF at each line end and no dot more, however it was cut', () => {
    for (const step of [1_000, 4_095, 65_536, 300_000]) {
      const made = opened(chunking);
      for (let at = 0; at < text.length; at += step) give(made, text.subarray(at, at + step));
      finish(made);
      expect(stored(made).toString('latin1') === normalised, `in steps of ${step}`).toBe(true);
      expect(made.server.messages[0]?.by).toBe('BDAT');
      expect(made.server.violations).toEqual([]);
    }
  });

  it('LE032 S10: BINARYMIME carries every octet as it is, bare CR and LF, NUL and no line end at the end', () => {
    const all = noise(
      200_000,
      Array.from({ length: 256 }, (_, octet) => octet),
    );
    const made = opened(binary, {}, 'binarymime');
    give(made, all);
    finish(made);
    expect(made.heard.find((line) => line.startsWith('MAIL'))).toMatch(/ BODY=BINARYMIME$/);
    expect(stored(made).equals(all)).toBe(true);
  });

  it('LE032: BINARYMIME where CHUNKING is not offered or switched off is refused before MAIL', () => {
    for (const [extensions, client] of [
      [[...groups, 'BINARYMIME'], {}],
      [binary, { chunking: false }],
      [chunking, {}],
    ] as const) {
      const made = connected({ server: { extensions }, client });
      const act = (): unknown => made.client.sendSender({ address: 'a@example.test', body: 'binarymime' });
      expect(act).toThrow(expect.objectContaining({ code: 'EUNSUPPORTED' }));
      made.settle();
      expect(made.heard.filter((line) => line.startsWith('MAIL'))).toEqual([]);
    }
  });

  it('S10: a dot alone on its line ends nothing, nor does text that looks like a command', () => {
    const body = 'one\r\n.\r\nRSET\r\nBDAT 5 LAST\r\nMAIL FROM:<x@example.test>\r\n.\r\n';
    const made = opened(chunking);
    made.client.sendBody(body);
    finish(made);
    expect(textOf(made.server)).toBe(body);
    expect(made.server.messages).toHaveLength(1);
  });

  it('LE026: a header made here comes first, in the same chunk as the body', () => {
    const made = connected({ server: { extensions: chunking } });
    made.client.sendSender('a@example.test');
    made.client.sendRecipient('b@example.test');
    made.client.sendBom({ subject: 'hello' });
    made.client.sendBody('text\r\n');
    finish(made);
    expect(textOf(made.server)).toMatch(/^From: .*\r\nSubject: hello\r\n.*\r\n\r\ntext\r\n$/s);
    expect(bdat(made)).toEqual([`${stored(made).length} LAST`]);
  });

  it.each([
    ['CHUNKING', chunking],
    ['PIPELINING', groups],
  ])(
    'LE026 S10: with %s, a header whose lines begin with a dot, or are not ASCII, arrives as it was made',
    (_, by) => {
      const made = connected({ server: { extensions: [...by, 'SMTPUTF8'] } });
      made.client.sendSender('jürg@example.test');
      made.client.sendRecipient('zoë@example.test');
      made.client.sendBom({ headers: { '.Dot': '.', '..': 'x '.repeat(40_000).trim() } });
      made.client.sendBody('text\r\n');
      finish(made);
      const whole = textOf(made.server);
      expect(whole).toMatch(/^From: jürg@example.test\r\nTo: zoë@example.test\r\n/);
      expect(whole).toContain('\r\n.Dot: .\r\n..: x x');
      expect(whole).toMatch(/ x\r\n\r\ntext\r\n$/);
      expect(whole.match(/ x\b/g)).toHaveLength(40_000);
      expect(made.server.violations).toEqual([]);
    },
  );

  it('S20: a header that has to leave once more is the same', () => {
    let refused = false;
    const reply = ({ verb }: { verb: string }): string | undefined => {
      if (verb !== 'MAIL' || refused || made.server.messages.length === 0) return undefined;
      refused = true;
      return '503 5.5.1 not now';
    };
    const made = connected({ server: { extensions: chunking, reply } });
    for (const subject of ['one', 'two', 'three']) {
      made.client.sendSender('a@example.test');
      made.client.sendRecipient('b@example.test');
      made.client.sendBom({ subject, mime: true });
      made.client.sendBody(`X-Again: ${subject}\r\n\r\ntext\r\n`);
      made.client.sendEom();
    }
    made.settle();
    expect(refused).toBe(true);
    const whole = made.server.messages.map((_, at) => textOf(made.server, at)).sort();
    const ids = whole.map((text) => /Message-ID: (<[^\r]+>)\r\n/.exec(text)?.[1]);
    expect(new Set(ids).size).toBe(3);
    expect(whole.map((text) => text.replace(/Date: [^\r]+\r\nMessage-ID: <[^\r]+>\r\n/, ''))).toEqual(
      ['one', 'three', 'two'].map(
        (subject) =>
          'From: a@example.test\r\nTo: b@example.test\r\n' +
          `Subject: ${subject}\r\nX-Again: ${subject}\r\n\r\ntext\r\n`,
      ),
    );
  });
});

describe('how big the chunks are', () => {
  it('LE031: a body that is there as a whole goes in one chunk, the last', () => {
    const made = opened(chunking, { bodyBufferBytes: 1_000_000 });
    made.client.sendBody('x'.repeat(500_000));
    finish(made);
    expect(bdat(made)).toEqual(['500002 LAST']);
  });

  it('LE026: while more may come, no chunk is larger than a receiver takes at once, and the rest waits', () => {
    const made = opened(chunking, { bodyBufferBytes: 1_000_000 });
    made.client.sendBody(`${'x'.repeat(499_998)}\r\n`);
    made.settle();
    expect(bdat(made)).toEqual(['114688', '114688', '114688', '114688']);
    finish(made);
    expect(bdat(made).at(-1)).toBe('41248 LAST');
    expect(stored(made)).toHaveLength(500_000);
  });

  it('LE026 LE031: a thousand small pieces, one a turn, become few chunks, and the last has the rest', () => {
    const made = opened(chunking);
    for (let n = 0; n < 1_000; n++) {
      made.client.sendBody('a line of text, then its end: .\r\n'.padStart(200, 'x'));
      made.settle(1);
    }
    finish(made);
    // 200,000 octets
    expect(
      sizes(made)
        .slice(0, -1)
        .every((size) => size >= 65_536),
    ).toBe(true);
    expect(bdat(made)).toHaveLength(4);
    expect(bdat(made).at(-1)).toMatch(/^[1-9]\d* LAST$/);
    expect(stored(made)).toHaveLength(200_000);
  });

  it('LE031: an empty message is an empty last chunk', () => {
    const made = opened(chunking);
    finish(made);
    expect(bdat(made)).toEqual(['0 LAST']);
    expect(made.told).toContain('EOM_ACK 1 b/');
  });

  it('LE031: an end that comes when all has left is an empty last chunk, or ends the line', () => {
    for (const [body, end] of [
      [`${'x'.repeat(65_534)}\r\n`, '0 LAST'],
      ['x'.repeat(65_536), '2 LAST'],
    ] as const) {
      const made = opened(chunking);
      made.client.sendBody(body);
      made.settle();
      finish(made);
      expect(bdat(made)).toEqual(['65536', end]);
      expect(stored(made).toString()).toBe(body.replace(/(?<!\r\n)$/, '\r\n'));
    }
  });

  it('LE030: an Exchange, known by XEXCH50, is given an empty line in place of an empty last chunk', () => {
    for (const [body, expected] of [
      ['', ['2 LAST']],
      [`${'x'.repeat(65_534)}\r\n`, ['65536', '2 LAST']],
    ] as const) {
      const made = opened([...chunking, 'XEXCH50']);
      made.client.sendBody(body);
      made.settle();
      finish(made);
      expect(bdat(made)).toEqual(expected);
      expect(stored(made).toString()).toBe(`${body}\r\n`);
    }
    const made = opened([...chunking, 'XEXCH50']);
    made.client.sendBody('text\r\n');
    finish(made);
    expect(stored(made).toString()).toBe('text\r\n');
  });

  it('LE026: a small bound gives small chunks, and everything arrives', () => {
    for (const bound of [1, 2, 7, 100]) {
      const made = opened(chunking, { bodyBufferBytes: bound });
      give(made, text.subarray(0, 500));
      finish(made);
      expect(stored(made).toString('latin1')).toBe(
        Buffer.from(text.subarray(0, 500))
          .toString('latin1')
          .replace(/\r\n|\r|\n/g, '\r\n')
          .replace(/(?<!\r\n)$/, '\r\n'),
      );
    }
  });
});

describe('where it is used', () => {
  const by = (extensions: readonly string[], client: SmtpClientOptions = {}): string[] => {
    const made = opened(extensions, client);
    made.client.sendBody('text\r\n');
    finish(made);
    return [made.server.messages[0]?.by ?? 'nothing', ...made.news()];
  };
  const events = ['SENDER_ACK 1', 'RECIPIENT_ACK 1 b', 'BOM_ACK 1', 'EOM_ACK 1 b/'];

  it('LE026 LE028: where offered and not switched off; the events are the same', () => {
    expect(by(chunking)).toEqual(['BDAT', ...events]);
    expect(by(groups)).toEqual(['DATA', ...events]);
    expect(by(chunking, { chunking: false })).toEqual(['DATA', ...events]);
    expect(by(['CHUNKING'])).toEqual(['BDAT', ...events]);
    expect(by(chunking, { pipelining: false })).toEqual(['BDAT', ...events]);
  });

  it('LE026: BOM_ACK has no reply, since nothing is asked', () => {
    const made = opened(chunking);
    finish(made);
    expect(last(made.events, 'BOM_ACK').reply).toBeUndefined();
  });
});
