/** What the server does not offer: thrown when its offers are known, told without a reply when called ahead. */
import type { RecipientOptions, SenderOptions } from 'smtpump';
import { describe, expect, it } from 'vitest';
import { bench, codeOf, connected, last, replies, type Setup, sendMail } from './support.ts';

const bare: Setup = { server: { extensions: ['PIPELINING'] } };
const address = 'a@example.test';

const senders: readonly (readonly [string, SenderOptions, RegExp, readonly string[]])[] = [
  ['SIZE', { address, size: 5 }, /SIZE/, ['SIZE 1000']],
  ['a larger SIZE', { address, size: 2000 }, /2000.*1000/, ['SIZE 5000']],
  ['DSN (ret)', { address, ret: 'hdrs' }, /DSN/, ['DSN']],
  ['DSN (envid)', { address, envid: 'x' }, /DSN/, ['DSN']],
  ['SMTPUTF8', { address: 'ä@example.test' }, /SMTPUTF8/, ['SMTPUTF8', '8BITMIME']],
  ['8BITMIME', { address, body: '8bitmime' }, /8BITMIME/, ['8BITMIME']],
];

const recipients: readonly (readonly [string, RecipientOptions])[] = [
  ['notify', { address: 'b@example.test', notify: 'never' }],
  ['orcpt', { address: 'b@example.test', orcpt: 'b@example.test' }],
];

const extensionsWithout = (name: string): Setup =>
  name === 'a larger SIZE' ? { server: { extensions: ['PIPELINING', 'SIZE 1000'] } } : bare;

