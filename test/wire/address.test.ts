/** The grammar of the envelope: what passes, how it is printed, and the payloads that have fooled other parsers. */
import { performance } from 'node:perf_hooks';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SmtpUsageError } from '../../src/errors.ts';
import { addressLiteral, Path, parseHelo, parsePath } from '../../src/wire/address.ts';

const c64 = 'c'.repeat(64);
const label63 = 'd'.repeat(63);

describe('printing what was parsed (S8)', () => {
  test.each([
    ['user@example.org', 'user@example.org'],
    ['User.Name+tag@Example.ORG', 'User.Name+tag@Example.ORG'],
    ["!#$%&'*+-/=?^_`{|}~@example.org", "!#$%&'*+-/=?^_`{|}~@example.org"],
    ['a@localhost', 'a@localhost'],
    ['"a b"@x', '"a b"@x'],
    ['"ab"@x', 'ab@x'],
    ['"a.b"@x', 'a.b@x'],
    ['"a..b"@x', '"a..b"@x'],
    ['".a"@x', '".a"@x'],
    ['"a."@x', '"a."@x'],
    ['"\\a\\b"@x', 'ab@x'],
    ['"a\\"b\\\\"@x', '"a\\"b\\\\"@x'],
    ['"a@b"@x', '"a@b"@x'],
    ['"<a>,;:()"@x', '"<a>,;:()"@x'],
    ['""@x', '""@x'],
    ['a@[192.0.2.1]', 'a@[192.0.2.1]'],
    ['a@[ipv6:2001:db8::1]', 'a@[IPv6:2001:db8::1]'],
    ['a@[IPv6:::ffff:192.0.2.1]', 'a@[IPv6:::ffff:192.0.2.1]'],
    [`${c64}@${label63}.example`, `${c64}@${label63}.example`],
  ])('%s prints as %s', (text, address) => {
    const path = parsePath(text, 'sender.address');
    expect(path.address).toBe(address);
    expect(`${path.local}@${path.domain}`).toBe(address);
    expect(path.utf8).toBe(false);
    expect(parsePath(address, 'sender.address').address).toBe(address);
  });

  test('any quoted local part: parse → print → parse is stable (S8)', () => {
    const printable = fc.string({ unit: 'grapheme-ascii', maxLength: 30 });
    fc.assert(
      fc.property(printable, (local) => {
        const text = `"${local.replace(/["\\]/g, '\\$&')}"@example.org`;
        const once = parsePath(text, 'a').address;
        expect(parsePath(once, 'a').address).toBe(once);
      }),
    );
  });

  test('whatever passes has no control character and no < or > outside quotes (S6, S8)', () => {
    const bits = [
      'a',
      '"',
      '\\',
      '@',
      '<',
      '>',
      ' ',
      '.',
      '\r',
      '\n',
      '\0',
      'é',
      '\u2028',
      '[',
      ']',
      ',',
      '(',
      'x.y',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...bits), { maxLength: 12 }), (parts) => {
        let address = '';
        try {
          address = parsePath(`${parts.join('')}@x.example`, 'a').address;
        } catch (error) {
          expect(error).toBeInstanceOf(SmtpUsageError);
          return;
        }
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
        expect(address).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
        expect(address.replace(/"(?:[^"\\]|\\.)*"/g, '')).not.toMatch(/[<> ]/);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('special paths', () => {
  test('the null reverse-path only where allowed', () => {
    const path = parsePath('', 'sender.address', { allowNull: true });
    expect([path.address, path.local, path.domain, path.utf8]).toEqual(['', '', '', false]);
    expect(() => parsePath('', 'recipient.address')).toThrow(SmtpUsageError);
    expect(() => parsePath('<>', 'sender.address', { allowNull: true })).toThrow(/without < and >/);
  });

  test('Postmaster without a domain only where allowed', () => {
    expect(parsePath('Postmaster', 'r', { allowPostmaster: true }).address).toBe('Postmaster');
    expect(parsePath('postMASTER', 'r', { allowPostmaster: true }).address).toBe('postMASTER');
    expect(() => parsePath('Postmaster', 'r')).toThrow(/no @domain/);
    expect(() => parsePath('other', 'r', { allowPostmaster: true })).toThrow(/no @domain/);
  });

  test('an object that looks like a path is none', () => {
    expect(Path.is({ local: 'a', domain: 'b', address: 'a@b>\r\nQUIT', utf8: false })).toBe(false);
    expect(Path.is(parsePath('a@b', 'x'))).toBe(true);
  });
});

describe('refused', () => {
  const payloads: [string, RegExp][] = [
    ['"a@evil.example b"@good.example,x', /domain holds ","/],
    ['"a@evil.example" <b@good.example>', /bare address/],
    ['a@b>\r\nRCPT TO:<x@y', /U\+000D/],
    ['<a@b> SIZE=1', /bare address/],
    ['a@b> SIZE=1', /domain holds ">"/],
    ['a@b SIZE=1', /domain holds U\+0020/],
    ['Name <a@b>', /bare address.*name/],
    ['<a@b>', /bare address/],
    ['a(comment)@b', /comments/],
    ['(c)a@b', /comments/],
    ['a@b(comment)', /domain holds "\("/],
    ['@relay.example:a@b', /source routes/],
    ['a@b,c@d', /domain holds ","/],
    ['a,b@c', /one address/],
    ['group:a@b;', /outside quotes/],
    ['a b@c', /space at position 1/],
    [' a@b', /space at position 0/],
    ['a@b ', /U\+0020/],
    ['a@@b', /domain holds "@"/],
    ['a@b@c', /domain holds "@"/],
    ['.a@b', /dot too many/],
    ['a..b@c', /dot too many/],
    ['a.@b', /not complete/],
    ['@b', /source routes/],
    ['a@', /domain is empty/],
    ['a', /no @domain/],
    ['"a@b', /not closed/],
    ['"a"b@c', /outside quotes/],
    ['"a"', /no @domain/],
    ['"a\\', /backslash/],
    ['"a\\é"@b', /backslash/],
    ['a@b..c', /empty label/],
    ['a@.b', /empty label/],
    ['a@b.', /empty label/],
    ['a@-b', /begins or ends/],
    ['a@b-', /begins or ends/],
    ['a@b_c', /domain holds "_"/],
    ['a@b/c', /domain holds "\/"/],
    ['a@ex%41mple', /domain holds "%"/],
    ['a@192.0.2.1', /brackets, \[192\.0\.2\.1\]/],
    ['a@[192.0.2.256]', /no address literal/],
    ['a@[192.0.2.1', /no address literal/],
    ['a@[192.0.2.1]x', /no address literal/],
    ['a@[2001:db8::1]', /write \[IPv6:2001:db8::1\]/],
    ['a@[IPv6:fe80::1%eth0]', /no address literal/],
    ['a@[x:y]', /no address literal/],
    [`${c64}c@b`, /local part is longer than 64/],
    [`${c64}c@b.example`, /local part is longer than 64/],
    [`a@${label63}d.example`, /label of the domain is longer than 63/],
    [`a@${`${label63}.`.repeat(4)}example`, /domain is longer than 255/],
    [`a@${`${label63}.`.repeat(3)}${'e'.repeat(61)}`, /address is longer than 254/],
  ];

  test.each(payloads)('%j (S6, S8, LE091)', (text, reason) => {
    expect(() => parsePath(text, 'recipient.address')).toThrow(reason);
  });

  test.each([
    '\r\n',
    '\n',
    '\r',
    '\0',
    '\t',
    '\x7f',
    '\x85',
    '\u2028',
    '\u2029',
    '\ud800',
    '\udc00',
    '\udc00\udc00',
  ])('%j anywhere, in quotes too (S6, S7, LE091)', (bad) => {
    for (const text of [
      `a${bad}b@c`,
      `"a${bad}b"@c`,
      `"a\\${bad}b"@c`,
      `a@b${bad}c`,
      `${bad}a@b`,
      `a@b${bad}`,
    ]) {
      expect(() => parsePath(text, 'a')).toThrow(SmtpUsageError);
      expect(() => parsePath(text, 'a', { allowNull: true, allowPostmaster: true })).toThrow(SmtpUsageError);
    }
  });

  test('an address of 1100 octets is refused, not cut (LE092)', () => {
    expect(() => parsePath(`${'a'.repeat(1095)}@b.cd`, 'a')).toThrow(/longer than 254 octets/);
    expect(() => parsePath(`${'"\\a'.repeat(1)}${'\\b'.repeat(70)}"@b.cd`, 'a')).toThrow(
      /longer than 64 octets/,
    );
  });

  test('the error names the option, is EINVAL, and shows the value safely (S12)', () => {
    try {
      parsePath('a\x1b[2J@b', 'sender.address');
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: 'EINVAL', option: 'sender.address' });
      expect(String(error)).toContain('a\\x1b[2J@b');
      expect(String(error)).not.toContain('\x1b');
    }
  });

  test('what is no string', () => {
    for (const value of [undefined, null, 1, {}, ['a@b'], { toString: () => 'a@b' }]) {
      // @ts-expect-error: for callers without TypeScript
      expect(() => parsePath(value, 'a')).toThrow(/is no string/);
    }
  });
});

