import { closeSync, openSync, writeSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { waitUntil } from '../../lab/processes.js';
import type { MigrationRef, MigrationView } from '../../src/client/migration-view.js';
import { parseNodeName, parseVmid } from '../../src/domain/ids.js';
import type { MigrationOptions } from '../../src/domain/migration.js';
import { busyBootSector } from '../support/busy-boot-sector.js';
import { openLabWorld, type LabWorld } from '../support/lab-world.js';
import { assertSameDisks, killPrograms, OfflineGuest } from '../support/offline-guest.js';
import { RunnerSampler } from '../../lab/observe/runner-sampler.js';
import { MIGRATED, summaryOf } from '../support/summary-of.js';

const VMID = 120;
const DEAF = 121;
const MIB = 2 ** 20;
const RESTART = { restart: true, shutdownTimeoutMs: 30_000 } as const;
/** Its second disk takes some seconds at this pace. */
const SLOWLY = { ...RESTART, bandwidthLimit: 6 * MIB } as const;
const otherThan = (node: string): string => (node === 'node1' ? 'node2' : 'node1');

describe('a guest on local disks', { timeout: 150_000 }, () => {
  let world: LabWorld;
  let guest: OfflineGuest;
  let home = 'node1';
  let sampler: RunnerSampler | null = null;

  beforeAll(async () => {
    world = await openLabWorld({ name: 'offline', nodes: 2 });
    guest = await OfflineGuest.create(world, { vmid: VMID, node: home, dataMiB: 16 });
  });
  afterAll(() => world.close());
  afterEach(() => {
    sampler?.close();
    sampler = null;
  });

  it('that is off moves there and back with its snapshots, equal to the last byte, and stays off', async () => {
    for (const target of ['node2', 'node1']) {
      const disks = guest.disks(home);
      // On the way back it meets the disks that were kept on the way out.
      const warnings = target === 'node2' ? [] : disks.map((): unknown => expect.stringContaining('gets the next free number'));
      expect(summaryOf(await world.ended(await world.migrate(VMID, target, { keepSource: true })))).toEqual({ ...MIGRATED, warnings });
      await assertSameDisks(disks, guest.disks(target));
      home = target;
    }
    expect(world.qemuPid(home, VMID)).toBeNull();
    expect(await world.leftovers()).toEqual([]);
  });

  it('is refused to move while it runs, with the reason and both ways out', async () => {
    await world.kedge.manageGuest({ node: parseNodeName(home), command: { verb: 'start', vmid: parseVmid(VMID) } });
    await world.booted(VMID);
    const { failure, status } = summaryOf(await world.ended(await world.migrate(VMID, otherThan(home))));
    expect([status, failure]).toEqual(['failed', expect.stringMatching(/"storage-not-shared".*--restart/)]);
  });

  it('that runs is shut down, moved and started again, with everything that it has written', async () => {
    const end = await world.ended(await begin(RESTART));
    await expectMoved(end);
    expect(end.story?.downtimeMs).toBeGreaterThan(0);
    expect(end.story?.rounds.length).toBeGreaterThanOrEqual(2);
  });

  it('is copied and held, runs until it is released, and moves then', async () => {
    const ref = await begin({ ...RESTART, hold: true });
    await world.watch(ref, 'the hold', ({ phase }) => phase === 'holding');
    expect(sampler?.report()).toMatchObject({ runningOn: [home] });
    expect(sampler?.report().spans).toHaveLength(1);
    await world.kedge.releaseMigration(ref);
    await expectMoved(await world.ended(ref));
  });

  it('whose rsync is killed on either side is copied on, and moves', async () => {
    const ref = await begin(SLOWLY);
    await world.watch(ref, 'the first pass', ({ phase, progress }) => phase === 'pre-sync' && (progress?.bytesSent ?? 0) > 0);
    await killPrograms(world, home, 'rsync');
    await killPrograms(world, otherThan(home), 'rsync');
    await expectMoved(await world.ended(ref));
  });

  it('whose target loses its sshd, with every connection, is copied on, and moves', async () => {
    const ref = await begin(SLOWLY);
    await world.watch(ref, 'the first pass', ({ phase, progress }) => phase === 'pre-sync' && (progress?.bytesSent ?? 0) > 0);
    await killPrograms(world, otherThan(home), 'sshd');
    await expectMoved(await world.ended(ref));
  });

  it('whose link is cut for a while in the first pass is copied on, and moves', async () => {
    const ref = await begin(SLOWLY);
    await world.watch(ref, 'the first pass', ({ phase, progress }) => phase === 'pre-sync' && (progress?.bytesSent ?? 0) > 0);
    await world.break(otherThan(home), { kind: 'cut', network: 'migration', direction: 'both', peer: null });
    // A time must pass: that the copy outlives it is what is tested.
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    await world.heal();
    await expectMoved(await world.ended(ref));
  });

  it('whose target loses its power in the last pass is copied on when it is back, and moves', async () => {
    const ref = await begin({ ...SLOWLY, presync: false });
    await world.watch(ref, 'the last pass', ({ phase, progress }) => phase === 'final-sync' && (progress?.bytesSent ?? 0) > 0);
    await world.break(otherThan(home), { kind: 'power-off' });
    await world.heal(otherThan(home), '--power', 'on');
    await expectMoved(await world.ended(ref));
  });

  it.each(['pre-sync', 'shutdown', 'final-sync'] as const)('that is cancelled in %s runs where it was', async (phase) => {
    const ref = await begin({ ...SLOWLY, presync: phase !== 'final-sync' });
    await (phase === 'shutdown'
      ? waitUntil('the word to shut down', () => guest.wasToldToShutDown(home), { timeoutMs: 60_000, pauseMs: 2 })
      : world.watch(ref, phase, (view) => view.phase === phase && (view.progress?.bytesSent ?? 0) > 0));
    await world.kedge.cancelMigration(ref);
    expect(summaryOf(await world.ended(ref))).toMatchObject({ status: 'failed', outcome: 'cancelled' });
    await expectAt(home);
  });

  it('that obeys only when its time is over is started again where it was', async () => {
    const ref = await begin({ ...RESTART, shutdownTimeoutMs: 1 });
    expect((await world.ended(ref)).failure?.code).toBe('shutdown-timeout');
    await waitUntil('its second start', () => sampler?.report().spans.length === 2, { timeoutMs: 60_000 });
    await expectAt(home);
    expect(guest.wasToldToShutDown(home)).toBe(false);
  });

  it('that never obeys runs on, or is stopped where that was asked for', async () => {
    const config = `name: deaf\nmemory: 64\nmachine: pc-q35-7.2\nvirtio0: local:${DEAF}/vm-${DEAF}-disk-0.raw,size=8M\n`;
    const vmid = parseVmid(DEAF);
    await world.kedge.manageGuest({ node: parseNodeName('node1'), command: { verb: 'create', vmid, config } });
    const disk = openSync(world.inside('node1', `/var/lib/kedge/images/images/${DEAF}/vm-${DEAF}-disk-0.raw`), 'r+');
    writeSync(disk, busyBootSector({ dirtyBytes: MIB }));
    closeSync(disk);
    await world.kedge.manageGuest({ node: parseNodeName('node1'), command: { verb: 'start', vmid } });
    const pid = world.qemuPid('node1', DEAF);
    const refused = await world.ended(await world.migrate(DEAF, 'node2', { restart: true, shutdownTimeoutMs: 1_000 }));
    expect([refused.failure?.code, world.qemuPid('node1', DEAF)]).toEqual(['shutdown-timeout', pid]);
    const moved = await world.ended(await world.migrate(DEAF, 'node2', { restart: true, shutdownTimeoutMs: 1_000, onShutdownTimeout: 'stop' }));
    expect(summaryOf(moved)).toEqual(MIGRATED);
    expect([world.qemuPid('node1', DEAF), world.qemuPid('node2', DEAF) === null]).toEqual([null, false]);
    expect(await world.leftovers()).toEqual([]);
  });

  async function begin(options: Partial<MigrationOptions>): Promise<MigrationRef> {
    await world.resetWitness(VMID);
    await world.booted(VMID);
    sampler = new RunnerSampler(VMID, () => world.lab());
    return world.migrate(VMID, otherThan(home), options);
  }

  async function expectMoved(end: MigrationView): Promise<void> {
    expect(summaryOf(end)).toEqual(MIGRATED);
    home = otherThan(home);
    await expectAt(home);
  }

  /** It runs there and nowhere else, once at every moment, and its journal is whole over all of its boots. */
  async function expectAt(node: string): Promise<void> {
    await waitUntil(`the guest on ${node}`, () => sampler?.report().runningOn.join() === node, { timeoutMs: 60_000 });
    expect(sampler?.report()).toMatchObject({ doubles: [], unwatched: [] });
    await world.booted(VMID);
    expect((await world.verdict(VMID, { allowedReboots: 1 })).reasons).toEqual([]);
    expect(world.qemuPid(otherThan(node), VMID)).toBeNull();
    expect(await world.leftovers()).toEqual([]);
  }
});
