/** What is read out of an EHLO reply, honest or hostile. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Capabilities, noCapabilities, parseCapabilities } from '../../src/wire/capabilities.ts';
import { Reply } from '../../src/wire/reply.ts';

/** The capabilities of a server that greets and then sends these lines. */
function offered(...lines: string[]): Capabilities {
  const all = ['mx.example at your service', ...lines];
  return parseCapabilities(
    Reply.of(all.map((line, i) => `250${i < all.length - 1 ? '-' : ' '}${line}\r\n`).join('')),
  );
}

describe('offers', () => {
  it('are read from a usual reply', () => {
    const capabilities = offered(
      'PIPELINING',
      'SIZE 35882577',
      '8BITMIME',
      'AUTH PLAIN LOGIN',
      'STARTTLS',
      'ENHANCEDSTATUSCODES',
      'CHUNKING',
      'BINARYMIME',
      'SMTPUTF8',
      'DSN',
      'DELIVERBY 3600',
      'LIMITS MAILMAX=20 RCPTMAX=100 RCPTDOMAINMAX=1',
    );
    expect(capabilities).toMatchObject({
      domain: 'mx.example',
      pipelining: true,
      chunking: true,
      starttls: true,
      eightBitMime: true,
      smtpUtf8: true,
      binaryMime: true,
      dsn: true,
      enhancedStatusCodes: true,
      size: 35_882_577,
      auth: ['PLAIN', 'LOGIN'],
      limits: { mailMax: 20, rcptMax: 100, rcptDomainMax: 1 },
    });
    expect(capabilities.keywords.get('DELIVERBY')).toBe('3600');
    expect([capabilities.has('deliverby'), capabilities.has('ETRN')]).toEqual([true, false]);
  });

  it('are none after HELO, and none in an EHLO reply of one line', () => {
    const nothing = {
      pipelining: false,
      chunking: false,
      starttls: false,
      eightBitMime: false,
      smtpUtf8: false,
      binaryMime: false,
      dsn: false,
      enhancedStatusCodes: false,
      size: undefined,
      auth: [],
      limits: {},
    };
    expect(noCapabilities).toMatchObject({ domain: '', ...nothing });
    expect(offered()).toMatchObject({ domain: 'mx.example', ...nothing });
    expect(parseCapabilities(Reply.of('250\r\n')).domain).toBe('');
  });

  it('are not read from the first line', () => {
    expect(parseCapabilities(Reply.of('250 STARTTLS\r\n')).starttls).toBe(false);
  });

  it('may be in lower case', () => {
    const capabilities = offered('starttls', 'Size 10', 'auth plain', 'limits rcptmax=5');
    expect(capabilities).toMatchObject({ starttls: true, size: 10, auth: ['PLAIN'], limits: { rcptMax: 5 } });
  });

  it('with BINARYMIME count only beside CHUNKING (RFC 3030)', () => {
    expect([offered('BINARYMIME').binaryMime, offered('BINARYMIME').has('BINARYMIME')]).toEqual([
      false,
      true,
    ]);
  });

  it('that come twice count once, the first', () => {
    expect(offered('SIZE 10', 'SIZE 20').size).toBe(10);
  });
});

describe('SIZE (RFC 1870)', () => {
  it.each([
    ['SIZE', 0],
    ['SIZE 0', 0],
    ['SIZE 1000', 1000],
    ['SIZE=1000', 1000],
    ['SIZE  1000 ', 1000],
    ['SIZE abc', 0],
    ['SIZE -5', 0],
    ['SIZE 1e3', 0],
    ['SIZE 0x10', 0],
    ['SIZE 18446744073709551615', 0],
    [`SIZE ${'9'.repeat(400)}`, 0],
  ])('%j is %i', (line, size) => {
    expect(offered(line).size).toBe(size);
  });
});

describe('AUTH (RFC 4954)', () => {
  it.each([
    [['AUTH'], []],
    [['AUTH SCRAM-SHA-256 PLAIN'], ['SCRAM-SHA-256', 'PLAIN']],
    [
      ['AUTH LOGIN PLAIN', 'AUTH=LOGIN PLAIN XOAUTH2'],
      ['LOGIN', 'PLAIN', 'XOAUTH2'],
    ],
    [['AUTH=LOGIN'], ['LOGIN']],
    [['AUTH =LOGIN'], []],
    [['AUTH  plain\tLogin '], ['PLAIN', 'LOGIN']],
    [['AUTH PLAIN;rm PLA\u0131N \u001b[31m', `AUTH ${'X'.repeat(21)} CRAM-MD5`], ['CRAM-MD5']],
  ])('%j offers %j (S5)', (lines, mechanisms) => {
    expect(offered(...lines).auth).toEqual(mechanisms);
  });
});

describe('LIMITS (RFC 9422)', () => {
  it.each([
    ['LIMITS', {}],
    ['LIMITS RCPTMAX=100', { rcptMax: 100 }],
    ['LIMITS RCPTMAX=0 MAILMAX=abc RCPTDOMAINMAX', {}],
    ['LIMITS RCPTMAX=1000000 MAILMAX=-1', {}],
    ['LIMITS RCPTMAX=5 RCPTMAX=9 OTHER=1', { rcptMax: 5 }],
    ['LIMITS __proto__=1 constructor=2 mailMax=7', { mailMax: 7 }],
  ])('%j gives %j', (line, limits) => {
    expect(offered(line).limits).toEqual(limits);
  });
});

describe('hostile replies', () => {
  it('lines that are no keywords are passed over', () => {
    const capabilities = offered('', ' STARTTLS', '-X', '\u017fTARTTLS', 'P\u0131PELINING', '\0', '=', '*');
    expect([...capabilities.keywords.keys()]).toEqual([]);
  });

  it('names of Object.prototype are keywords like others', () => {
    expect(offered('X').has('constructor')).toBe(false);
    expect(offered('constructor').keywords.get('CONSTRUCTOR')).toBe('');
  });

  it('any text gives capabilities (S9)', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 50 })), (lines) => {
        const capabilities = offered(...lines.map((line) => line.replace(/[\r\n]/g, '')));
        for (const keyword of capabilities.keywords.keys()) expect(keyword).toMatch(/^[A-Z0-9_-]+$/);
      }),
    );
  });

  it('the largest reply of mechanisms, blanks and limits is read word by word (S9)', () => {
    const words = (word: (i: number) => string): string =>
      Array.from({ length: 400 }, (_, i) => word(i)).join(' ');
    const lines = Array.from({ length: 12 }, (_, n) => `AUTH ${words((i) => `M${n}-${i}`)}`);
    expect(offered(...lines).auth).toHaveLength(4800);
    expect(offered(`LIMITS ${words(() => 'RCPTMAX=7')}`, `SIZE${' '.repeat(4000)}8`)).toMatchObject({
      limits: { rcptMax: 7 },
      size: 8,
    });
  });
});
