/**
 * A 354 for nobody: the client ends the content itself, whatever the caller does or does not do afterwards. A 354 for a
 * message that was refused, but whose recipient was not, is the server's fault: a dot would deliver an empty message.
 */
import { describe, expect, it } from 'vitest';
import { SmtpClient, type SmtpEvent } from '../../src/index.ts';
import { memory, runUntil, ScriptedServer, VirtualClock } from '../../src/testing/index.ts';

/** A client whose only recipient was refused, though the server said 354 all the same. */
function nobody(lmtp: boolean) {
  const clock = new VirtualClock();
  const server = new ScriptedServer({
    lmtp,
    reply: ({ verb, argument }) => {
      if (verb === 'RCPT' && argument.includes('nobody')) return '550 5.1.1 no such user';
      return verb === 'DATA' ? '354 go on' : undefined;
    },
  });
  const transport = memory(server, { clock });
  const protocol = lmtp ? 'lmtp' : 'smtp';
  const client = new SmtpClient({ host: 'mx.example.test', protocol, transport, clock, pump: 'manual' });
  const events: SmtpEvent[] = [];
  client.on('event', (event: SmtpEvent) => {
    events.push(event);
  });
  const until = (name: SmtpEvent['name']): SmtpEvent | undefined => {
    const from = events.length;
    runUntil(client, clock, () => events.slice(from).some((event) => event.name === name));
    return events.findLast((event) => event.name === name);
  };
  client.connect();
  client.sendSender('a@example.test');
  client.sendRecipient('nobody@example.test');
  client.sendBom();
  client.sendBody('never sent');
  const refusal = until('SERVER_ERROR');
  const late = events.at(-1);
  expect([refusal, late]).toMatchObject([{ step: 'sendBom' }, { step: 'sendBom' }]);
  return { client, server, until };
}

describe.each([{ lmtp: false }, { lmtp: true }])(
  '354 for a message without a recipient ($lmtp: LMTP)',
  ({ lmtp }) => {
    it('is answered by a dot though sendEom never comes: disconnect() ends with QUIT (TK17, TK37)', () => {
      const { client, server, until } = nobody(lmtp);
      client.disconnect();
      expect(until('DISCONNECTED')).toEqual({ name: 'DISCONNECTED', reason: undefined, messages: [] });
      expect(server.commands.at(-1)).toBe('QUIT');
      expect(server.violations).toEqual([]);
    });

    it('is answered by a dot though the message is taken back: RESET comes (TK18, TK19)', () => {
      const { client, server, until } = nobody(lmtp);
      client.reset();
      expect(until('RESET')).toMatchObject({ reply: { code: 250 } });
      expect(server.violations).toEqual([]);
    });

    it('is answered by a dot, and the next message comes through (TK33, TK37)', () => {
      const { client, server, until } = nobody(lmtp);
      client.sendSender('a@example.test');
      client.sendRecipient('somebody@example.test');
      client.sendBom();
      client.sendBody('text\r\n');
      client.sendEom();
      expect(until('EOM_ACK')).toMatchObject({ accepted: [{ address: 'somebody@example.test' }] });
      expect(server.messages.map(({ to }) => to)).toEqual([['somebody@example.test']]);
      expect(server.violations).toEqual([]);
    });
  },
);

describe.each([{ lmtp: false }, { lmtp: true }])(
  '354 for a message that was refused, to somebody who was not ($lmtp: LMTP)',
  ({ lmtp }) => {
    it('breaks the protocol: nothing more is written, not even a dot (TK61, S13)', () => {
      const clock = new VirtualClock();
      const replies: Readonly<Record<string, string>> = {
        MAIL: '550 5.7.1 not from you',
        RCPT: '250 2.1.5 ok',
        DATA: '354 go on',
      };
      const server = new ScriptedServer({ lmtp, reply: ({ verb }) => replies[verb] });
      const transport = memory(server, { clock });
      const protocol = lmtp ? 'lmtp' : 'smtp';
      const client = new SmtpClient({ host: 'mx.example.test', protocol, transport, clock, pump: 'manual' });
      const events: SmtpEvent[] = [];
      client.on('event', (event: SmtpEvent) => {
        events.push(event);
      });
      client.connect();
      client.sendSender('a@example.test');
      client.sendRecipient('somebody@example.test');
      client.sendBom();
      client.sendBody('never sent');
      client.sendEom();
      runUntil(client, clock, () => events.at(-1)?.name === 'DISCONNECTED');
      const end = events.at(-1);
      expect(events.map((event) => ('step' in event ? `${event.name} ${event.step}` : event.name))).toEqual([
        'CONNECTED',
        'SERVER_ERROR sendSender',
        'DISCONNECTED',
      ]);
      expect(end).toMatchObject({ reason: { code: 'ESERVERSYNC' }, messages: [] });
      expect(server.commands.at(-1)).toBe('DATA');
      expect(server.messages).toEqual([]);
    });
  },
);