describe('not ASCII (RFC 6531)', () => {
  test('a domain becomes A-labels where the local part is ASCII', () => {
    const path = parsePath('a@Bücher.example', 'a');
    expect(path).toMatchObject({ address: 'a@xn--bcher-kva.example', utf8: false });
  });

  test('a local part needs SMTPUTF8 and keeps U-labels', () => {
    expect(parsePath('pelé@bücher.example', 'a')).toMatchObject({
      address: 'pelé@bücher.example',
      utf8: true,
    });
    expect(parsePath('pelé@BÜCHER。example', 'a').address).toBe('pelé@bücher.example');
    expect(parsePath('"p é"@x', 'a')).toMatchObject({ address: '"p é"@x', utf8: true });
    expect(parsePath('"pé"@x', 'a').address).toBe('pé@x');
    expect(parsePath('👍@x', 'a').utf8).toBe(true);
  });

  test('U+010D U+010A are letters, never CR LF (S7)', () => {
    expect(parsePath('a\u010d\u010ab@x', 'a')).toMatchObject({ address: 'a\u010d\u010ab@x', utf8: true });
    expect(parsePath('a@b\u010d\u010a.example', 'a').domain).toMatch(/^xn--[a-z0-9-]+\.example$/);
  });

  test.each([
    'a@é/x',
    'a@é#x',
    'a@é?x',
    'a@é:80',
    'a@é%41',
    'a@é\\x',
    'a@é／x',
    'a@é＃',
    'a@é％41',
    'a@é＠x',
    'a@é＜x',
    'a@é…x',
    'a@é.xn--a',
    'a@１９２.0.2.1',
    'a@é\u200d.example',
    `a@${'é'.repeat(70)}.example`,
    'é@a b',
    'é@-ü-.example',
  ])('%j has no domain under IDNA (S6, S8)', (text) => {
    expect(() => parsePath(text, 'a')).toThrow(SmtpUsageError);
  });

  test('limits count octets', () => {
    expect(() => parsePath(`a@${'é.'.repeat(300)}x`, 'a')).toThrow(/longer than 254/);
    expect(parsePath(`${'é'.repeat(32)}@x`, 'a').utf8).toBe(true);
    expect(() => parsePath(`${'é'.repeat(33)}@x`, 'a')).toThrow(/64 octets/);
  });
});

