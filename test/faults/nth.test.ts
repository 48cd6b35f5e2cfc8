/**
 * The n-th write, read, open and handshake of thirty reference sessions fails, for every n: the truths hold, and the
 * same client can connect and send again. With SMTPUMP_LONG the lines are also cut to pieces, so that there are more n.
 */

import { type FaultPoint, withFaults } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import { begin, type Session, sessions } from './sessions.ts';

const calls: readonly FaultPoint['call'][] = ['open', 'secure', 'write', 'poll'];
const seeds = process.env.SMTPUMP_LONG === undefined ? [0] : [0, 1, 2, 3];

/** A session in which the n-th such call fails; seed 0 leaves the lines whole. */
function broken(session: Session, seed: number, failAt: FaultPoint) {
  return begin(session, (transport, clock) => withFaults(transport, { clock, seed, cut: seed > 0, failAt }));
}

describe.each(seeds)('S18 S20: the n-th call of the transport fails (seed %i)', (seed) => {
  it('there are thirty sessions, and each ends well by itself', () => {
    expect(sessions).toHaveLength(30);
    const stories = sessions.map((session) => {
      const rig = begin(session);
      return { name: session.name, wrong: rig.verdict(), end: rig.story.at(-1) };
    });
    expect(stories.filter(({ wrong, end }) => wrong.length > 0 || end !== 'DISCONNECTED')).toEqual([]);
  });

  it.each(sessions.map((session) => [session.name, session] as const))('%s', (_, session) => {
    const wrong: Record<string, string[]> = {};
    const struck: Record<string, number> = {};
    let harmless = 0;
    for (const call of calls) {
      for (let n = 1; n < 5000; n++) {
        const rig = broken(session, seed, { call, n });
        rig.finish();
        // the session has no n-th call of this kind: the fault would strike the next connection
        if (rig.tap.calls[call] < n) break;
        struck[call] = n;
        if (rig.story.at(-1) === 'DISCONNECTED') harmless++;
        const found = rig.verdict();
        if (found.length > 0) wrong[`${call} ${n}`] = found;
      }
    }
    expect(wrong).toEqual({});
    // only what fails after QUIT has left may leave no trace
    expect(harmless).toBeLessThan(seed === 0 ? 4 : 80);
    expect(struck).toMatchObject({ open: 1, write: expect.any(Number), poll: expect.any(Number) });
  });
});
