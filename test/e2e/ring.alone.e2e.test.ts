import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLabWorld, type LabWorld } from '../support/lab-world.js';
import { RunnerSampler } from '../../lab/observe/runner-sampler.js';
import { MIGRATED, summaryOf } from '../support/summary-of.js';

const VMID = 101;
const MIB = 2 ** 20;
/** 20 for the full proof; a few show that the ring closes. */
const MIGRATIONS = Number(process.env['KEDGE_RING'] ?? 6);
const RING = ['node2', 'node3', 'node1'];

describe('a busy witness on its way round a ring of three nodes', () => {
  let world: LabWorld;
  beforeAll(async () => {
    world = await openLabWorld({ name: 'ring', nodes: 3 });
    await world.createWitness({ vmid: VMID, memoryMiB: 512, workingSet: 256 * MIB, dirtyRate: 20 * MIB }, 'node1');
  });
  afterAll(() => world.close());

  it(`arrives at every one of ${MIGRATIONS} stops, with all its memory and its disk, and never runs twice`, async () => {
    await world.resetWitness(VMID);
    const sampler = new RunnerSampler(VMID, () => world.lab());
    try {
      for (let stop = 0; stop < MIGRATIONS; stop += 1) {
        const target = RING[stop % RING.length] ?? '';
        const end = await world.ended(await world.migrate(VMID, target));
        expect(summaryOf(end), `migration ${stop + 1}`).toEqual(MIGRATED);
        expect(end.story?.rounds.length, `rounds of migration ${stop + 1}`).toBeGreaterThanOrEqual(3);
        expect(await world.leftovers()).toEqual([]);
        const verdict = await world.verdict(VMID);
        expect(verdict.reasons, `after migration ${stop + 1}`).toEqual([]);
        expect(sampler.report()).toMatchObject({ doubles: [], unwatched: [], runningOn: [target] });
      }
      const { spans, longestPauseMs } = sampler.report();
      expect(spans).toHaveLength(MIGRATIONS + 1);
      expect(longestPauseMs).toBeLessThan(1_000);
    } finally {
      sampler.close();
    }
  });
});
