/** The encoder: what each command looks like, and that no argument can put another line on the wire. */
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SmtpUsageError } from '../../src/errors.ts';
import { parsePath } from '../../src/wire/address.ts';
import {
  type Command,
  checkMailParameters,
  checkRecipientParameters,
  commands,
  initialResponseFits,
  type MailParameters,
  type RecipientParameters,
} from '../../src/wire/command.ts';

const wire = (command: Command): string => Buffer.from(command.bytes).toString('utf8');
const octetsOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const path = parsePath('a@b.example', 'sender.address');
const utf8Path = parsePath('pelé@b.example', 'sender.address');

const mail = (params: MailParameters): string => wire(commands.mail(path, params)).slice(24, -2);
const rcpt = (params: RecipientParameters): string => wire(commands.rcpt(path, params)).slice(22, -2);

describe('the lines', () => {
  const table: [Command, string, string][] = [
    [commands.ehlo('me.example'), 'EHLO', 'EHLO me.example'],
    [commands.helo('[192.0.2.1]'), 'HELO', 'HELO [192.0.2.1]'],
    [commands.lhlo('bücher.example'), 'LHLO', 'LHLO xn--bcher-kva.example'],
    [commands.starttls(), 'STARTTLS', 'STARTTLS'],
    [commands.auth('LOGIN'), 'AUTH', 'AUTH LOGIN'],
    [commands.authCancel(), '', '*'],
    [commands.mail(path, {}), 'MAIL', 'MAIL FROM:<a@b.example>'],
    [commands.mail(parsePath('', 'x', { allowNull: true }), {}), 'MAIL', 'MAIL FROM:<>'],
    [commands.rcpt(path, {}), 'RCPT', 'RCPT TO:<a@b.example>'],
    [
      commands.rcpt(parsePath('Postmaster', 'x', { allowPostmaster: true }), {}),
      'RCPT',
      'RCPT TO:<Postmaster>',
    ],
    [commands.data(), 'DATA', 'DATA'],
    [commands.bdat(0, true), 'BDAT', 'BDAT 0 LAST'],
    [commands.bdat(65536, false), 'BDAT', 'BDAT 65536'],
    [commands.rset(), 'RSET', 'RSET'],
    [commands.noop(), 'NOOP', 'NOOP'],
    [commands.quit(), 'QUIT', 'QUIT'],
    [commands.vrfy('Jones, Sam <x>'), 'VRFY', 'VRFY Jones, Sam <x>'],
    [commands.expn('list'), 'EXPN', 'EXPN list'],
    [commands.etrn('example.org'), 'ETRN', 'ETRN example.org'],
    [commands.etrn('@example.org'), 'ETRN', 'ETRN @example.org'],
    [commands.etrn('#queue1'), 'ETRN', 'ETRN #queue1'],
  ];

  test.each(table)('%o (LE046)', (command, verb, line) => {
    expect(command.verb).toBe(verb);
    expect(command.line).toBe(line);
    expect(wire(command)).toBe(`${line}\r\n`);
  });

  test('fixed commands are made once', () => {
    expect(commands.data()).toBe(commands.data());
    expect(commands.rset()).toBe(commands.rset());
  });
});

