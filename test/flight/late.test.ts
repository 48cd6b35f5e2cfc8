/** Steps of a caller who cannot know yet that the line is gone. */
import { SmtpClient } from 'smtpump';
import { memory, runUntil, ScriptedServer, VirtualClock } from 'smtpump/testing';
import { expect, it } from 'vitest';

it("S18: a server that closes with its answer cannot make a listener's steps throw; their messages are unsent", () => {
  const clock = new VirtualClock();
  const server = new ScriptedServer({
    reply: (command) => (command.verb === 'EHLO' ? { reply: '250 mx', drop: true } : undefined),
  });
  const client = new SmtpClient({ transport: memory(server, { clock }), clock, pump: 'manual' });
  const told: string[] = [];
  client.on('CONNECTED', () => {
    client.sendSender('a@b.example');
    client.sendRecipient('c@d.example');
    client.sendBom();
    client.noop();
  });
  client.on('event', (event) => {
    told.push(
      event.name === 'DISCONNECTED'
        ? `${event.name} ${event.messages.map(({ outcome }) => outcome)}`
        : event.name,
    );
  });
  client.connect();
  runUntil(client, clock, () => client.state === 'disconnected');
  expect(told).toEqual(['CONNECTED', 'DISCONNECTED unsent']);
});

it.each(['MAIL', 'RCPT', 'DATA'])(
  'S18: a server that closes with its answer to %s cannot make the next step of a message throw',
  (verb) => {
    const clock = new VirtualClock();
    const server = new ScriptedServer({
      extensions: [],
      reply: (command, _, own) => (command.verb === verb ? { reply: own, drop: true } : undefined),
    });
    const client = new SmtpClient({ transport: memory(server, { clock }), clock, pump: 'manual' });
    const told: string[] = [];
    client.on('CONNECTED', () => client.sendSender('a@b.example'));
    client.on('SENDER_ACK', () => client.sendRecipient('c@d.example'));
    client.on('RECIPIENT_ACK', () => client.sendBom());
    client.on('BOM_ACK', () => {
      client.sendBody('text');
      client.sendEom();
    });
    client.on('DISCONNECTED', ({ messages }) => told.push(...messages.map(({ outcome }) => outcome)));
    client.connect();
    runUntil(client, clock, () => client.state === 'disconnected');
    expect(told).toEqual(['unsent']);
    expect(client.can('sendRecipient')).toBe(false);
  },
);
