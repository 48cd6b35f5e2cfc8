// @ts-check
/** Round trips as virtual time on a simulated link, from CONNECTED to the last EOM_ACK: nothing is timed. */
import { SmtpClient } from 'smtpump';
import { runUntil, ScriptedServer, SimNetwork, VirtualClock } from 'smtpump/testing';
import { Mailer } from '../clients/smtpump.mjs';

const latencyMs = 25;

/** @param {{ messages: number, recipients: number, window?: number, chunking?: boolean, mode?: 'ahead' | 'lockstep' }} spec */
export function measure({ messages, recipients, window = 16, chunking = false, mode = 'ahead' }) {
  const clock = new VirtualClock();
  const extensions = ['PIPELINING', ...(chunking ? ['CHUNKING'] : []), '8BITMIME'];
  const network = new SimNetwork({ clock, latencyMs }).listen('*', new ScriptedServer({ extensions }));
  const client = new SmtpClient({
    host: 'mx.example',
    localName: 'bench.example',
    tls: 'never',
    clock,
    transport: network.transport(),
    pump: 'manual',
    messagesInFlight: window,
  });
  // all is called at once: what is in flight is the client's own affair
  const mailer = new Mailer(client, { mode, window: messages, recipients });
  let connectedAt = Number.NaN;
  let left = messages;
  client.once('CONNECTED', () => {
    connectedAt = clock.now();
    void mailer.pour(() => left-- > 0);
  });
  client.connect();
  runUntil(client, clock, () => left < 0 && mailer.dry);
  return { trips: (clock.now() - connectedAt) / (2 * latencyMs) };
}