describe('AUTH', () => {
  test('secrets are masked in traces, inspection and JSON (S17, LE071)', () => {
    const secret = '\0user\0canary';
    const encoded = Buffer.from(secret).toString('base64');
    for (const command of [
      commands.auth('PLAIN', octetsOf(secret)),
      commands.authResponse(octetsOf(secret)),
    ]) {
      expect(wire(command)).toContain(encoded);
      expect(command.line).toMatch(/^(AUTH PLAIN )?\*\*\*\*$/);
      for (const shown of [inspect(command, { depth: 9, showHidden: true }), JSON.stringify(command)]) {
        expect(shown).not.toContain(encoded);
        expect(shown).not.toMatch(/Uint8Array|65,/);
      }
    }
  });

  test('an empty initial response is "=", an empty later one is an empty line (RFC 4954 §4)', () => {
    expect(wire(commands.auth('EXTERNAL', new Uint8Array()))).toBe('AUTH EXTERNAL =\r\n');
    expect(wire(commands.authResponse(new Uint8Array()))).toBe('\r\n');
  });

  test('a view into a larger buffer sends only its own octets', () => {
    const view = octetsOf('secret:user').subarray(7);
    expect(wire(commands.authResponse(view))).toBe(`${Buffer.from('user').toString('base64')}\r\n`);
  });

  test('lines up to 12288 octets, and the error does not show the secret (LE092, S17)', () => {
    expect(commands.authResponse(new Uint8Array(9213)).bytes.length).toBe(12_286);
    const canary = octetsOf('canary'.repeat(2000));
    expect(() => commands.authResponse(canary)).toThrow(/12288 are allowed/);
    try {
      commands.auth('PLAIN', canary);
      expect.unreachable();
    } catch (error) {
      expect(String(error)).not.toContain('Y2FuYX');
    }
  });

  test('an initial response over 512 octets does not fit into the command (RFC 4954 §4)', () => {
    const size = (n: number): number => commands.auth('XOAUTH2', new Uint8Array(n)).bytes.length;
    for (let n = 0; n < 600; n++) {
      expect(initialResponseFits('XOAUTH2', new Uint8Array(n))).toBe(size(n) <= 512);
    }
  });

  test.each(['plain', 'PLAIN X', 'PLAIN\r\nQUIT', '', 'A'.repeat(21), 'PLÁIN'])(
    'mechanism %j (S6)',
    (name) => {
      expect(() => commands.auth(name)).toThrow(SmtpUsageError);
    },
  );
});

describe('parameters of MAIL', () => {
  test('SIZE, BODY, SMTPUTF8, RET, ENVID, AUTH (LE033, LE035, LE037)', () => {
    expect(mail({ size: 0 })).toBe('SIZE=0');
    expect(mail({ size: 2 ** 53 - 1 })).toBe('SIZE=9007199254740991');
    expect(mail({ body: '7bit' })).toBe('BODY=7BIT');
    expect(mail({ body: 'binarymime', ret: 'hdrs' })).toBe('BODY=BINARYMIME RET=HDRS');
    expect(mail({ smtputf8: true })).toBe('SMTPUTF8');
    expect(mail({ smtputf8: false, ret: 'full' })).toBe('RET=FULL');
    expect(mail({ envid: 'QQ+314 = x' })).toBe('ENVID=QQ+2B314+20+3D+20x');
    expect(mail({ auth: 'e+mc=2@example.com' })).toBe('AUTH=e+2Bmc+3D2@example.com');
    expect(mail({ auth: '' })).toBe('AUTH=<>');
    expect(mail({ auth: '<>' })).toBe('AUTH=<>');
  });

  test('everything at its longest fits (LE092)', () => {
    const longest = parsePath(`${'a'.repeat(64)}@${`${'b'.repeat(46)}.`.repeat(4)}c`, 'x');
    const params = { size: 2 ** 53 - 1, body: 'binarymime', smtputf8: true, ret: 'hdrs' } as const;
    const command = commands.mail(longest, { ...params, envid: '+'.repeat(100), auth: longest.address });
    expect(command.bytes.length).toBeLessThan(2000);
  });

  test.each([
    [{ size: -1 }, 'size'],
    [{ size: 1.5 }, 'size'],
    [{ size: Number.NaN }, 'size'],
    [{ size: Number.POSITIVE_INFINITY }, 'size'],
    [{ size: 2 ** 53 }, 'size'],
    [{ size: '1\r\nQUIT' }, 'size'],
    [{ size: { toString: () => '1\r\nQUIT' } }, 'size'],
    [{ size: null }, 'size'],
    [{ body: '8BITMIME\r\n' }, 'body'],
    [{ body: 'constructor' }, 'body'],
    [{ body: ['7bit'] }, 'body'],
    [{ ret: 'FULL' }, 'ret'],
    [{ ret: '' }, 'ret'],
    [{ smtputf8: 'yes' }, 'smtputf8'],
    [{ envid: '' }, 'envid'],
    [{ envid: 'x'.repeat(101) }, 'envid'],
    [{ envid: 'é' }, 'envid'],
    [{ envid: 'a\r\nb' }, 'envid'],
    [{ envid: 'a\nb' }, 'envid'],
    [{ envid: 'a\0' }, 'envid'],
    [{ envid: 'a\u2028' }, 'envid'],
    [{ envid: '\u010d\u010a' }, 'envid'],
    [{ envid: '\ud800' }, 'envid'],
    [{ envid: 1 }, 'envid'],
    [{ auth: 'a@b\r\n' }, 'auth'],
    [{ auth: 'nobody' }, 'auth'],
    [{ auth: 'é@x' }, 'auth'],
  ])('%o names sender.%s (S6, S7)', (params, name) => {
    const expected = expect.objectContaining({ code: 'EINVAL', option: `sender.${name}` });
    // @ts-expect-error: for callers without TypeScript
    expect(() => checkMailParameters(params, 'sender')).toThrow(expected);
    // @ts-expect-error: the same
    expect(() => commands.mail(path, params)).toThrow(expected);
  });
});

