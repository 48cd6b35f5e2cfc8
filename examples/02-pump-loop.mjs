// @ts-check
/**
 * A pump loop of your own, in virtual time: no socket, no timer, no waiting. The line has 40 ms each way and the
 * server thinks for 5 seconds about each message; all of it passes in a few milliseconds, the same each time.
 */
import { SmtpClient } from 'smtpump';
import { ScriptedServer, SimNetwork, VirtualClock } from 'smtpump/testing';

const clock = new VirtualClock();
const network = new SimNetwork({ clock, latencyMs: 40 });
const server = new ScriptedServer({
  reply: ({ verb }) => (verb === 'CONTENT' ? { reply: '250 2.0.0 queued', delayMs: 5000 } : undefined),
});
network.listen('mx.example', server);

const client = new SmtpClient({ host: 'mx.example', pump: 'manual', clock, transport: network.transport() });
const start = clock.now();
client.on('event', ({ name }) => console.log(`${String(clock.now() - start).padStart(6)} ms  ${name}`));

// Steps may be called ahead: the client keeps them and sends each when the server allows.
client.connect();
client.sendSender('device@sender.example');
client.sendRecipient('ann@receiver.example');
client.sendRecipient('bob@receiver.example');
client.sendBom({ subject: 'From a simulated device' });
client.sendBody('Measured: 21.5 °C\r\n');
client.sendEom();
client.on('EOM_ACK', () => client.disconnect());

// The loop: turn the pump; when it waits, move time to whatever comes first, the network's or the client's.
for (;;) {
  const verdict = client.execute();
  if (verdict === 'idle') break;
  if (verdict === 'pending') clock.advanceTo(Math.min(clock.next, clock.now() + client.readTimer()));
}

console.log(`${server.messages.length} message for ${server.messages[0]?.to.join(' and ')}`);
