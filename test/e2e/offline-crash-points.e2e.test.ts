import { existsSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { waitUntil } from '../../lab/processes.js';
import type { MigrationView } from '../../src/client/migration-view.js';
import type { CrashPoint } from '../../src/domain/crash-points.js';
import { openLabWorld, type LabWorld } from '../support/lab-world.js';
import { OFFLINE_CRASH_POINTS } from '../support/offline-crash-points.js';
import { RunnerSampler } from '../../lab/observe/runner-sampler.js';
import { MIGRATED, summaryOf } from '../support/summary-of.js';

const VMID = 103;
const MIB = 2 ** 20;

/** The last of them is passed only on the way back. */
const CANCELLED: readonly CrashPoint[] = ['target.discard-volumes'];
const otherThan = (node: string): string => (node === 'node1' ? 'node2' : 'node1');

describe('a node worker killed while a guest on local disks is moved', { timeout: 150_000 }, () => {
  let world: LabWorld;
  let sampler: RunnerSampler;
  beforeAll(async () => {
    world = await openLabWorld({ name: 'offcrash', nodes: 2 });
    await world.createWitness({ vmid: VMID, storage: 'local', disks: [64, 64], dirtyRate: MIB, workingSet: 16 * MIB }, 'node1');
  });
  afterAll(() => world.close());

  beforeEach(async () => {
    await world.resetWitness(VMID);
    sampler = new RunnerSampler(VMID, () => world.lab());
  });
  afterEach(() => {
    sampler.close();
  });

  it.each(OFFLINE_CRASH_POINTS)('after %s: the guest runs once, its disks whole, and can be moved again', async (point) => {
    const source = await runner();
    await world.booted(VMID);
    const target = otherThan(source);
    const victim = point.startsWith('source.') ? source : target;
    await world.break(victim, { kind: 'crash-at', point, moment: 'after' });
    const end = CANCELLED.includes(point) ? await cancelInHold(target) : await world.ended(await world.migrate(VMID, target, { restart: true }));
    expect(existsSync(world.inside(victim, `/run/kedge/crash/${point}`)), 'the point was passed').toBe(false);

    const home = await runner();
    expect(end.story?.outcome, JSON.stringify(summaryOf(end))).toBe(CANCELLED.includes(point) ? 'cancelled' : 'migrated');
    expect(home).toBe(CANCELLED.includes(point) ? source : target);
    expect(sampler.report()).toMatchObject({ doubles: [], unwatched: [] });
    expect(await world.leftovers(), JSON.stringify(summaryOf(end))).toEqual([]);
    await world.booted(VMID);
    expect((await world.verdict(VMID)).diskIntact).toBe(true);

    expect(summaryOf(await world.ended(await world.migrate(VMID, otherThan(home), { restart: true })))).toEqual(MIGRATED);
    expect(await runner()).toBe(otherThan(home));
    expect(sampler.report()).toMatchObject({ doubles: [], unwatched: [] });
  });

  async function cancelInHold(target: string): Promise<MigrationView> {
    const ref = await world.migrate(VMID, target, { restart: true, hold: true });
    await world.watch(ref, 'the hold', ({ phase }) => phase === 'holding');
    await world.kedge.cancelMigration(ref);
    return world.ended(ref);
  }

  async function runner(): Promise<string> {
    await waitUntil('one runner', () => sampler.report().runningOn.length === 1, { timeoutMs: 30_000 });
    return sampler.report().runningOn.join();
  }
});