describe('parameters of RCPT', () => {
  test('NOTIFY (LE037)', () => {
    expect(rcpt({ notify: 'never' })).toBe('NOTIFY=NEVER');
    expect(rcpt({ notify: ['success', 'failure', 'delay'] })).toBe('NOTIFY=SUCCESS,FAILURE,DELAY');
    expect(rcpt({ notify: ['delay', 'delay'] })).toBe('NOTIFY=DELAY');
  });

  test('ORCPT (LE037, RFC 6533 §3)', () => {
    expect(rcpt({ orcpt: 'a+b=c@x' })).toBe('ORCPT=rfc822;a+2Bb+3Dc@x');
    expect(rcpt({ orcpt: 'rfc822;"a b"@x' })).toBe('ORCPT=rfc822;"a+20b"@x');
    expect(rcpt({ orcpt: 'x400;/S=a/' })).toBe('ORCPT=x400;/S+3Da/');
    expect(rcpt({ orcpt: '"a;b"@x' })).toBe('ORCPT=rfc822;"a;b"@x');
    expect(rcpt({ orcpt: 'pelé@x' })).toBe('ORCPT=utf-8;pel\\x{E9}@x');
    expect(rcpt({ orcpt: 'pelé@x', smtputf8: true })).toBe('ORCPT=utf-8;pelé@x');
    expect(rcpt({ orcpt: 'utf-8;\u010d\u010a@x', smtputf8: true })).toBe('ORCPT=utf-8;\u010d\u010a@x');
    expect(rcpt({ orcpt: 'utf-8;\u010d\u010a@x' })).toBe('ORCPT=utf-8;\\x{10D}\\x{10A}@x');
  });

  test.each([
    [{ notify: [] }, 'notify'],
    [{ notify: ['never'] }, 'notify'],
    [{ notify: ['never', 'success'] }, 'notify'],
    [{ notify: 'success' }, 'notify'],
    [{ notify: ['success\r\nQUIT'] }, 'notify'],
    [{ notify: ['SUCCESS'] }, 'notify'],
    [{ notify: null }, 'notify'],
    [{ orcpt: '' }, 'orcpt'],
    [{ orcpt: 'rfc822;' }, 'orcpt'],
    [{ orcpt: 'x'.repeat(501) }, 'orcpt'],
    [{ orcpt: '+'.repeat(300) }, 'orcpt'],
    [{ orcpt: 'rfc822;é@x' }, 'orcpt'],
    [{ orcpt: 'a\r\n' }, 'orcpt'],
    [{ orcpt: 'a\n' }, 'orcpt'],
    [{ orcpt: 'a\0' }, 'orcpt'],
    [{ orcpt: 'utf-8;a\u2028' }, 'orcpt'],
    [{ orcpt: 'utf-8;\ud800' }, 'orcpt'],
    [{ smtputf8: 1 }, 'smtputf8'],
  ])('%o names recipient.%s (S6, S7)', (params, name) => {
    const expected = expect.objectContaining({ code: 'EINVAL', option: `recipient.${name}` });
    // @ts-expect-error: for callers without TypeScript
    expect(() => checkRecipientParameters(params, 'recipient')).toThrow(expected);
    // @ts-expect-error: the same
    expect(() => commands.rcpt(path, params)).toThrow(expected);
  });
});

