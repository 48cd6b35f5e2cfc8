/** xtext and the address forms of RFC 6533. */
import { performance } from 'node:perf_hooks';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  decodeXtext,
  encodeUtf8AddressUnitext,
  encodeUtf8AddressXtext,
  encodeXtext,
} from '../../src/wire/xtext.ts';

test('+, = and blanks are coded, the rest stays (RFC 3461 §4, LE037)', () => {
  expect(encodeXtext('a+b=c d')).toBe('a+2Bb+3Dc+20d');
  expect(encodeXtext('plain@example.org')).toBe('plain@example.org');
  expect(encodeXtext('\r\n\0\x7f')).toBe('+0D+0A+00+7F');
  expect(encodeXtext('é\u010d\u010a')).toBe('+C3+A9+C4+8D+C4+8A');
});

test('decode undoes encode (LE037)', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const xtext = encodeXtext(text);
      expect(xtext).toMatch(/^[!-~]*$/);
      expect(decodeXtext(xtext)).toBe(text);
    }),
  );
});

test.each(['+', '+2', '+2b', '+GG', 'a b', 'a=b', 'é', 'a\n', '+FF', '+C3'])('%j is no xtext', (text) => {
  expect(decodeXtext(text)).toBeUndefined();
});

test('internationalised addresses (RFC 6533 §3)', () => {
  expect(encodeUtf8AddressXtext('pelé+x=\\@é.example')).toBe(
    'pel\\x{E9}\\x{2B}x\\x{3D}\\x{5C}@\\x{E9}.example',
  );
  expect(encodeUtf8AddressXtext('\u010d👍')).toBe('\\x{10D}\\x{1F44D}');
  expect(encodeUtf8AddressUnitext('pelé+x=\\ @é')).toBe('pelé\\x{2B}x\\x{3D}\\x{5C}\\x{20}@é');
  expect(encodeUtf8AddressUnitext('\r\u2028\x85')).toBe('\\x{0D}\\x{2028}\\x{85}');
});

test('1 MB within a budget (S9)', () => {
  const start = performance.now();
  decodeXtext(encodeXtext('é+'.repeat(350_000)));
  decodeXtext('+'.repeat(1_000_000));
  expect(performance.now() - start).toBeLessThan(2000);
});
