/**
 * Which mechanisms to try, and in which order: ours, strongest first, whatever the server prefers.
 * It must not know how any of them works.
 */
import type { ChannelBinding } from '../transport/transport.ts';

type Need = 'password' | 'token' | 'external' | 'anonymous';

/** Strongest first. `-PLUS` proves the channel, SCRAM proves the server, the last ones show the password. */
const table: readonly (readonly [name: string, need: Need])[] = [
  ['SCRAM-SHA-256-PLUS', 'password'],
  ['SCRAM-SHA-1-PLUS', 'password'],
  ['SCRAM-SHA-256', 'password'],
  ['SCRAM-SHA-1', 'password'],
  ['EXTERNAL', 'external'],
  ['OAUTHBEARER', 'token'],
  ['XOAUTH2', 'token'],
  ['CRAM-MD5', 'password'],
  ['PLAIN', 'password'],
  ['LOGIN', 'password'],
  ['ANONYMOUS', 'anonymous'],
];

/** All that are known, strongest first. */
export const mechanismNames: readonly string[] = table.map(([name]) => name);

/** What the user can bring to a login. */
export interface Holdings {
  readonly password: boolean;
  readonly token: boolean;
  readonly external: boolean;
  readonly anonymous: boolean;
  /** Restricts; does not order. */
  readonly allowed?: readonly string[] | undefined;
}

export interface Channel {
  /** TLS is up and verified as the user asked. */
  readonly secure: boolean;
  /** The user allowed credentials in clear, by name. */
  readonly allowPlaintext: boolean;
  readonly binding?: ChannelBinding['type'] | undefined;
}

/** The mechanisms worth trying, strongest first; none at all in clear unless that was allowed (S5). */
export function choose(offered: readonly string[], have: Holdings, channel: Channel): string[] {
  if (!channel.secure && !channel.allowPlaintext) return [];
  const names = new Set(offered.map((name) => name.toUpperCase()));
  const allowed = have.allowed && new Set(have.allowed.map((name) => name.toUpperCase()));
  const bound = channel.secure && channel.binding !== undefined;
  return table
    .filter(([name, need]) => have[need] && names.has(name) && (allowed?.has(name) ?? true))
    .map(([name]) => name)
    .filter((name) => bound || !name.endsWith('-PLUS'));
}