describe('the last check', () => {
  test('an address that is not ASCII needs SMTPUTF8 and leaves as UTF-8 (S6, S7)', () => {
    expect(() => commands.mail(utf8Path, {})).toThrow(/needs SMTPUTF8/);
    expect(() => commands.rcpt(utf8Path, {})).toThrow(/needs SMTPUTF8/);
    const command = commands.mail(utf8Path, { smtputf8: true });
    expect(wire(command)).toBe('MAIL FROM:<pelé@b.example> SMTPUTF8\r\n');
    expect(command.line).toBe('MAIL FROM:<pelé@b.example> SMTPUTF8');
    expect(wire(commands.rcpt(utf8Path, { smtputf8: true }))).toBe('RCPT TO:<pelé@b.example>\r\n');
  });

  test('U+010D U+010A never become CR LF (S7)', () => {
    const letters = parsePath('a\u010d\u010ab@x', 'x');
    expect([...commands.rcpt(letters, { smtputf8: true }).bytes.slice(9, 14)]).toEqual([
      97, 0xc4, 0x8d, 0xc4, 0x8a,
    ]);
    expect(() => commands.rcpt(letters, {})).toThrow(SmtpUsageError);
    for (const verb of ['vrfy', 'expn', 'etrn'] as const) {
      expect(() => commands[verb]('a\u010d\u010aQUIT b')).toThrow(SmtpUsageError);
    }
  });

  test('a path that was not parsed is refused (S8)', () => {
    const forged = { local: 'a', domain: 'b', address: 'a@b> SIZE=1', utf8: false };
    // @ts-expect-error: for callers without TypeScript
    expect(() => commands.mail(forged, {})).toThrow(SmtpUsageError);
    // @ts-expect-error: the same
    expect(() => commands.rcpt(forged, {})).toThrow(SmtpUsageError);
  });

  const hostile = ['\r\n', '\n', '\r', '\0', '\x7f', '\x85', '\u2028', '\u2029', '\ud800', '\udfff'];

  test.each(hostile)('%j in every text (S6, S7)', (bad) => {
    const text = `a${bad}b`;
    const calls = [
      () => commands.ehlo(text),
      () => commands.helo(text),
      () => commands.lhlo(text),
      () => commands.auth(text),
      () => commands.vrfy(text),
      () => commands.expn(text),
      () => commands.etrn(text),
      () => commands.etrn(`#${text}`),
      () => commands.etrn(`@${text}`),
    ];
    for (const call of calls) expect(call).toThrow(SmtpUsageError);
  });

  test.each(['', ' ', ' a', 'a ', 'é', 'x'.repeat(600), 'x'.repeat(1_000_000)])(
    'VRFY %.20j (LE092, S9)',
    (text) => {
      expect(() => commands.vrfy(text)).toThrow(SmtpUsageError);
      expect(() => commands.expn(text)).toThrow(SmtpUsageError);
      expect(() => commands.etrn(text)).toThrow(SmtpUsageError);
    },
  );

  test.each(['@', '#', '#a b', '@a b', 'a b', '-a'])('ETRN %j', (text) => {
    expect(() => commands.etrn(text)).toThrow(SmtpUsageError);
  });

  test.each([-1, 0.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY])('BDAT %d (S6)', (size) => {
    expect(() => commands.bdat(size, false)).toThrow(SmtpUsageError);
  });

  test('whatever is made holds one CRLF, at its end, and nothing below space (S6, S7)', () => {
    const text = fc.string({ unit: 'binary', maxLength: 40 });
    const makers: ((text: string) => Command)[] = [
      (t) => commands.ehlo(t),
      (t) => commands.vrfy(t),
      (t) => commands.etrn(t),
      (t) => commands.authResponse(octetsOf(t)),
      (t) => commands.mail(path, { envid: t, smtputf8: true }),
      (t) => commands.mail(parsePath(`"${t}"@x`, 'x'), { smtputf8: true }),
      (t) => commands.rcpt(path, { orcpt: t, smtputf8: true }),
      (t) => commands.rcpt(path, { orcpt: `utf-8;${t}` }),
      (t) => commands.rcpt(parsePath(`${t}@x`, 'x'), { smtputf8: true }),
    ];
    fc.assert(
      fc.property(fc.constantFrom(...makers), text, (maker, value) => {
        let bytes: Uint8Array;
        try {
          bytes = maker(value).bytes;
        } catch (error) {
          expect(error).toBeInstanceOf(SmtpUsageError);
          return;
        }
        expect([...bytes.subarray(-2)]).toEqual([13, 10]);
        expect(bytes.subarray(0, -2).every((octet) => octet >= 0x20 && octet !== 0x7f)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });
});
