/**
 * The public state of a client, read off the tags of its charts' positions.
 */
import type { Connection } from '../core/connection.ts';

/** What the newest message, else the connection, is doing. */
export type SmtpState =
  | 'disconnected'
  | 'connecting'
  | 'ready'
  | 'sender'
  | 'recipients'
  | 'body'
  | 'sent'
  | 'closing';

const connectionStates = ['disconnected', 'connecting', 'ready', 'closing'] as const;
const mailStates = ['sender', 'recipients', 'body', 'sent'] as const;

export function stateOf(connection: Connection): SmtpState {
  const { newest } = connection.transactions;
  if (newest !== undefined && !newest.over) {
    const { is } = newest.position;
    const state = mailStates.find((name) => is[`public:${name}`]);
    // what retreats goes again: for its caller nothing has happened
    const stands = !is.settling || is.retreating;
    if (state !== undefined && stands) return state;
  }
  const { is } = connection.position;
  return connectionStates.find((name) => is[`public:${name}`]) ?? 'disconnected';
}
