/**
 * What must be true whatever happens (architecture §8), asked of what a {@link WatchedClient} wrote down. Returns what
 * is wrong, in words, so that a run of thousands can say which.
 */
import type { SmtpEvent } from 'smtpump';
import type { ScriptedServer, ServerMessage } from 'smtpump/testing';
import type { Begun, Life, WatchedClient } from './watched.ts';
import { mark } from './watched.ts';

export interface Rules {
  readonly lmtp?: boolean;
  /** TLS is wanted in any case. */
  readonly secure?: boolean;
  /** Where the server said only what it did: then its mail is compared with what the client tells. */
  readonly server?: ScriptedServer | undefined;
}

type Refusal = Extract<SmtpEvent, { name: 'SERVER_ERROR' | 'SERVER_RETRY' }>;
const isRefusal = (event: SmtpEvent): event is Refusal =>
  event.name === 'SERVER_ERROR' || event.name === 'SERVER_RETRY';

/** What is wrong with a client that has been disconnected. */
export function falsehoods(client: WatchedClient, rules: Rules = {}): string[] {
  const wrong: string[] = [];
  if (client.strays.length > 0) wrong.push(`told before connect(): ${client.strays.map(({ name }) => name)}`);
  if (client.state !== 'disconnected') wrong.push(`state is ${client.state}`);
  if (client.due !== 0) wrong.push(`${client.due} replies are due`);
  if (client.execute() !== 'idle') wrong.push('execute() is not idle');
  if (client.readTimer() !== Number.POSITIVE_INFINITY) wrong.push(`readTimer() is ${client.readTimer()}`);
  client.lives.forEach((life, i) => {
    for (const one of [...endings(life), ...beginnings(life, rules), ...outcomes(life, rules)])
      wrong.push(`connection ${i + 1}: ${one}`);
  });
  return wrong;
}

function endings({ events, left }: Life): string[] {
  const wrong: string[] = [];
  const ends = events.filter((event) => event.name === 'DISCONNECTED');
  const [end] = ends;
  if (ends.length !== 1) wrong.push(`${ends.length} DISCONNECTED`);
  if (events.at(-1) !== end) wrong.push(`after DISCONNECTED came ${events.at(-1)?.name}`);
  if (end !== undefined && end.reason === undefined && !left) wrong.push('DISCONNECTED without a reason');
  events.forEach((event, i) => {
    const next = events[i + 1]?.name;
    if ((event.name === 'TIMEOUT' || event.name === 'SECURE_FAIL') && next !== 'DISCONNECTED')
      if (event.name === 'TIMEOUT' || next !== 'CONNECTED') wrong.push(`${event.name}, then ${next}`);
  });
  return wrong;
}

function beginnings({ events }: Life, { secure }: Rules): string[] {
  const wrong: string[] = [];
  const connected = events.filter((event) => event.name === 'CONNECTED');
  if (connected.length > 1) wrong.push(`${connected.length} CONNECTED`);
  if (secure && connected.some((event) => !event.secure)) wrong.push('CONNECTED in clear');
  const at = events.findIndex((event) => event.name === 'CONNECTED');
  const early = events.slice(0, at < 0 ? undefined : at);
  for (const event of early)
    if ('message' in event && event.message !== undefined) wrong.push(`${event.name} before CONNECTED`);
  return wrong;
}

function outcomes(life: Life, rules: Rules): string[] {
  return life.begun.flatMap((begun) => {
    const about = life.events.filter((event) => 'message' in event && event.message?.id === begun.message.id);
    return [...ofMessage(begun, life, about, rules), ...ofRecipients(begun, about), ...order(about)].map(
      (one) => `message ${begun.message.id}: ${one}`,
    );
  });
}

const killing = new Set(['sendSender', 'sendBom', 'sendBody']);

