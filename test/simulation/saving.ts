/** A client saved in the midst of what it does, and a copy restored from that: does the copy stand where it stands? */
import { SmtpClient, type SmtpClientOptions } from 'smtpump';
import { type Call, memory, VirtualClock } from 'smtpump/testing';
import { leaks } from './secrets.ts';

/** What is wrong with the copy. Its server is deaf and dumb: only what was saved is looked at. */
export function copyProblems(client: SmtpClient, options: SmtpClientOptions, now: number): string[] {
  const wrong: string[] = [];
  const saved = JSON.stringify(client.save());
  if (leaks(saved)) wrong.push('a password is saved');
  const clock = new VirtualClock(now);
  const redial = (): Pick<Call, 'shape' | 'server'> => ({ shape: {}, server: { accept() {}, resume() {} } });
  const transport = memory({ clock, dial: noCall, redial });
  const settings = { host: 'mx.example.test', pump: 'manual', ...options, clock, transport } as const;
  const copy = SmtpClient.restore(JSON.parse(saved), settings);
  const [once, again] = [withoutServers(saved), withoutServers(JSON.stringify(copy.save()))];
  if (again !== once) wrong.push(`saved, restored and saved again: ${difference(once, again)}`);
  for (const what of ['state', 'due', 'secure'] as const)
    if (copy[what] !== client[what]) wrong.push(`${what} is ${client[what]}, restored ${copy[what]}`);
  if (copy.readTimer() !== client.readTimer())
    wrong.push(`readTimer() is ${client.readTimer()}, restored ${copy.readTimer()}`);
  return wrong;
}

/** What servers still do on lines that the client has left is lost with a server that is deaf. */
function withoutServers(saved: string): string {
  const { content } = JSON.parse(saved);
  return JSON.stringify({ ...content, transport: { ...content.transport, left: undefined } });
}

function noCall(): never {
  throw new Error('a restored client dials');
}

function difference(one: string, other: string): string {
  let at = 0;
  while (one[at] === other[at]) at++;
  const from = Math.max(0, at - 60);
  return `…${one.slice(from, at + 60)}… is then …${other.slice(from, at + 60)}…`;
}
