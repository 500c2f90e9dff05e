import { existsSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { waitUntil } from '../../lab/processes.js';
import type { MigrationView } from '../../src/client/migration-view.js';
import type { CrashMoment, CrashPoint } from '../../src/domain/crash-points.js';
import { openLabWorld, type LabWorld } from '../support/lab-world.js';
import { RunnerSampler } from '../../lab/observe/runner-sampler.js';
import { MIGRATED, summaryOf } from '../support/summary-of.js';

const VMID = 102;
const MIB = 2 ** 20;

/**
 * How a migration comes past a point: by itself; by itself, with a slow stream; when it is cancelled in the copy; or when the target is lost within the
 * switchover (its worker dies before `armed`, its QEMU with it), so that the source has to take the guest back.
 */
type Way = 'forward' | 'slowly' | 'cancelled' | 'target-lost';
const WAYS: Readonly<Partial<Record<CrashPoint, Way>>> = {
  // A fast stream makes the rest so small that QEMU finishes by itself.
  'source.downtime-raised': 'slowly',
  'source.take-back-record': 'cancelled',
  'source.cont': 'target-lost',
  'target.revoked-record': 'cancelled',
};

/**
 * `lost-reply` is where an answer is a message of its own; elsewhere it is the same place as `after`. Alone, `after` is the
 * harder moment: something has happened that nobody knows of. KEDGE_CRASH_MOMENTS=all adds `before`.
 */
function momentsOf(point: CrashPoint): readonly CrashMoment[] {
  if (point === 'target.go-answer') return ['lost-reply'];
  return process.env['KEDGE_CRASH_MOMENTS'] === 'all' ? ['before', 'after'] : ['after'];
}

/** Places inside the switchover, where the in-doubt table may take the guest back; before and after them a migration goes on. */
const IN_DOUBT: readonly CrashPoint[] = [
  'source.releasing-record',
  'source.continue',
  'source.completed-seen',
  'source.released-record',
  'target.armed-record',
];

function outcomesOf({ point, way }: Case): readonly string[] {
  if (way === 'cancelled') return ['cancelled'];
  if (way === 'target-lost' || IN_DOUBT.includes(point)) return ['migrated', 'rolled-back'];
  return ['migrated'];
}

const otherThan = (node: string): string => (node === 'node1' ? 'node2' : 'node1');

interface Case {
  readonly point: CrashPoint;
  readonly moment: CrashMoment;
  readonly way: Way;
}

/**
 * Those where it is decided who runs the guest: each alone, and not among others as in crash-rounds.e2e.test.ts, which comes past all points.
 */
const POINTS = [
  'source.claim-record',
  'source.downtime-raised',
  'source.releasing-record',
  'source.continue',
  'source.completed-seen',
  'source.released-record',
  'source.go-message',
  'source.take-back-record',
  'source.cont',
  'target.armed-record',
  'target.owned-record',
  'target.go-answer',
  'target.revoked-record',
] as const satisfies readonly CrashPoint[];
const CASES = POINTS.flatMap((point) => momentsOf(point).map((moment): Case => ({ point, moment, way: WAYS[point] ?? 'forward' })));

describe('a node worker killed at each crash point of a hand-over', () => {
  let world: LabWorld;
  let sampler: RunnerSampler;
  beforeAll(async () => {
    world = await openLabWorld({ name: 'crash', nodes: 2 });
    await world.createWitness({ vmid: VMID }, 'node1');
  });
  afterAll(() => world.close());

  beforeEach(async () => {
    await world.resetWitness(VMID);
    sampler = new RunnerSampler(VMID, () => world.lab());
  });
  afterEach(() => {
    sampler.close();
  });

  // Each moves the guest that the one before has left: that it can be moved again needs no further migration.
  it.each(CASES)('$point, $moment ($way): the guest runs once, and whole', async ({ point, moment, way }) => {
    const source = await runner();
    const target = otherThan(source);
    const victim = point.startsWith('source.') ? source : target;
    await world.break(victim, { kind: 'crash-at', point, moment });
    const end = await runMigration({ source, target, way });
    expect(existsSync(world.inside(victim, `/run/kedge/crash/${point}`)), 'the point was passed').toBe(false);

    expect(sampler.report()).toMatchObject({ doubles: [], unwatched: [] });
    expect(outcomesOf({ point, moment, way }), JSON.stringify(summaryOf(end))).toContain(end.story?.outcome);
    const home = await runner();
    expect(home).toBe(end.status === 'completed' ? target : source);
    expect(await world.leftovers(), JSON.stringify(summaryOf(end))).toEqual([]);
    expect((await world.verdict(VMID)).reasons, JSON.stringify(summaryOf(end))).toEqual([]);
  });

  it('the guest is moved as ever after all of them', async () => {
    const target = otherThan(await runner());
    expect(summaryOf(await world.ended(await world.migrate(VMID, target)))).toEqual(MIGRATED);
    expect(sampler.report()).toMatchObject({ doubles: [], unwatched: [], runningOn: [target] });
  });

  /** The node that runs the guest; local recovery may need a moment to let it run. */
  async function runner(): Promise<string> {
    await waitUntil('one runner', () => sampler.report().runningOn.length === 1, { timeoutMs: 20_000 });
    return sampler.report().runningOn.join();
  }

  async function runMigration({ source, target, way }: { source: string; target: string; way: Way }): Promise<MigrationView> {
    switch (way) {
      case 'forward':
        return world.ended(await world.migrate(VMID, target));
      case 'slowly':
        return world.ended(await world.migrate(VMID, target, { bandwidthLimit: 24 * MIB }));
      case 'cancelled': {
        const ref = await world.migrate(VMID, target, { bandwidthLimit: 4 * MIB });
        await world.watch(ref, 'bytes sent', ({ progress }) => (progress?.bytesSent ?? 0) > 0);
        await world.kedge.cancelMigration(ref);
        return world.ended(ref);
      }
      case 'target-lost': {
        await world.break(target, { kind: 'crash-at', point: 'target.armed-record', moment: 'before' });
        const ref = await world.migrate(VMID, target);
        await waitUntil('the end of the final pass', () => sampler.migrationStatuses(source).includes('completed'), { timeoutMs: 60_000, pauseMs: 5 });
        const pid = world.qemuPid(target, VMID);
        if (pid !== null) process.kill(pid, 'SIGKILL');
        return world.ended(ref);
      }
    }
  }
});