function ofMessage(begun: Begun, life: Life, about: readonly SmtpEvent[], rules: Rules): string[] {
  const wrong: string[] = [];
  const results: string[] = [];
  const refused = about.filter((event) => isRefusal(event) && event.step === 'sendEom');
  const verdicts = refused.length;
  // a chunk that was refused ends the message for all of its recipients
  const whole = refused.some((event) => !('recipient' in event) || event.recipient === undefined);
  const accepted = about.filter((event) => event.name === 'RECIPIENT_ACK').length;
  for (const event of about) {
    if (event.name === 'EOM_ACK') results.push('delivered');
    if (isRefusal(event) && killing.has(event.step)) results.push('refused');
  }
  if (whole || (rules.lmtp && verdicts > 0 && verdicts === accepted)) results.push('refused');
  const end = life.events.find((event) => event.name === 'DISCONNECTED');
  for (const one of end?.messages ?? []) if (one.message.id === begun.message.id) results.push(one.outcome);
  if (results.length > 1) wrong.push(`more than one result: ${results}`);
  if (results.length === 0 && !begun.withdrawn) wrong.push('no result');
  if (results[0] === 'unknown' && !begun.ended) wrong.push('unknown, though its end was never asked for');
  if (begun.withdrawn && (results[0] === 'delivered' || results[0] === 'unknown'))
    wrong.push(`withdrawn, and ${results[0]}`);
  const copies = rules.server?.messages.filter((one) => holds(one, begun)).length ?? -1;
  const result = results[0] ?? 'withdrawn';
  if (rules.server === undefined) return wrong;
  if (result === 'delivered' ? copies !== 1 : copies > 0 && result !== 'unknown')
    if (!(rules.lmtp && result === 'refused')) wrong.push(`${result}, and the server has ${copies}`);
  return wrong;
}

const holds = ({ data }: ServerMessage, { message }: Begun): boolean =>
  Buffer.from(data).toString().includes(mark(message));

function ofRecipients(begun: Begun, about: readonly SmtpEvent[]): string[] {
  const wrong: string[] = [];
  const end = about.find((event) => event.name === 'EOM_ACK');
  for (const recipient of begun.recipients) {
    const refusals = about.filter((event) => isRefusal(event) && event.recipient?.id === recipient.id);
    if (refusals.length > 1) wrong.push(`${recipient.address} refused ${refusals.length} times`);
    if (end === undefined) continue;
    const yes = end.accepted.filter((one) => one.id === recipient.id).length;
    const no = end.rejected.filter((one) => one.id === recipient.id).length;
    if (yes + no !== 1) wrong.push(`${recipient.address}: ${yes} accepted, ${no} rejected`);
    if (no !== refusals.length) wrong.push(`${recipient.address}: ${no} rejected, ${refusals.length} told`);
  }
  return wrong;
}

/** SENDER_ACK, RECIPIENT_ACK, BOM_ACK, EOM_ACK, and nothing after the result. */
function order(about: readonly SmtpEvent[]): string[] {
  const rank = (event: SmtpEvent): number => {
    const steps = ['sendSender', 'sendRecipient', 'sendBom', 'sendBody', 'sendEom'];
    const acks = ['SENDER_ACK', 'RECIPIENT_ACK', 'BOM_ACK', '', 'EOM_ACK'];
    return isRefusal(event) ? steps.indexOf(event.step) : acks.indexOf(event.name);
  };
  const wrong: string[] = [];
  for (const [i, event] of about.entries()) {
    const before = about[i - 1];
    if (before === undefined) continue;
    const step = isRefusal(before) ? before.step : undefined;
    if (before.name === 'EOM_ACK' || (step !== undefined && killing.has(step)))
      wrong.push(`${event.name} after its result`);
    if (rank(event) < rank(before)) wrong.push(`${event.name} after ${before.name}`);
    if (event.name === before.name && (event.name === 'SENDER_ACK' || event.name === 'BOM_ACK'))
      wrong.push(`${event.name} twice`);
  }
  return wrong;
}
