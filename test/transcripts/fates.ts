/**
 * What must become of each message of a dialogue when the line is lost after so many octets of the server's side:
 * worked out from the wire alone, by counting replies. It knows nothing of the client.
 */

export type Fate = 'unsent' | 'unknown' | 'refused' | 'delivered' | 'withdrawn';

/** From which octet on (of its connection) the fate is this one. */
interface Turn {
  readonly from: number;
  readonly fate: Fate;
  /** It needs a turn of the client after that octet, which a line that is lost together with it does not leave. */
  readonly ours: boolean;
}

export interface MessageFates {
  /** The connection that it goes over, from 1. */
  readonly connection: number;
  readonly turns: readonly Turn[];
}

interface Draft {
  readonly connection: number;
  readonly turns: Turn[];
  accepted: number;
}

export interface Score {
  readonly messages: readonly MessageFates[];
  /** Octets of the server's side, for each connection. */
  readonly octets: readonly number[];
}

/**
 * What is known when the line is lost after so many octets: `together` with the last of them, or later. A message that
 * the wire never saw is unsent.
 */
export function fateOf(message: MessageFates | undefined, octets: number, together: boolean): Fate {
  const reached = message?.turns.findLast(({ from, ours }) =>
    ours && together ? from < octets : from <= octets,
  );
  return reached?.fate ?? 'unsent';
}

export function score(wire: string): Score {
  const messages: Draft[] = [];
  const octets: number[] = [];
  wire.split(/^-- connection$/m).forEach((part, i) => {
    octets.push(scorePart(part.split('\n'), i + 1, messages));
  });
  return { messages, octets };
}

/** One connection: commands wait in a row, and each reply answers the first. */
function scorePart(lines: readonly string[], connection: number, messages: Draft[]): number {
  const due: { verb: string; message: Draft | undefined }[] = [{ verb: 'CONNECT', message: undefined }];
  let octets = 0;
  let content = false;
  let message: Draft | undefined;
  for (const line of lines) {
    const text = line.slice(3);
    if (line.startsWith('S:')) {
      octets += Buffer.byteLength(text) + 2;
      if (text[3] === '-') continue;
      const answered = due.shift();
      if (answered?.verb === 'DATA' && text.startsWith('354')) content = true;
      if (answered?.message !== undefined) turn(answered.message, answered.verb, text, octets);
    } else if (line.startsWith('C:')) {
      if (content && text !== '.') continue;
      const verb = content ? 'CONTENT' : (text.split(' ')[0] ?? '');
      content = false;
      if (verb === 'MAIL') {
        message = { connection, turns: [], accepted: 0 };
        messages.push(message);
      }
      // taken back the moment that the caller says so
      if (verb === 'RSET') message?.turns.push({ from: octets, fate: 'withdrawn', ours: true });
      due.push({ verb, message });
    }
  }
  return octets;
}

function turn(message: Draft, verb: string, reply: string, from: number): void {
  if (message.turns.some(({ fate }) => fate === 'refused' || fate === 'delivered')) return;
  const good = /^[23]/.test(reply);
  if (verb === 'RCPT' && good) message.accepted++;
  const told = (fate: Fate): void => void message.turns.push({ from, fate, ours: fate === 'unknown' });
  if (verb === 'DATA' && good && message.accepted > 0) told('unknown');
  else if (verb === 'DATA' || (verb === 'MAIL' && !good)) told('refused');
  if (verb === 'CONTENT') told(good ? 'delivered' : 'refused');
}
