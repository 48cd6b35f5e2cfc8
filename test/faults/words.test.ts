/**
 * Inside the listener of the k-th event, for every k of the reference sessions, the caller says every word there is:
 * steps, legal or not, a turn of the crank, an exception. Nothing is lost, and the truths hold.
 */

import { SmtpUsageError } from 'smtpump';
import { describe, expect, it } from 'vitest';
import type { Rig } from './rig.ts';
import { begin, type Session, sessions } from './sessions.ts';
import { sendWhole, type WatchedClient } from './watched.ts';

type Word = (client: WatchedClient) => void;

/** What is illegal at that moment must throw SmtpUsageError and change nothing. */
const tolerant =
  (step: Word): Word =>
  (client) => {
    try {
      step(client);
    } catch (error) {
      if (!(error instanceof SmtpUsageError)) throw error;
    }
  };

const words: Readonly<Record<string, Word>> = {
  'abort()': tolerant((client) => client.abort()),
  'disconnect()': tolerant((client) => client.disconnect()),
  'reset()': tolerant((client) => client.reset()),
  'noop()': tolerant((client) => client.noop()),
  'disconnect() and abort()': tolerant((client) => {
    client.disconnect();
    client.abort();
  }),
  'reset() and disconnect()': tolerant((client) => {
    client.reset();
    client.disconnect();
  }),
  'a whole message': tolerant((client) => sendWhole(client)),
  'a message without an end': tolerant((client) => {
    client.sendSender('x@example.test');
    client.sendRecipient('y@example.test');
    client.sendBom({ raw: true });
  }),
};

/** Words that must change nothing at all. */
const quiet: Readonly<Record<string, Word>> = {
  'an exception': () => {
    throw new Error('the listener throws');
  },
  'execute()': (client) => expect(client.execute()).toBe('more'),
  'connect()': (client) => {
    if (client.state === 'disconnected') return;
    expect(() => client.connect()).toThrow(/EISCONN|wait for DISCONNECTED/);
  },
};

function run(session: Session, k: number, word: Word): Rig {
  const rig = begin(session);
  rig.client.afterEvent = (_, nth) => {
    if (nth === k) word(rig.client);
  };
  rig.finish();
  return rig;
}

describe('S13 S18: every word in the listener of every event', () => {
  it.each(sessions.map((session) => [session.name, session] as const))('%s', (_, session) => {
    const wrong: Record<string, string[]> = {};
    const plain = run(session, -1, () => {}).story;
    for (let k = 0; k < plain.length; k++) {
      for (const [name, word] of Object.entries(words)) {
        const found = run(session, k, word).verdict();
        if (found.length > 0) wrong[`${name} at event ${k}, ${plain[k]}`] = found;
      }
      for (const [name, word] of Object.entries(quiet)) {
        const rig = run(session, k, word);
        const { story } = rig;
        if (name === 'an exception') expect(rig.thrown).toHaveLength(1);
        else expect(rig.thrown).toEqual([]);
        expect({ [`${name} at event ${k}`]: story }).toEqual({ [`${name} at event ${k}`]: plain });
      }
    }
    expect(wrong).toEqual({});
    expect(plain.length).toBeGreaterThan(1);
  });

  it('connect() in the listener of DISCONNECTED begins a new connection, each with its own end', () => {
    for (const session of sessions) {
      const rig = begin(session);
      rig.client.afterEvent = ({ name }) => {
        if (name !== 'DISCONNECTED' || rig.client.lives.length === 3) return;
        rig.client.drive = (event) => void (event.name === 'EOM_ACK' && rig.client.disconnect());
        rig.client.connect();
        sendWhole(rig.client);
      };
      rig.finish();
      expect(rig.client.lives).toHaveLength(3);
      expect({ [session.name]: rig.verdict() }).toEqual({ [session.name]: [] });
      expect(rig.server.accepted).toBe(4);
    }
  });
});
