import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLabWorld, type LabWorld } from '../support/lab-world.js';
import { RunnerSampler } from '../../lab/observe/runner-sampler.js';
import { MIGRATED, summaryOf } from '../support/summary-of.js';

const ABORTED = 107;
const FORCED = 108;
const MIB = 2 ** 20;
/** Less than the guests write: no number of rounds makes the rest fit. */
const TOO_SLOW = { bandwidthLimit: 6 * MIB, maxDowntimeMs: 100 };

describe('a guest that writes faster than its copy travels', () => {
  let world: LabWorld;
  beforeAll(async () => {
    world = await openLabWorld({ name: 'stall', nodes: 2 });
    await Promise.all([ABORTED, FORCED].map((vmid) => world.createWitness({ vmid, dirtyRate: 12 * MIB }, 'node1')));
  });
  afterAll(() => world.close());

  it('stays where it is, or moves with a longer pause when told to', async () => {
    const samplers = [ABORTED, FORCED].map((vmid) => new RunnerSampler(vmid, () => world.lab()));
    try {
      // At once: each waits for most of a minute.
      const [aborted, forced] = await Promise.all([
        world.migrate(ABORTED, 'node2', { ...TOO_SLOW, onStall: 'abort' }).then((ref) => world.ended(ref)),
        world.migrate(FORCED, 'node2', { ...TOO_SLOW, onStall: 'force' }).then((ref) => world.ended(ref)),
      ]);
      expect(summaryOf(aborted)).toMatchObject({ status: 'failed', outcome: 'rolled-back', failure: expect.stringContaining('not-converging') });
      expect(summaryOf(forced)).toEqual(MIGRATED);
      const reports = samplers.map((sampler) => sampler.report());
      expect(reports[0]).toMatchObject({ doubles: [], runningOn: ['node1'], longestPauseMs: 0 });
      expect(reports[1]).toMatchObject({ doubles: [], runningOn: ['node2'] });
      expect(reports[1]?.longestPauseMs).toBeGreaterThan(TOO_SLOW.maxDowntimeMs);
      for (const vmid of [ABORTED, FORCED]) expect((await world.verdict(vmid)).reasons).toEqual([]);
      expect(await world.leftovers()).toEqual([]);
    } finally {
      for (const sampler of samplers) sampler.close();
    }
  });
});
