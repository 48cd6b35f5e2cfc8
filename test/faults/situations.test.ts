/**
 * Every situation × every fault, through the real client on the simulated network in virtual time: whatever happens,
 * the truths of the architecture hold, and the same client can connect and send again.
 */
import { describe, expect, it } from 'vitest';
import { chunked } from './chunked.ts';
import { faults } from './faults.ts';
import { reach } from './reach.ts';
import { situations } from './situations.ts';

describe('S13 S18 S20: every situation stands every fault', () => {
  it.each([...situations, ...chunked].map((situation) => [situation.name, situation] as const))(
    '%s',
    (_, situation) => {
      const wrong: Record<string, string[]> = {};
      let runs = 0;
      for (const fault of faults) {
        const { rig, held } = reach(situation, fault.hold);
        expect({ held: held(), state: rig.client.state }, 'the situation was not reached').toEqual({
          held: true,
          state: situation.state,
        });
        if (fault.needsSession && rig.session === undefined) continue;
        runs++;
        rig.lying = fault.lying ?? false;
        fault.strike(rig);
        const found = rig.verdict();
        if (found.length > 0) wrong[fault.name] = found;
      }
      expect(wrong).toEqual({});
      expect(runs).toBeGreaterThan(10);
    },
  );
});