describe('what the server does not offer', () => {
  it.each(senders)('%s: sendSender throws EUNSUPPORTED, and nothing was begun', (name, sender, text) => {
    const { client, settle, heard } = connected(extensionsWithout(name));
    expect(codeOf(() => client.sendSender(sender))).toBe('EUNSUPPORTED');
    expect(() => client.sendSender(sender)).toThrow(text);
    expect(client.state).toBe('ready');
    settle();
    expect(heard).toHaveLength(1);
  });

  it.each(senders)(
    '%s, called ahead: SERVER_ERROR sendSender without a reply; nothing of it leaves, the next mail does',
    (name, sender, text) => {
      const { client, server, settle, told, events } = bench(extensionsWithout(name));
      client.connect();
      client.sendSender(sender);
      client.sendRecipient('b@example.test');
      client.sendBom();
      client.sendBody('hello');
      client.sendEom();
      sendMail(client);
      settle();
      expect(told.slice(0, 2)).toEqual(['CONNECTED', 'SERVER_ERROR sendSender 1 EUNSUPPORTED']);
      expect(told.slice(2)).toEqual(['SENDER_ACK 2', 'RECIPIENT_ACK 2 b', 'BOM_ACK 2', 'EOM_ACK 2 b/']);
      const event = last(events, 'SERVER_ERROR');
      expect(event.reply).toBeUndefined();
      expect(event.error).toMatchObject({ code: 'EUNSUPPORTED', phase: 'mail', retryable: false });
      expect(event.error.message).toMatch(text);
      expect(server.commands.filter((line) => line.startsWith('MAIL'))).toHaveLength(1);
      expect(server.commands).not.toContain('RSET');
    },
  );

  it.each(senders)('%s: where it is offered it is sent', (_, sender, __, extensions) => {
    const { client, server, settle, told } = bench({ server: { extensions } });
    client.connect();
    client.sendSender(sender);
    settle();
    expect(told).toEqual(['CONNECTED', 'SENDER_ACK 1']);
    const line = server.commands[1] ?? '';
    expect(line).toMatch(/ (SIZE=(5|2000)|RET=HDRS|ENVID=x|SMTPUTF8|BODY=8BITMIME)/);
  });

  it('binarymime is refused: thrown, or told when called ahead', () => {
    const known = connected({ server: { extensions: ['8BITMIME', 'PIPELINING'] } });
    expect(codeOf(() => known.client.sendSender({ address, body: 'binarymime' }))).toBe('EUNSUPPORTED');
    const ahead = bench({ server: { extensions: ['8BITMIME'] } });
    ahead.client.connect();
    ahead.client.sendSender({ address, body: 'binarymime' });
    ahead.settle();
    expect(ahead.told).toEqual(['CONNECTED', 'SERVER_ERROR sendSender 1 EUNSUPPORTED']);
  });

  it.each(recipients)('%s without DSN: sendRecipient throws, and the message goes on', (_, recipient) => {
    const { client, settle, news } = connected(bare);
    client.sendSender(address);
    expect(codeOf(() => client.sendRecipient(recipient))).toBe('EUNSUPPORTED');
    client.sendRecipient('c@example.test');
    client.sendBom();
    client.sendEom();
    settle();
    expect(news().at(-1)).toBe('EOM_ACK 1 c/');
  });

  it.each(recipients)(
    '%s without DSN, called ahead: that recipient is refused without a reply, the others get the mail',
    (_, recipient) => {
      const { client, server, settle, told, events } = bench(bare);
      client.connect();
      client.sendSender(address);
      const refused = client.sendRecipient(recipient);
      client.sendRecipient('c@example.test');
      client.sendBom();
      client.sendEom();
      settle();
      expect(told.filter((line) => line.startsWith('SERVER_ERROR'))).toEqual([
        'SERVER_ERROR sendRecipient 1 b EUNSUPPORTED',
      ]);
      expect(told.at(-1)).toBe('EOM_ACK 1 c/b');
      expect(last(events, 'SERVER_ERROR')).toMatchObject({
        recipient: refused,
        reply: undefined,
        error: { phase: 'rcpt' },
      });
      expect(server.messages[0]?.to).toEqual(['c@example.test']);
    },
  );

  it('order: a recipient refused by us is told in the place of its step', () => {
    const { client, settle, told } = bench(bare);
    client.connect();
    client.sendSender(address);
    client.sendRecipient('one@example.test');
    client.sendRecipient({ address: 'two@example.test', notify: 'never' });
    client.sendRecipient('three@example.test');
    settle();
    expect(told.slice(1)).toEqual([
      'SENDER_ACK 1',
      'RECIPIENT_ACK 1 one',
      'SERVER_ERROR sendRecipient 1 two EUNSUPPORTED',
      'RECIPIENT_ACK 1 three',
    ]);
  });

  it('the only recipient refused by us: sendBom is refused without a reply, DATA is not sent', () => {
    const { client, server, settle, told } = bench(bare);
    client.connect();
    client.sendSender(address);
    client.sendRecipient({ address: 'b@example.test', notify: 'never' });
    client.sendBom();
    client.sendEom();
    sendMail(client);
    settle();
    expect(told.filter((line) => line.startsWith('SERVER_ERROR'))).toEqual([
      'SERVER_ERROR sendRecipient 1 b EUNSUPPORTED',
      'SERVER_ERROR sendBom 1 EUNSUPPORTED',
    ]);
    expect(told.at(-1)).toBe('EOM_ACK 2 b/');
    expect(server.commands.filter((line) => line === 'DATA')).toHaveLength(1);
  });

  it('defaults: BODY=8BITMIME where offered, nothing where not; SMTPUTF8 only when the sender needs it', () => {
    const line = (extensions: readonly string[], from: string): string | undefined => {
      const { client, server, settle } = connected({ server: { extensions } });
      client.sendSender(from);
      settle();
      return server.commands.at(-1);
    };
    const all = ['8BITMIME', 'SMTPUTF8', 'SIZE', 'DSN'];
    expect(line(all, address)).toBe('MAIL FROM:<a@example.test> BODY=8BITMIME');
    expect(line(['SMTPUTF8'], address)).toBe('MAIL FROM:<a@example.test>');
    expect(line(all, 'ä@example.test')).toMatch(/^MAIL FROM:<ä@example\.test> .*SMTPUTF8/);
  });

  it('DSN and SIZE parameters as given', () => {
    const { client, server, settle } = connected();
    client.sendSender({ address, size: 100, ret: 'full', envid: 'a+b=c' });
    client.sendRecipient({
      address: 'b@example.test',
      notify: ['success', 'failure'],
      orcpt: 'o@example.test',
    });
    settle();
    expect(server.commands[1]).toMatch(/ SIZE=100( |$)/);
    expect(server.commands[1]).toContain('RET=FULL');
    expect(server.commands[1]).toContain('ENVID=a+2Bb+3Dc');
    expect(server.commands[2]).toContain('NOTIFY=SUCCESS,FAILURE');
    expect(server.commands[2]).toContain('ORCPT=rfc822;o@example.test');
  });
});

it('S18: a message whose recipients we refuse ourselves waits for the answer to MAIL, and does not spin', () => {
  const { client, heard, settle, told } = bench({
    server: { extensions: ['PIPELINING'], ...replies({ MAIL: () => ({ delayMs: 60_000 }) }) },
  });
  client.connect();
  client.sendSender('a@example.test');
  client.sendRecipient({ address: 'b@example.test', notify: 'never' });
  client.sendBom();
  settle();
  expect(heard.at(-1)).toMatch(/^MAIL/);
  expect(client.execute()).toBe('pending');
  settle(60_000);
  expect(told.slice(1)).toEqual([
    'SENDER_ACK 1',
    'SERVER_ERROR sendRecipient 1 b EUNSUPPORTED',
    'SERVER_ERROR sendBom 1 EUNSUPPORTED',
  ]);
});

it.each(['SIZE', 'SIZE 0'])('a server that offers %s tells no limit: any size may be declared', (offer) => {
  const { client, heard, settle } = connected({ server: { extensions: [offer] } });
  client.sendSender({ address: 'a@example.test', size: 5_000_000 });
  settle();
  expect(heard.at(-1)).toContain(' SIZE=5000000');
});
