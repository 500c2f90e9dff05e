/** kill -9 of components in each step of a move that copies disks: two at a time, so that each step meets every component. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { waitUntil } from '../../lab/processes.js';
import type { MigrationRef } from '../../src/client/migration-view.js';
import { parseNodeName, parseVmid } from '../../src/domain/ids.js';
import { COMPONENT_PAIRS, killComponent, type Component } from '../support/components.js';
import { openLabWorld, type LabWorld } from '../support/lab-world.js';
import { OfflineGuest } from '../support/offline-guest.js';
import { RunnerSampler } from '../../lab/observe/runner-sampler.js';
import { MIGRATED, summaryOf } from '../support/summary-of.js';

const MACHINE = 122;
const CONTAINER = 123;
const MIB = 2 ** 20;

/** Each is seen from outside when it has just begun; the pace stretches the two passes. */
const STEPS = ['validate', 'prepare', 'pre-sync', 'shutdown', 'final-sync', 'verify', 'hand-over', 'start'] as const;
type Step = (typeof STEPS)[number];

/** Each step once, with guests and pairs in turn; KEDGE_KILLS=all has every step with both pairs and both guests. */
function casesOf(vmid: number): readonly { step: Step; killed: string; components: readonly Component[] }[] {
  const all = process.env['KEDGE_KILLS'] === 'all';
  return STEPS.flatMap((step, index) =>
    COMPONENT_PAIRS.filter((_, pair) => all || ((index + vmid) % 2 === 0 && (index >> 1) % 2 === pair)).map((components) => ({
      step,
      killed: components.join(' and '),
      components,
    })),
  );
}

describe('kill -9 of', { timeout: 150_000 }, () => {
  let world: LabWorld;
  let sampler: RunnerSampler | null = null;
  let source = 'node1';
  let target = 'node2';

  beforeAll(async () => {
    world = await openLabWorld({ name: 'offkills', nodes: 2 });
    await OfflineGuest.create(world, { vmid: MACHINE, node: source, dataMiB: 8 });
    await world.kedge.manageGuest({ node: parseNodeName(source), command: { verb: 'start', vmid: parseVmid(MACHINE) } });
    await world.createWitnessContainer({ vmid: CONTAINER, unprivileged: true, files: 2_000, mountPoints: 1 }, source);
  });
  afterAll(() => world.close());
  afterEach(() => {
    sampler?.close();
    sampler = null;
  });

  describe.each([
    { what: 'a virtual machine', vmid: MACHINE },
    { what: 'a container', vmid: CONTAINER },
  ])('components while $what moves:', ({ vmid }) => {
    let guest: OfflineGuest;
    beforeEach(async () => {
      guest = new OfflineGuest(world, vmid);
      await world.booted(vmid);
      await world.resetWitness(vmid);
      if (guest.record(source) !== 'owned') [source, target] = [target, source];
      if (vmid === MACHINE) sampler = new RunnerSampler(vmid, () => world.lab());
    });

    it.each(casesOf(vmid))('$killed in $step', async ({ step, components }) => {
      const ref = await world.migrate(vmid, target, { restart: true, shutdownTimeoutMs: 60_000, bandwidthLimit: 4 * MIB });
      await begun(step, { ref, guest });
      await Promise.all(components.map((component) => killComponent(world, component, { source, target })));
      const end = summaryOf(await world.ended(ref));
      // A step that had to be repeated may be worth a warning, not a failure.
      expect({ ...end, warnings: [] }).toEqual(MIGRATED);
      await world.booted(vmid);
      if (sampler !== null) expect(sampler.report()).toMatchObject({ doubles: [], unwatched: [], runningOn: [target] });
      expect([guest.record(source), guest.record(target)]).toEqual([expect.not.stringMatching('owned'), 'owned']);
      expect(await world.verdict(vmid, { allowedReboots: 1 })).toMatchObject({ diskIntact: true, doubleRunner: false, reasons: [] });
      expect(await world.leftovers()).toEqual([]);
    });
  });

  async function begun(step: Step, { ref, guest }: { ref: MigrationRef; guest: OfflineGuest }): Promise<void> {
    const until = (reached: () => boolean): Promise<void> => waitUntil(`the step ${step}`, reached, { timeoutMs: 60_000, pauseMs: 2 });
    switch (step) {
      case 'validate':
        return;
      case 'prepare':
        return until(() => guest.record(target) === 'incoming');
      case 'pre-sync':
        await world.watch(ref, 'bytes of the first pass', ({ phase, progress }) => phase === 'pre-sync' && (progress?.bytesSent ?? 0) > 0);
        return;
      case 'shutdown':
        return until(() => guest.wasToldToShutDown(source));
      case 'final-sync':
        return until(() => guest.record(source) === 'releasing');
      case 'verify':
        return until(() => guest.isPublished(target));
      case 'hand-over':
        return until(() => guest.record(source) === 'released');
      case 'start':
        return until(() => guest.record(target) === 'owned');
    }
  }
});
