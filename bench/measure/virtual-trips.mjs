// @ts-check
/** Round trips of one message as virtual time on a simulated network, from CONNECTED to EOM_ACK: nothing is timed. */
import { SmtpClient } from 'smtpump';
import { runUntil, ScriptedServer, SimNetwork, VirtualClock } from 'smtpump/testing';
import { Mailer } from '../clients/smtpump.mjs';

const latencyMs = 50;

/** @param {import('../clients/smtpump.mjs').Style} style */
export function measure(style) {
  const clock = new VirtualClock();
  const network = new SimNetwork({ clock, latencyMs }).listen('*', new ScriptedServer());
  const client = new SmtpClient({
    host: 'mx.example',
    localName: 'bench.example',
    tls: 'never',
    clock,
    transport: network.transport(),
    pump: 'manual',
  });
  const mailer = new Mailer(client, style);
  let connectedAt = Number.NaN;
  let left = 1;
  client.once('CONNECTED', () => {
    connectedAt = clock.now();
    void mailer.pour(() => left-- > 0);
  });
  client.connect();
  runUntil(client, clock, () => left < 0 && mailer.dry);
  return { trips: (clock.now() - connectedAt) / (2 * latencyMs) };
}