describe('the name in EHLO', () => {
  test.each([
    ['device-7.example', 'device-7.example'],
    ['localhost', 'localhost'],
    ['[192.0.2.1]', '[192.0.2.1]'],
    ['[IPv6:::1]', '[IPv6:::1]'],
    ['bücher.example', 'xn--bcher-kva.example'],
  ])('%s', (text, name) => {
    expect(parseHelo(text, 'localName')).toBe(name);
  });

  test.each([
    '',
    'a b',
    'a\r\nMAIL FROM:<x@y>',
    'a\n',
    'a\0',
    'a\u2028b',
    'a\ud800',
    'my_host',
    'a@b',
    '192.0.2.1',
    '[::1]',
    '<a>',
    'a..b',
    'x'.repeat(1_000_000),
  ])('refuses %# (S6, S7)', (text) => {
    expect(() => parseHelo(text, 'localName')).toThrow(SmtpUsageError);
  });

  test('address literals (RFC 5321 §4.1.3)', () => {
    expect(addressLiteral('192.0.2.1')).toBe('[192.0.2.1]');
    expect(addressLiteral('2001:db8::1')).toBe('[IPv6:2001:db8::1]');
    expect(addressLiteral('::ffff:192.0.2.1')).toBe('[192.0.2.1]');
    expect(addressLiteral('fe80::1%eth0')).toBe('[IPv6:fe80::1]');
    expect(() => addressLiteral('host')).toThrow(SmtpUsageError);
    expect(() => addressLiteral('1.2.3.4]\r\n')).toThrow(SmtpUsageError);
  });
});

test('1 MB of anything is refused within a budget (S9)', () => {
  const size = 1_000_000;
  const inputs = [
    'a'.repeat(size),
    `"${'\\"'.repeat(size / 2)}"@b`,
    `a@${'b.'.repeat(size / 2)}`,
    `${'('.repeat(size)}a@b`,
    `${'a.'.repeat(size / 2)}@b`,
    `a@${'é.'.repeat(size / 2)}`,
    `a@[IPv6:${':'.repeat(size)}]`,
    '"a" '.repeat(size / 4),
  ];
  const start = performance.now();
  for (const input of inputs) expect(() => parsePath(input, 'a')).toThrow(SmtpUsageError);
  expect(performance.now() - start).toBeLessThan(1000);
});
