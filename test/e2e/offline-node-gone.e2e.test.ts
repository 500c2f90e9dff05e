/** A node is gone for long while a guest on local disks moves: longer than its steps are tried. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { waitUntil } from '../../lab/processes.js';
import type { MigrationRef } from '../../src/client/migration-view.js';
import { parseNodeName, parseVmid } from '../../src/domain/ids.js';
import { openLabWorld, type LabWorld } from '../support/lab-world.js';
import { OfflineGuest } from '../support/offline-guest.js';
import { RunnerSampler } from '../../lab/observe/runner-sampler.js';
import { summaryOf } from '../support/summary-of.js';

const VMID = 126;
const MIB = 2 ** 20;
/** Its second disk takes some seconds at this pace. */
const OPTIONS = { restart: true, presync: false, shutdownTimeoutMs: 30_000, bandwidthLimit: 4 * MIB } as const;
/** A step is given up after the same number of attempts as always, with shorter pauses. */
const TIMINGS = { retryLongestMs: 1_000, stepTimeoutMs: 20_000 } as const;
const SOURCE = 'node1';
const TARGET = 'node2';

const STEPS = ['prepare', 'final-sync', 'verify'] as const;
/** Another one each day; KEDGE_KILLS=all has all of them. */
const LOST_IN = STEPS.filter((_, index) => process.env['KEDGE_KILLS'] === 'all' || index === Math.floor(Date.now() / 86_400_000) % STEPS.length);

describe('a guest on local disks', { timeout: 240_000 }, () => {
  let world: LabWorld;
  let guest: OfflineGuest;
  let sampler: RunnerSampler;

  beforeAll(async () => {
    world = await openLabWorld({ name: 'offgone', nodes: 2 });
    guest = await OfflineGuest.create(world, { vmid: VMID, node: SOURCE, dataMiB: 16 });
    await world.kedge.manageGuest({ node: parseNodeName(SOURCE), command: { verb: 'start', vmid: parseVmid(VMID) } });
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    await world.booted(VMID);
    await world.resetWitness(VMID);
    sampler = new RunnerSampler(VMID, () => world.lab());
  });
  afterEach(() => {
    sampler.close();
  });

  it.each(LOST_IN)('whose target is lost in %s runs where it was before the target is back, which then has nothing of it', async (step) => {
    const ref = await begin();
    await begun(step, ref);
    await world.break(TARGET, { kind: 'power-off' });
    await world.watch(ref, 'the way back', ({ phase }) => phase === 'rolling-back' || phase === 'needs-operator');
    // Whoever was not shut down runs all the time, claimed until the target is heard of.
    const isBack = (): boolean => sampler.report().runningOn.join() === SOURCE && (step === 'prepare' || !guest.isClaimed(SOURCE));
    await waitUntil('the guest at its source', isBack, { timeoutMs: 60_000 });
    expect(guest.record(SOURCE)).toBe('owned');
    await world.heal(TARGET, '--power', 'on');
    expect(summaryOf(await world.ended(ref))).toMatchObject({ status: 'failed', outcome: 'rolled-back' });
    await expectAtSource();
  });

  it('whose source is lost in the last pass moves on when the source is back', async () => {
    const ref = await begin();
    await begun('final-sync', ref);
    await world.break(SOURCE, { kind: 'power-off' });
    await world.heal(SOURCE, '--power', 'on');
    expect(summaryOf(await world.ended(ref))).toMatchObject({ status: 'completed', outcome: 'migrated' });
    await world.booted(VMID);
    expect(sampler.report()).toMatchObject({ doubles: [], unwatched: [], runningOn: [TARGET] });
    expect(await world.verdict(VMID, { allowedReboots: 1 })).toMatchObject({ diskIntact: true, doubleRunner: false, reasons: [] });
    expect(await world.leftovers()).toEqual([]);
  });

  function begin(): Promise<MigrationRef> {
    return world.kedge.startMigration({ vmid: VMID, target: TARGET, options: OPTIONS, requestedBy: 'e2e', timings: TIMINGS });
  }

  async function begun(step: (typeof STEPS)[number], ref: MigrationRef): Promise<void> {
    const until = (reached: () => boolean): Promise<void> => waitUntil(`the step ${step}`, reached, { timeoutMs: 60_000, pauseMs: 2 });
    if (step === 'prepare') await until(() => guest.record(TARGET) === 'incoming');
    else if (step === 'verify') await until(() => guest.isPublished(TARGET));
    else await world.watch(ref, 'the last pass', ({ phase, progress }) => phase === 'final-sync' && (progress?.bytesSent ?? 0) > 0);
  }

  /** It runs there and nowhere else, once at every moment, with all that it has written. */
  async function expectAtSource(): Promise<void> {
    await world.booted(VMID);
    expect(sampler.report()).toMatchObject({ doubles: [], runningOn: [SOURCE] });
    expect([guest.record(SOURCE), guest.record(TARGET)]).toEqual(['owned', 'revoked']);
    expect(await world.verdict(VMID, { allowedReboots: 1 })).toMatchObject({ diskIntact: true, doubleRunner: false, reasons: [] });
    expect(await world.leftovers()).toEqual([]);
  }
});
