/**
 * What the client told of each message, against what the servers took over. The servers' own record is the truth.
 */
import type { SmtpEvent } from 'smtpump';
import type { ServerMessage } from 'smtpump/testing';
import type { Begun, Life, WatchedClient } from '../faults/watched.ts';
import { contentProblem, type Written } from './bodies.ts';

export interface Evidence {
  readonly client: WatchedClient;
  readonly written: ReadonlyMap<number, Written>;
  readonly messages: readonly ServerMessage[];
  /** The server of that life (from 0) lied: what was told then proves nothing. */
  lied(life: number): boolean;
  /** The last line of that life offered XEXCH50, whose servers get an empty line more. */
  mayEndEmpty(life: number): boolean;
  /** Ids of messages whose end was seen to leave; undefined where nobody looked. */
  readonly ended: ReadonlySet<number> | undefined;
}

/** What a message came to. */
interface Outcome {
  readonly result: 'delivered' | 'refused' | 'unsent' | 'unknown' | 'withdrawn';
  /** Who has it, as far as the client knows. */
  readonly accepted: readonly string[];
}

const killing = new Set(['sendSender', 'sendBom', 'sendBody']);

/** What the client and the servers do not agree on. */
export function disagreements(evidence: Evidence): string[] {
  const wrong: string[] = [];
  const bySender = new Map<string, ServerMessage[]>();
  for (const message of evidence.messages) {
    const copies = bySender.get(message.from);
    if (copies === undefined) bySender.set(message.from, [message]);
    else copies.push(message);
  }
  evidence.client.lives.forEach((life, at) => {
    for (const begun of life.begun) {
      const written = evidence.written.get(begun.message.id);
      if (written === undefined) continue;
      const copies = bySender.get(written.from) ?? [];
      bySender.delete(written.from);
      if (evidence.lied(at)) continue;
      const outcome = outcomeOf(begun, life);
      for (const one of compare(begun, outcome, copies, written, evidence, at))
        wrong.push(`message ${begun.message.id} from ${written.from}: ${one}`);
    }
  });
  for (const from of bySender.keys()) wrong.push(`nobody sent what the server has from ${from}`);
  return wrong;
}

function outcomeOf(begun: Begun, life: Life): Outcome {
  let acked = 0;
  let verdicts = 0;
  for (const event of life.events) {
    if (!('message' in event) || event.message?.id !== begun.message.id) continue;
    if (event.name === 'RECIPIENT_ACK') acked++;
    if (event.name === 'EOM_ACK') {
      return { result: 'delivered', accepted: event.accepted.map(({ address }) => address) };
    }
    if (isRefusal(event) && killing.has(event.step)) return { result: 'refused', accepted: [] };
    if (isRefusal(event) && event.step === 'sendEom') {
      if (event.recipient === undefined) return { result: 'refused', accepted: [] };
      verdicts++;
    }
  }
  if (verdicts > 0 && verdicts === acked) return { result: 'refused', accepted: [] };
  const end = life.events.at(-1);
  const unfinished =
    end?.name === 'DISCONNECTED' && end.messages.find(({ message }) => message.id === begun.message.id);
  if (!unfinished) return { result: 'withdrawn', accepted: [] };
  const accepted = unfinished.accepted?.map(({ address }) => address) ?? [];
  return { result: unfinished.outcome, accepted };
}

const isRefusal = (
  event: SmtpEvent,
): event is Extract<SmtpEvent, { name: 'SERVER_ERROR' | 'SERVER_RETRY' }> =>
  event.name === 'SERVER_ERROR' || event.name === 'SERVER_RETRY';

function compare(
  begun: Begun,
  { result, accepted }: Outcome,
  copies: readonly ServerMessage[],
  written: Written,
  evidence: Evidence,
  life: number,
): string[] {
  const wrong: string[] = [];
  const [copy] = copies;
  if (copies.length > 1) wrong.push(`the server has it ${copies.length} times`);
  if (result === 'unknown' && evidence.ended?.has(begun.message.id) === false)
    wrong.push('unknown, and its end never left');
  if (copy === undefined) {
    if (result === 'delivered' || accepted.length > 0)
      wrong.push(`${result}, and the server does not have it`);
    return wrong;
  }
  if (result !== 'delivered' && result !== 'unknown') wrong.push(`${result}, and the server has it`);
  const asked = new Set(begun.recipients.map(({ address }) => address));
  if (copy.to.some((address) => !asked.has(address))) wrong.push(`it went to ${copy.to}`);
  if (result === 'delivered' && copy.to.join() !== accepted.join())
    wrong.push(`told as accepted for ${accepted}, and the server has it for ${copy.to}`);
  if (accepted.some((address) => !copy.to.includes(address)))
    wrong.push(`told as accepted for ${accepted}, and the server has it for ${copy.to}`);
  const problem = contentProblem(copy.data, written, evidence.mayEndEmpty(life));
  if (problem !== undefined) wrong.push(problem);
  return wrong;
}
