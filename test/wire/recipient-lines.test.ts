/** The RCPTs of one message: many at once are the same octets as one by one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SmtpUsageError } from '../../src/errors.ts';
import { parsePath } from '../../src/wire/address.ts';
import { commands, type RecipientParameters } from '../../src/wire/command.ts';
import { RecipientLines } from '../../src/wire/recipient-lines.ts';

type Given = readonly [address: string, parameters: RecipientParameters];

const ordinary: readonly string[] = ['a@b.example', 'x.y+z@sub.host-1.example', 'A_-@EXAMPLE.test'];
const others: readonly Given[] = [
  ['a@b.example', { notify: 'never' }],
  ['a@b.example', { orcpt: 'rfc822;c@d.example' }],
  ['"a b"@[192.0.2.1]', {}],
  ['Postmaster', {}],
  ['pelé@b.example', { smtputf8: true }],
  [`${'l'.repeat(60)}@b.example`, {}],
];
const given: fc.Arbitrary<Given> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...ordinary).map((address): Given => [address, {}]) },
  { weight: 1, arbitrary: fc.constantFrom(...others) },
);

function linesOf(all: readonly Given[]): RecipientLines {
  const lines = new RecipientLines();
  for (const [address, parameters] of all) lines.add(address, parameters);
  return lines;
}

const line = ([address, parameters]: Given): string =>
  commands.rcpt(parsePath(address, 'recipient.address', { allowPostmaster: true }), parameters).text;

describe('RCPT, many at once (TK24, LE022)', () => {
  it('are the octets of each, in order, however few leave at once', () => {
    fc.assert(
      fc.property(
        fc.array(given, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 9 }),
        (all, most) => {
          const lines = linesOf(all);
          let text = '';
          for (let at = 0; at < all.length; ) {
            const count = lines.together(at, Math.min(most, all.length - at));
            const some = lines.text(at, count);
            expect(count).toBeGreaterThan(0);
            expect(lines.octets(at, some)).toBe(Buffer.byteLength(some));
            text += some;
            at += count;
          }
          expect(text).toBe(all.map(line).join(''));
          expect(all.map((_, at) => lines.command(at).text)).toEqual(all.map(line));
        },
      ),
    );
  });

  it('ordinary ones leave together, and no other with them', () => {
    const lines = linesOf([...ordinary.map((address): Given => [address, {}]), ...others]);
    expect(lines.together(0, 9)).toBe(ordinary.length);
    expect(lines.together(0, 2)).toBe(2);
    expect(others.map((_, n) => lines.together(ordinary.length + n, 9 - ordinary.length - n))).toEqual(
      others.map(() => 1),
    );
  });

  it('S5: what is refused is not there', () => {
    const lines = linesOf([['a@b.example', {}]]);
    for (const bad of ['a@b.example>\r\nQUIT', 'a@b.example\n', 'a@b.example\r', '', 'a', 'pelé@b.example']) {
      expect(() => lines.add(bad, {})).toThrow(SmtpUsageError);
    }
    expect(() => lines.add('a@b.example', { notify: [] })).toThrow(SmtpUsageError);
    expect(lines.length).toBe(1);
    expect(() => lines.command(1)).toThrow(RangeError);
  });
});
