/** The situations of CHUNKING and of messages in flight, as those of situations.ts. */
import type { ServerOptions, ServerSession } from 'smtpump/testing';
import type { Situation } from './reach.ts';
import { twice, unended } from './situations.ts';
import type { WatchedClient } from './watched.ts';

const chunking: ServerOptions = { extensions: ['PIPELINING', 'CHUNKING', '8BITMIME'] };

/** Some of the body has left in a chunk of its own. */
function chunkLeft(client: WatchedClient): void {
  unended(client);
  client.sendBody('x'.repeat(100_000));
}

/** The second MAIL of each first connection came too early. */
const early = (): NonNullable<Situation['script']> => {
  const met = new WeakMap<ServerSession, number>();
  return ({ verb }, session) => {
    if (verb !== 'MAIL') return undefined;
    const nth = (met.get(session) ?? 0) + 1;
    met.set(session, nth);
    return nth === 2 ? '503 not now' : undefined;
  };
};

export const chunked: readonly Situation[] = [
  { name: 'chunked: MAIL is due', state: 'sent', caller: twice, hold: ['MAIL'], server: chunking },
  {
    name: 'chunked: the second MAIL is due',
    state: 'sent',
    caller: twice,
    hold: ['MAIL', 2],
    server: chunking,
  },
  { name: 'chunked: RCPT is due', state: 'sent', caller: twice, hold: ['RCPT', 2], server: chunking },
  { name: 'chunked: a verdict is due', state: 'sent', caller: twice, hold: ['BDAT'], server: chunking },
  {
    name: 'chunked: the second verdict is due',
    state: 'sent',
    caller: twice,
    hold: ['BDAT', 2],
    server: chunking,
  },
  {
    name: 'chunked: an RSET of our own is due',
    state: 'sent',
    caller: twice,
    hold: ['RSET'],
    server: chunking,
  },
  { name: 'chunked: a chunk is due', state: 'body', caller: chunkLeft, hold: ['BDAT'], server: chunking },
  { name: 'chunked: some of the body was taken', state: 'body', caller: chunkLeft, server: chunking },
  {
    name: 'chunked: in lock step, a verdict is due',
    state: 'sent',
    caller: twice,
    hold: ['BDAT'],
    server: chunking,
    client: { pipelining: false },
  },
  {
    name: 'chunked: a message goes again, its MAIL is due',
    state: 'sent',
    caller: twice,
    hold: ['MAIL', 3],
    server: chunking,
    script: early(),
  },
  {
    name: 'chunked: a message retreats, its BDAT is due',
    state: 'sent',
    caller: twice,
    hold: ['BDAT', 2],
    server: chunking,
    script: early(),
  },
];
