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
