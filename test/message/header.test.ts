/** The header section that the step client writes: read back with postal-mime, and attacked with fast-check. */
import fc from 'fast-check';
import PostalMime, { type Email } from 'postal-mime';
import { describe, expect, test } from 'vitest';
import { SmtpUsageError } from '../../src/errors.ts';
import { checkHeaderFields } from '../../src/message/fields.ts';
import { composeHeader, type HeaderSection } from '../../src/message/header.ts';

const base: HeaderSection = {
  from: { address: 'ada@example.test', name: 'Ada Lovelace' },
  localName: 'device-7.example.test',
  to: [{ address: 'bob@example.test' }],
  cc: [],
  subject: 'Hello',
  date: new Date(Date.UTC(2026, 10, 22, 5, 15)),
  messageId: '<1@example.test>',
  utf8: false,
};

const compose = (change: Partial<HeaderSection> = {}): string => composeHeader({ ...base, ...change });

const parse = (header: string): Promise<Email> => PostalMime.parse(`${header}\r\nbody\r\n`);

const linesOf = (header: string): string[] => header.split('\r\n').slice(0, -1);

const usage = (run: () => unknown): SmtpUsageError => {
  try {
    run();
  } catch (error) {
    if (error instanceof SmtpUsageError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

/** Every line is one a server must take, and none of them can be mistaken for the end of the section. */
const expectSound = (header: string): void => {
  expect(header.endsWith('\r\n')).toBe(true);
  for (const line of linesOf(header)) {
    expect(Buffer.byteLength(line)).toBeLessThanOrEqual(998);
    expect(line).toMatch(/^(?:[\x21-\x39\x3b-\x7e]+:|[ \t].*[^ \t])/);
    expect(line).not.toMatch(/[\r\n\0]/);
  }
};

describe('what is written', () => {
  test('TK22 TK23 TK25 the whole section, byte by byte', () => {
    const text = compose({
      replyTo: { address: 'desk@example.test', name: 'Desk, front' },
      to: [{ address: 'bob@example.test', name: 'Bob "B" \\ Co.' }, { address: 'carol@example.test' }],
      cc: [{ address: 'dan@example.test', name: 'André' }],
      headers: { 'X-Kind': ['one', 'two'] },
    });
    expect(linesOf(text)).toEqual([
      'From: Ada Lovelace <ada@example.test>',
      'Reply-To: "Desk, front" <desk@example.test>',
      'To: "Bob \\"B\\" \\\\ Co." <bob@example.test>, carol@example.test',
      'Cc: =?UTF-8?Q?Andr=C3=A9?= <dan@example.test>',
      'Subject: Hello',
      'Date: Sun, 22 Nov 2026 05:15:00 +0000',
      'Message-ID: <1@example.test>',
      'X-Kind: one',
      'X-Kind: two',
    ]);
  });

  test('TK25 a date text goes as the caller gave it', () => {
    expect(compose({ date: 'sometime in May' })).toContain('\r\nDate: sometime in May\r\n');
  });

  test('TK22 without names the addresses stand bare, and no subject means no Subject', () => {
    const text = compose({ from: { address: 'ada@example.test', name: '' }, subject: undefined });
    expect(text).toContain('From: ada@example.test\r\n');
    expect(text).not.toContain('Subject');
  });

  test('without To and Cc stands an empty group', () => {
    expect(compose({ to: [] })).toContain('To: undisclosed-recipients:;\r\n');
    expect(compose({ to: [], cc: [{ address: 'a@b.test' }] })).not.toContain('To:');
  });

  test('the null reverse-path gets the From of a mail server', () => {
    expect(compose({ from: undefined })).toContain('From: MAILER-DAEMON@device-7.example.test\r\n');
  });

  test('S7 U+010D U+010A never become CR and LF', () => {
    const text = composeHeader({
      ...base,
      subject: 'a\u010d\u010aBcc: x',
      from: { address: 'a@b.test', name: '\u010d\u010a' },
    });
    expect(linesOf(Buffer.from(text, 'utf8').toString('latin1'))).toHaveLength(5);
  });
});

describe("the caller's own fields", () => {
  test('LE080 LE088 a field named like ours takes its place, whatever the case', () => {
    const text = compose({ headers: { 'message-ID': '<mine@x>', SUBJECT: 'other', Sender: 'a@b.test' } });
    expect(linesOf(text).slice(2)).toEqual([
      'SUBJECT: other',
      'Date: Sun, 22 Nov 2026 05:15:00 +0000',
      'message-ID: <mine@x>',
      'Sender: a@b.test',
    ]);
  });

  test('LE090 TK23 a Bcc is refused, and says what to do', () => {
    for (const name of ['Bcc', 'BCC', 'Resent-Bcc']) {
      const error = usage(() => checkHeaderFields([[name, 'x@y.test']], 'sendBom.headers'));
      expect(error.code).toBe('EINVAL');
      expect(error.message).toMatch(/^sendBom\.headers: .*type 'bcc'/);
    }
  });

  test('LE083 a second value of a field that stands once is refused', () => {
    expect(usage(() => compose({ headers: { Subject: ['a', 'b'] } })).code).toBe('EINVAL');
    expect(
      usage(() =>
        compose({
          headers: [
            ['To', 'a@b'],
            ['to', 'c@d'],
          ],
        }),
      ).code,
    ).toBe('EINVAL');
  });

  test('S14 header names are tokens of at most 76 characters', () => {
    for (const name of ['', 'a b', 'a:b', 'a\r\nb', 'ä', 'a\0', 'x'.repeat(77)]) {
      expect(usage(() => compose({ headers: [[name, 'v']] })).code).toBe('EINVAL');
    }
    expectSound(compose({ headers: [['x'.repeat(76), 'y'.repeat(5000)]] }));
  });

  test('fields with a grammar: text beyond ASCII is refused, but for SMTPUTF8', async () => {
    expect(usage(() => compose({ headers: { Sender: 'ü <a@b.test>' } })).message).toMatch(
      /headers\.Sender: .*grammar/,
    );
    expect(compose({ headers: { Sender: 'ü@b.test' }, utf8: true })).toContain('Sender: ü@b.test\r\n');
    expect(usage(() => compose({ headers: { References: `<${'x'.repeat(1000)}@y>` } })).code).toBe('EINVAL');
    const references = Array.from({ length: 60 }, (_, i) => `<id-${i}@example.test>`).join(' ');
    const text = compose({ headers: { References: references } });
    expectSound(text);
    expect((await parse(text)).references).toBe(references);
  });

  test('S14 values of the wrong type are refused', () => {
    // @ts-expect-error callers in JavaScript
    expect(usage(() => compose({ headers: { 'X-A': [7] } })).code).toBe('EINVAL');
    // @ts-expect-error callers in JavaScript
    expect(usage(() => compose({ subject: 7 })).code).toBe('EINVAL');
  });
});

describe('S14 LE091 TK22 TK25 what could start a line is refused in every field', () => {
  const bad = ['\r\n', '\n', '\r', '\0', '\u2028', '\u2029', '\u0085', '\x1b', '\x7f', '\ud800'];
  const places: [string, (text: string) => Partial<HeaderSection>][] = [
    ['from.name', (name) => ({ from: { address: 'a@b.test', name } })],
    ['from.address', (text) => ({ from: { address: `a${text}@b.test` } })],
    ['replyTo.name', (name) => ({ replyTo: { address: 'a@b.test', name } })],
    ['to.name', (name) => ({ to: [{ address: 'a@b.test', name }] })],
    ['cc.name', (name) => ({ cc: [{ address: 'a@b.test', name }] })],
    ['cc.address', (text) => ({ cc: [{ address: `a@b${text}` }] })],
    ['subject', (subject) => ({ subject })],
    ['date', (date) => ({ date })],
    ['messageId', (text) => ({ messageId: `<a${text}@b>` })],
    ['headers.X-A', (text) => ({ headers: { 'X-A': text } })],
  ];
  test.each(places)('%s', (option, place) => {
    for (const text of bad) {
      const error = usage(() => compose({ utf8: true, ...place(`x${text}Bcc: evil@y.test`) }));
      expect(error.code).toBe('EINVAL');
      expect(error.option).toBe(option);
      expect(error.message).not.toMatch(/[\r\n\0]/);
    }
  });
});

describe('long and foreign text', () => {
  test('long ASCII folds at spaces and stays as it is', () => {
    const subject = Array.from({ length: 60 }, (_, i) => `word${i}`).join(' ');
    const text = compose({ subject });
    expect(Math.max(...linesOf(text).map((l) => l.length))).toBeLessThanOrEqual(78);
    expect(text.replaceAll('\r\n ', ' ')).toContain(`Subject: ${subject}\r\n`);
  });

  test('encoded words given by the caller are left alone, beside foreign text they are not', async () => {
    expect(compose({ subject: '=?UTF-8?Q?h=C3=A4?= you' })).toContain('Subject: =?UTF-8?Q?h=C3=A4?= you\r\n');
    expect((await parse(compose({ subject: '=?UTF-8?Q?h=C3=A4?= ü' }))).subject).toBe(
      '=?UTF-8?Q?h=C3=A4?= ü',
    );
  });

  test('only the foreign stretch is encoded', () => {
    expect(compose({ subject: 'see the Prüfung again' })).toContain(
      'Subject: see the =?UTF-8?Q?Pr=C3=BCfung?= again\r\n',
    );
  });

  test('LE087 LE084 a hundred recipients stay in order and within the line', async () => {
    const to = Array.from({ length: 100 }, (_, i) => ({
      address: `user-${i}@long.example.test`,
      name: `"${i}" \\ é,`,
    }));
    const text = compose({ to });
    expectSound(text);
    expect(Math.max(...linesOf(text).map((l) => l.length))).toBeLessThanOrEqual(78);
    expect((await parse(text)).to?.map(({ name, address }) => ({ name, address }))).toEqual(to);
  });

  test('LE087 S9 a megabyte without spaces is encoded, in linear time', () => {
    const began = performance.now();
    expectSound(
      compose({ subject: 'x'.repeat(1_000_000), from: { address: 'a@b.test', name: ' '.repeat(100_000) } }),
    );
    expect(performance.now() - began).toBeLessThan(3000);
  });
});

describe('LE087 S14 whatever people write comes back', () => {
  const text = fc
    .oneof(
      { weight: 3, arbitrary: fc.string({ unit: 'grapheme', maxLength: 120 }) },
      fc
        .array(
          fc.constantFrom('a', 'Zoë', ' ', '  ', '"', '\\', '=?', '?=', '<', ',', '😀', 'x'.repeat(950)),
          { maxLength: 40 },
        )
        .map((l) => l.join('')),
      fc.string({ unit: 'grapheme-ascii', maxLength: 300 }),
    )
    .filter((t) => !/[\p{Cc}\u2028\u2029\p{Cs}]/u.test(t));
  const ascii = (t: string): boolean => /^[\x20-\x7e]*$/.test(t);

  test('as subject', async () => {
    await fc.assert(
      fc.asyncProperty(text, async (subject) => {
        const header = compose({ subject });
        expectSound(header);
        // ASCII is the caller's own, encoded words in it included
        if (ascii(subject) && subject.includes('=?')) return;
        expect((await parse(header)).subject ?? '').toBe(subject);
      }),
      { numRuns: 500 },
    );
  });

  test('as name', async () => {
    await fc.assert(
      fc.asyncProperty(text, text, async (name, other) => {
        const header = compose({
          from: { address: 'a@b.test', name },
          to: [{ address: 'c@d.test', name: other }],
        });
        expectSound(header);
        const mail = await parse(header);
        expect(mail.from?.address).toBe('a@b.test');
        expect(mail.to?.map((m) => m.address)).toEqual(['c@d.test']);
        // readers trim names; what stands inside is kept
        expect(mail.from?.name.trim()).toBe(name.trim());
      }),
      { numRuns: 500 },
    );
  });

  test('SMTPUTF8: raw addresses, octets counted', () => {
    const address = `${'ü'.repeat(30)}@bücher.test`;
    const header = compose({ utf8: true, to: [{ address, name: 'ü' }, { address }, { address }] });
    expectSound(header);
    expect(header).toContain(`<${address}>,\r\n ${address},\r\n ${address}\r\n`);
    expect(usage(() => compose({ to: [{ address }] })).option).toBe('to.address');
  });

  test('anything in a field of the caller makes sound lines or is refused', () => {
    const wild = fc.string({ unit: 'binary', maxLength: 200 });
    fc.assert(
      fc.property(wild, wild, fc.boolean(), (name, value, utf8) => {
        try {
          expectSound(
            compose({
              headers: [
                [name, value],
                ['X-Ok', value],
                ['Sender', value],
              ],
              utf8,
            }),
          );
        } catch (error) {
          if (!(error instanceof SmtpUsageError)) throw error;
        }
      }),
      { numRuns: 1000 },
    );
  });
});
