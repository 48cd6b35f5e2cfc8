/**
 * Who gets the mail is what the caller said, and nothing that stands in a text (S8): published payloads against
 * address parsers, and what leaves of the addresses that pass.
 */

import { SmtpUsageError } from 'smtpump';
import { Random, ScriptedServer } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import { parsePath } from '../../src/wire/address.ts';
import { type Field, field } from './field.ts';

function connected(): Field & { server: ScriptedServer } {
  const server = new ScriptedServer();
  const made = field(server);
  made.client.connect();
  made.settle();
  return { ...made, server };
}

describe('S8: the envelope takes an addr-spec and nothing else', () => {
  const refused = [
    // a second command or parameter behind the address (CVE-2021-23400 and its kin)
    'a@example.test>\r\nRCPT TO:<evil@example.test',
    'a@example.test> NOTIFY=NEVER',
    'a@example.test> SIZE=1',
    'a@example.test>',
    '<a@example.test>',
    '<a@example.test',
    // the header's idea of an address
    'Ann <a@example.test>',
    '"Ann" <a@example.test>',
    'a@example.test (Ann)',
    '(Ann) a@example.test',
    'a(b)@example.test',
    'a@example.test, b@example.test',
    'a@example.test;b@example.test',
    'group: a@example.test;',
    'undisclosed-recipients:;',
    'mailto:a@example.test,',
    // a quoted local part that a header parser takes for an address (CVE-2025-13033)
    '"evil@attacker.test x"@internal.test <a@example.test>',
    '"evil@attacker.test x" @internal.test',
    '"a"b@example.test',
    '"a@example.test',
    'a"@example.test',
    // two at signs, routes, bangs, percent in the wrong place
    'a@b@example.test',
    '@relay.test:a@example.test',
    '@relay.test,@other.test:a@example.test',
    // spaces and controls outside quotes
    'a b@example.test',
    ' a@example.test',
    'a@example.test ',
    'a@example.test\t',
    'a@exa mple.test',
    'a@\u00adexample.test\u202e',
    // dots and domains
    '.a@example.test',
    'a.@example.test',
    'a..b@example.test',
    'a@example..test',
    'a@.example.test',
    'a@-example.test',
    'a@example_.test',
    'a@',
    '@example.test',
    'a',
    'a@[192.0.2.256]',
    'a@[IPv6:::1',
    'a@192.0.2.1',
    'a@[192.0.2.1]x',
    'a@example.test/../x',
    'a@%65xample.test',
    `${'a'.repeat(65)}@example.test`,
    `a@${'b'.repeat(64)}.test`,
    `a@${'b.'.repeat(130)}test`,
    // encoded words decode into the envelope nowhere
    '=?utf-8?q?evil=40attacker=2etest?=@',
  ];

  it.each(refused)('%j', (address) => {
    const { client, tap, settle } = connected();
    const before = tap.bytesOut;
    expect(() => client.sendSender(address)).toThrow(/^sender\.address: /);
    expect(() => client.sendSender({ address })).toThrow(SmtpUsageError);
    client.sendSender('a@example.test');
    settle();
    const then = tap.bytesOut;
    expect(() => client.sendRecipient(address)).toThrow(/^recipient\.address: /);
    settle();
    expect(then).toBeGreaterThan(before);
    expect(tap.bytesOut).toBe(then);
  });

  /** What is legal goes out as it was understood, in one line, with one address. */
  const printed: readonly (readonly [given: string, wire: string])[] = [
    ['a@example.test', 'a@example.test'],
    ['"a"@example.test', 'a@example.test'],
    ['"evil@attacker.test x"@internal.test', '"evil@attacker.test x"@internal.test'],
    ['"a> NOTIFY=NEVER"@example.test', '"a> NOTIFY=NEVER"@example.test'],
    ['"a\\"b"@example.test', '"a\\"b"@example.test'],
    ['"a\\\\b"@example.test', '"a\\\\b"@example.test'],
    ['"\\a"@example.test', 'a@example.test'],
    ['"a,b;c"@example.test', '"a,b;c"@example.test'],
    ['"a..b"@example.test', '"a..b"@example.test'],
    ['""@example.test', '""@example.test'],
    ["!#$%&'*+-/=?^_`{|}~@example.test", "!#$%&'*+-/=?^_`{|}~@example.test"],
    ['a%b@example.test', 'a%b@example.test'],
    ['a!b@example.test', 'a!b@example.test'],
    ['-rf@example.test', '-rf@example.test'],
    ['=?utf-8?q?x?=@example.test', '=?utf-8?q?x?=@example.test'],
    ['a@[192.0.2.1]', 'a@[192.0.2.1]'],
    ['a@[IPv6:2001:db8::1]', 'a@[IPv6:2001:db8::1]'],
    ['a@b\u00fccher.test', 'a@xn--bcher-kva.test'],
  ];

  it.each(printed)('%j leaves as <%s>, and is one recipient', (given, wire) => {
    const { client, server, settle } = connected();
    client.sendSender('a@example.test');
    client.sendRecipient(given);
    client.sendBom();
    client.sendBody('x\r\n');
    client.sendEom();
    settle();
    expect(server.commands.filter((line) => /^RCPT/.test(line))).toEqual([`RCPT TO:<${wire}>`]);
    expect(server.messages[0]?.to).toEqual([wire]);
    expect(server.commands).toHaveLength(4);
    // parse → print → parse
    const path = parsePath(given, 'x');
    expect(path.address).toBe(wire);
    expect(parsePath(path.address, 'x')).toEqual(path);
  });

  it('parse → print → parse is at rest for whatever passes, and what passes is one line without a way out', () => {
    const random = new Random(8);
    const alphabet = [...'aé"\\@.<> ,;:()[]%!=-\t\r\n\0', '\u2028', 'test', 'IPv6:::1'];
    let passed = 0;
    for (let i = 0; i < 50_000; i++) {
      let text = '';
      for (let n = random.int(12); n >= 0; n--) text += random.pick(alphabet);
      try {
        const path = parsePath(random.chance(0.5) ? text : `${text}@a.test`, 'x');
        passed++;
        expect(parsePath(path.address, 'x')).toEqual(path);
        // outside quotes there is no way out of the brackets
        expect(path.address.replace(/"(?:[^"\\]|\\.)*"/g, '')).not.toMatch(/[<> ,;()\s]/);
      } catch (error) {
        if (!(error instanceof SmtpUsageError)) throw error;
      }
    }
    expect(passed).toBeGreaterThan(500);
  });

  it('ENVID and ORCPT leave as xtext: no space, no second parameter', () => {
    const { client, server, settle } = connected();
    client.sendSender({ address: 'a@example.test', envid: 'id+1 SIZE=9 <x>=y', ret: 'hdrs' });
    client.sendRecipient({
      address: 'b@example.test',
      orcpt: 'rfc822;b+c=d NOTIFY=NEVER',
      notify: ['failure'],
    });
    settle();
    expect(server.commands.slice(1)).toEqual([
      'MAIL FROM:<a@example.test> BODY=8BITMIME RET=HDRS ENVID=id+2B1+20SIZE+3D9+20<x>+3Dy',
      'RCPT TO:<b@example.test> NOTIFY=FAILURE ORCPT=rfc822;b+2Bc+3Dd+20NOTIFY+3DNEVER',
    ]);
  });

  it('header fields do not decide the envelope', () => {
    const { client, server, settle } = connected();
    client.sendSender({
      address: 'a@example.test',
      name: 'x <evil@attacker.test>',
      replyTo: 'r@example.test',
    });
    client.sendRecipient({ address: 'b@example.test', name: 'c@example.test, d@example.test' });
    client.sendBom({
      headers: {
        To: 'evil@attacker.test',
        Cc: 'Evil <evil2@attacker.test>',
        From: '"a" <evil@attacker.test>',
        Sender: 'evil@attacker.test',
        'Return-Path': '<evil@attacker.test>',
        'Resent-To': 'evil@attacker.test',
        'X-Apparently-To': 'evil@attacker.test',
      },
    });
    expect(() => client.can('sendBody')).not.toThrow();
    client.sendBody('To: evil@attacker.test\r\nBcc: evil@attacker.test\r\n');
    client.sendEom();
    settle();
    const [message] = server.messages;
    expect([message?.from, message?.to]).toEqual(['a@example.test', ['b@example.test']]);
  });

  it('a Bcc recipient stands in no header', () => {
    const { client, server, settle } = connected();
    client.sendSender('a@example.test');
    client.sendRecipient({ address: 'secret@example.test', name: 'Secret Sam', type: 'bcc' });
    expect(() => client.sendBom({ headers: { Bcc: 'secret@example.test' } })).toThrow(/bcc/i);
    client.sendBom();
    client.sendEom();
    settle();
    expect(server.messages[0]?.to).toEqual(['secret@example.test']);
    expect(Buffer.from(server.messages[0]?.data ?? []).toString()).not.toMatch(/secret/i);
  });
});
