/** Dates and message ids: pure functions of time and chance. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SmtpUsageError } from '../../src/errors.ts';
import { formatDate } from '../../src/message/date.ts';
import { createMessageId } from '../../src/message/id.ts';
import { encodeWords } from '../../src/message/words.ts';

const at = Date.UTC(2026, 10, 22, 5, 15);

test('TK25 dates are told as RFC 5322 has them', () => {
  expect(formatDate(at)).toBe('Sun, 22 Nov 2026 05:15:00 +0000');
  expect(formatDate(at, 330)).toBe('Sun, 22 Nov 2026 10:45:00 +0530');
  expect(formatDate(at, -480)).toBe('Sat, 21 Nov 2026 21:15:00 -0800');
  expect(formatDate(Date.UTC(2027, 0, 1, 0, 0, 7.9))).toBe('Fri, 1 Jan 2027 00:00:07 +0000');
});

test('TK25 dates that no mail can carry are refused', () => {
  for (const ms of [Number.NaN, Infinity, -1e14, 1e15, 9e99])
    expect(() => formatDate(ms)).toThrow(SmtpUsageError);
  for (const offset of [0.5, Number.NaN, 6000]) expect(() => formatDate(at, offset)).toThrow(SmtpUsageError);
});

test('any date reads back, in any zone', () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date('1901-01-01'), max: new Date('9998-12-31'), noInvalidDate: true }),
      fc.integer({ min: -720, max: 840 }),
      (date, offset) => {
        expect(Date.parse(formatDate(date.getTime(), offset))).toBe(Math.floor(date.getTime() / 1000) * 1000);
      },
    ),
  );
});

test('message ids are a function of chance and time, and well formed', () => {
  const chance = 'ab'.repeat(12);
  expect(createMessageId(chance, 1000.7, 'a.test')).toBe(`<rs.${chance}@a.test>`);
  expect(createMessageId(chance, at, '[127.0.0.1]')).toMatch(/^<[a-z0-9.]+@\[127\.0\.0\.1\]>$/);
});

test('encoded words are at most 64 characters and cut no character (RFC 2047 §2, §5)', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
      let back = '';
      for (const word of encodeWords(text)) {
        expect(word.length).toBeLessThanOrEqual(64);
        const [, kind, payload = ''] = /^=\?UTF-8\?([BQ])\?([!->@-~]+)\?=$/.exec(word) ?? [];
        const bytes =
          kind === 'B'
            ? Buffer.from(payload, 'base64')
            : Buffer.from(
                payload
                  .replaceAll('_', ' ')
                  .replace(/=(..)/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
                'latin1',
              );
        back += new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
      }
      expect(back).toBe(text);
    }),
    { numRuns: 500 },
  );
});
