/** Brings a real client into a situation, and stops it there. The situations themselves are in situations.ts. */
import type { SmtpClientOptions } from 'smtpump';
import type { LineFault, ReplyPlan, ServerCommand, ServerOptions, ServerSession } from 'smtpump/testing';
import { Rig } from './rig.ts';
import type { WatchedClient } from './watched.ts';

/** What the server does with the answer it owes: keep it for ever, or give it a minute later. */
export type Hold = 'silent' | 'late';

export interface Situation {
  readonly name: string;
  /** What `client.state` says there. */
  readonly state: string;
  /** The n-th command of this verb (from 1) is held. */
  readonly hold?: readonly [verb: string, n?: number];
  readonly client?: SmtpClientOptions | (() => SmtpClientOptions);
  readonly server?: ServerOptions;
  readonly script?: (command: ServerCommand, session: ServerSession) => ReplyPlan | string | undefined;
  readonly handshake?: ServerOptions['handshake'];
  readonly fault?: LineFault;
  /** All that the caller does, from connect() on. */
  readonly caller: (client: WatchedClient) => void;
}

export interface Reached {
  readonly rig: Rig;
  /** The answer was held, or nothing was to be. */
  readonly held: () => boolean;
}

/** Brings a client there, and stops where nothing more happens without time. */
export function reach(situation: Situation, hold: Hold): Reached {
  const { hold: [verb, n = 1] = [], script, client, server, handshake, fault } = situation;
  let met = 0;
  const rig = new Rig({
    ...(client && { client: typeof client === 'function' ? client() : client }),
    ...(server && { server }),
    handshake,
    fault,
    script(command, session) {
      if (command.verb === verb && ++met === n)
        return hold === 'silent' ? { raw: '', stall: true } : { delayMs: 60_000 };
      return script?.(command, session);
    },
  });
  situation.caller(rig.client);
  rig.settle();
  return { rig, held: () => verb === undefined || met >= n };
}
