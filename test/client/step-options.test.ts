/** Options of the steps: each wrong value is EINVAL naming it, before a byte leaves, and the message can go on. */
import { describe, expect, it } from 'vitest';
import { connected, refused } from './support.ts';

describe('options of the steps', () => {
  const senders: Readonly<Record<string, readonly unknown[]>> = {
    sender: [5, null, undefined, { address: 'a@b.test', nmae: 'x' }],
    'sender.address': ['a', '@b.test', 'a@b.test\r\nRSET', 'a@b c', { address: 5 }, {}, '<a@b.test>', 'a@'],
    'sender.name': [
      { address: 'a@b.test', name: 'x\r\nBcc: y' },
      { address: 'a@b.test', name: 5 },
    ],
    'sender.replyTo': [
      { address: 'a@b.test', replyTo: 'x' },
      { address: 'a@b.test', replyTo: 5 },
    ],
    'sender.size': [
      { address: 'a@b.test', size: -1 },
      { address: 'a@b.test', size: 1.5 },
      { address: 'a@b.test', size: '5' },
    ],
    'sender.body': [
      { address: 'a@b.test', body: '9bit' },
      { address: 'a@b.test', body: 8 },
    ],
    'sender.smtputf8': [
      { address: 'ä@b.test', smtputf8: false },
      { address: 'a@b.test', smtputf8: 'yes' },
    ],
    'sender.ret': [
      { address: 'a@b.test', ret: 'all' },
      { address: 'a@b.test', ret: 5 },
    ],
    'sender.envid': [
      { address: 'a@b.test', envid: '' },
      { address: 'a@b.test', envid: 'x\n' },
      { address: 'a@b.test', envid: 'ä' },
    ],
  };

  it.each(Object.entries(senders))('a wrong %s is EINVAL, and nothing was begun', (option, values) => {
    for (const value of values) {
      const { client, settle, news, heard } = connected();
      const given = refused(() => client.sendSender(value as never));
      // `ret` is in either case in some interfaces; here it is one of two words
      if (option === 'sender.ret' && given === 'nothing') continue;
      expect(given, JSON.stringify(value)).toBe(`EINVAL ${option}`);
      expect(client.state).toBe('ready');
      settle();
      expect(news()).toEqual([]);
      expect(heard).toHaveLength(1);
    }
  });

  const recipients: Readonly<Record<string, readonly unknown[]>> = {
    recipient: [5, null, { address: 'a@b.test', kind: 'to' }],
    'recipient.address': ['', 'a', 'a@b.test>\r\nDATA', 'ä@b.test', {}, { address: null }],
    'recipient.name': [{ address: 'a@b.test', name: 'x\n' }],
    'recipient.type': [
      { address: 'a@b.test', type: 'TO' },
      { address: 'a@b.test', type: 5 },
    ],
    'recipient.notify': [
      { address: 'a@b.test', notify: 'sometimes' },
      { address: 'a@b.test', notify: ['never', 'success'] },
    ],
    'recipient.orcpt': [
      { address: 'a@b.test', orcpt: 5 },
      { address: 'a@b.test', orcpt: 'x\r\n' },
    ],
  };

  it.each(Object.entries(recipients))(
    'a wrong %s is EINVAL, and the message goes on without it',
    (option, values) => {
      for (const value of values) {
        const { client, settle, news } = connected();
        client.sendSender('a@example.test');
        expect(
          refused(() => client.sendRecipient(value as never)),
          JSON.stringify(value),
        ).toBe(`EINVAL ${option}`);
        expect(client.state).toBe('sender');
        client.sendRecipient('b@example.test');
        settle();
        expect(news()).toEqual(['SENDER_ACK 1', 'RECIPIENT_ACK 1 b']);
      }
    },
  );

  it('a recipient that needs SMTPUTF8 without it is refused with a hint to the sender’s option', () => {
    const { client } = connected();
    client.sendSender('a@example.test');
    expect(() => client.sendRecipient('jörg@example.test')).toThrow(/smtputf8: true/);
    const other = connected();
    other.client.sendSender({ address: 'a@example.test', smtputf8: true });
    expect(other.client.sendRecipient('jörg@example.test').address).toBe('jörg@example.test');
  });

  const boms: Readonly<Record<string, readonly unknown[]>> = {
    bom: [5, null, 'x', { title: 'x' }],
    'bom.mime': [{ mime: 'yes' }, { raw: true, subject: undefined, mime: true }],
    'bom.raw': [{ raw: 1 }],
    'bom.subject': [{ raw: true, subject: 'x' }],
    'bom.headers': [{ raw: true, headers: {} }],
    'bom.date': [{ raw: true, date: new Date(0) }],
  };

  it.each(Object.entries(boms))('a wrong %s is EINVAL, and the message can still begin', (option, values) => {
    for (const value of values) {
      const { client, settle, news } = connected();
      client.sendSender('a@example.test');
      client.sendRecipient('b@example.test');
      expect(
        refused(() => client.sendBom(value as never)),
        JSON.stringify(value),
      ).toBe(`EINVAL ${option}`);
      expect(client.state).toBe('recipients');
      client.sendBom();
      client.sendEom();
      settle();
      expect(news().at(-1)).toBe('EOM_ACK 1 b/');
    }
  });

  it.each([
    { subject: 'a\r\nBcc: x@y.test' },
    { subject: 5 },
    { date: 'yesterday\r\n' },
    { date: new Date(Number.NaN) },
    { headers: { 'X-A': 'b\r\nX-C: d' } },
    { headers: { 'bad name': 'x' } },
    { headers: { 'X-A': 5 } },
  ])('a header that would break out is EINVAL: %j', (options) => {
    const { client, settle, heard } = connected();
    client.sendSender('a@example.test');
    client.sendRecipient('b@example.test');
    expect(refused(() => client.sendBom(options as never))).toMatch(/^EINVAL /);
    settle();
    expect(heard).not.toContain('DATA');
  });
});
