import { existsSync, readFileSync } from 'node:fs';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { waitUntil } from '../../lab/processes.js';
import { temporalProgram } from '../../lab/temporal-program.js';
import type { MigrationRef, MigrationView } from '../../src/client/migration-view.js';
import { parseVmid } from '../../src/domain/ids.js';
import { openLabWorld, type LabWorld } from '../support/lab-world.js';
import { RunnerSampler } from '../../lab/observe/runner-sampler.js';
import { MIGRATED, summaryOf } from '../support/summary-of.js';

const VMID = 105;
const MIB = 2 ** 20;
/** Slow enough that the copy takes many seconds: whatever is done to it happens in the pre-copy. */
const SLOWLY = { bandwidthLimit: 8 * MIB };

describe('a migration that is disturbed', { timeout: 150_000 }, () => {
  let world: LabWorld;
  let sampler: RunnerSampler;
  let source = 'node1';
  let target = 'node2';

  beforeAll(async () => {
    world = await openLabWorld({ name: 'fail', nodes: 2 });
    await world.createWitness({ vmid: VMID, dirtyRate: MIB }, source);
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    await world.resetWitness(VMID);
    sampler = new RunnerSampler(VMID, () => world.lab());
    await waitUntil('the runner', () => sampler.report().runningOn.length > 0, { timeoutMs: 10_000 });
  });
  afterEach(async () => {
    sampler.close();
    await world.heal();
  });

  it('by the death of the target QEMU in the pre-copy leaves the guest running where it was', async () => {
    const ref = await copySlowly();
    kill(target);
    expect(summaryOf(await world.ended(ref))).toMatchObject({ status: 'failed', outcome: 'rolled-back', failure: expect.stringContaining('rolled-back') });
    await expectUndisturbed();
  });

  it('by a short cut of the migration network goes on where it was', async () => {
    const ref = await copySlowly();
    await world.break(target, { kind: 'cut', network: 'migration', direction: 'both', peer: null });
    // A time must pass: that nothing happens in it is what is tested.
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    await world.heal(target);
    await expectMigrated(ref);
  });

  it('by slow networks goes on, and its guest stands still for the round trips of the hand-over', async () => {
    for (const network of ['control', 'migration'] as const) await world.break(target, { kind: 'delay', network, direction: 'both', delayMs: 40 });
    await expectMigrated(await world.migrate(VMID, target));
    // "Armed" is asked for and answered, then go is said: three ways of 40 ms, which no clock of the product measures here.
    expect(sampler.report().longestPauseMs).toBeGreaterThanOrEqual(120);
  });

  it('by a cut of the migration network that stays gives up, with the guest running where it was', async () => {
    const ref = await copySlowly();
    await world.break(target, { kind: 'cut', network: 'migration', direction: 'both', peer: null });
    expect(summaryOf(await world.ended(ref))).toMatchObject({ outcome: 'rolled-back', failure: expect.stringContaining('stream-stalled') });
    await world.heal(target);
    await expectUndisturbed();
  });

  it('by a cancel before the hand-over leaves the guest running where it was', async () => {
    const ref = await copySlowly();
    await world.kedge.cancelMigration(ref);
    const end = await world.ended(ref);
    expect(summaryOf(end)).toMatchObject({ outcome: 'cancelled', failure: expect.stringContaining('cancelled') });
    await expect(world.kedge.cancelMigration(ref)).rejects.toMatchObject({ code: 'not-found' });
    await expectUndisturbed();
  });

  it('by a cancel after the hand-over goes on, and the cancel is refused', async () => {
    const ref = await world.migrate(VMID, target);
    await waitUntil('the hand-over', () => recordState(target) === 'owned', { timeoutMs: 60_000, pauseMs: 2 });
    await world.break(source, { kind: 'stop', target: 'worker' });
    const cancel = expect(world.kedge.cancelMigration(ref)).rejects.toMatchObject({ code: 'cancel-refused' });
    await waitUntil('the guest on the target', () => sampler.report().runningOn.join() === target, { timeoutMs: 10_000 });
    await world.heal(source);
    await cancel;
    const end = summaryOf(await world.ended(ref));
    expect(end).toMatchObject({ status: 'completed', outcome: 'migrated' });
    await expectMoved();
  });

  it('by its timeout leaves the guest running where it was', async () => {
    const ref = await world.migrate(VMID, target, { ...SLOWLY, timeoutMs: 3_000 });
    expect(summaryOf(await world.ended(ref))).toMatchObject({ outcome: 'rolled-back', failure: expect.stringContaining('deadline-exceeded') });
    await expectUndisturbed();
  });

  it('by nothing, held until it is released, pauses the guest only then', async () => {
    const ref = await world.migrate(VMID, target, { hold: true });
    await world.watch(ref, 'the hold', ({ phase }) => phase === 'holding');
    expect(sampler.report().spans).toHaveLength(1);
    expect(await world.cli('migration', 'release', String(VMID))).toMatchObject({ code: 0 });
    await expectMigrated(ref);
  });

  it('by nothing, held until an instant, hands over by itself then', async () => {
    const until = Date.now() + 6_000;
    const ref = await world.migrate(VMID, target, { hold: true, holdUntil: new Date(until).toISOString() });
    await expectMigrated(ref);
    expect(sampler.report().spans[1]?.fromMs).toBeGreaterThan(until);
  });

  it('by the pause of its guest leaves it paused, on the target', async () => {
    expect(await world.cli('guest', 'pause', String(VMID))).toMatchObject({ code: 0 });
    expect(summaryOf(await world.ended(await world.migrate(VMID, target)))).toEqual(MIGRATED);
    expect(sampler.report()).toMatchObject({ runningOn: [], doubles: [], unwatched: [] });
    expect(sampler.report().spans).toHaveLength(1);
    await world.kedge.manageGuest({ node: nodeNamed(target), command: { verb: 'resume', vmid: parseVmid(VMID) } });
    await waitUntil('the guest on the target', () => sampler.report().runningOn.join() === target, { timeoutMs: 10_000 });
    await expectMoved();
  });

  it('started by Temporal alone, with the documented input, is a migration like any other', async () => {
    const output = await temporal(
      'workflow',
      'start',
      '--type',
      'migrateGuest',
      '--task-queue',
      'control',
      '--workflow-id',
      `migration-${VMID}`,
      '--input',
      JSON.stringify({ vmid: VMID, target, options: { online: true } }),
    );
    expect(output).toContain(`migration-${VMID}`);
    await expectMigrated((await world.kedge.showMigration(String(VMID))).ref);
  });

  it.each([
    [{ vmid: VMID }, 'target'],
    [{ vmid: 'all', target: 'node2' }, 'vmid'],
    [{ vmid: VMID, target: 'node2', options: { hold: 'yes' } }, 'hold'],
    ['nothing', 'input'],
  ])('started by Temporal alone with %j fails cleanly and names %s', async (input, field) => {
    const id = `migration-${VMID}`;
    const failed = temporal('workflow', 'execute', '--type', 'migrateGuest', '--task-queue', 'control', '--workflow-id', id, '--input', JSON.stringify(input));
    await expect(failed).rejects.toMatchObject({ stdout: expect.stringContaining(field) });
    await expectUndisturbed();
  });

  it('by its guest, which switches itself off, ends with the guest off where it was', async () => {
    const ref = await copySlowly();
    await world.askGuest(VMID, 'poweroff');
    expect((await world.ended(ref)).status).toBe('failed');
    expect(sampler.report()).toMatchObject({ doubles: [], unwatched: [], runningOn: [] });
    expect([world.qemuPid(source, VMID), world.qemuPid(target, VMID)]).toEqual([null, null]);
    expect(await world.leftovers()).toEqual([]);
    await world.kedge.manageGuest({ node: nodeNamed(source), command: { verb: 'start', vmid: parseVmid(VMID) } });
    await waitUntil('its ticks', async () => (await world.verdict(VMID, { allowedReboots: 1 })).ok, { timeoutMs: 60_000, pauseMs: 500 });
  });

  it('by the death of its own QEMU in the pre-copy starts the guest from its disk where it was, and tells that its memory is lost', async () => {
    const ref = await copySlowly();
    kill(source);
    const end = summaryOf(await world.ended(ref));
    expect(end).toMatchObject({ status: 'failed', outcome: 'guest-lost-memory', failure: expect.stringContaining('lost its memory') });
    expect(world.qemuPid(target, VMID)).toBeNull();
    await waitUntil('the guest again', () => sampler.report().runningOn.join() === source, { timeoutMs: 30_000 });
    expect(sampler.report()).toMatchObject({ doubles: [], unwatched: [] });
    await waitUntil('its ticks', async () => (await world.verdict(VMID, { allowedReboots: 1 })).ok, { timeoutMs: 60_000, pauseMs: 500 });
    expect(await world.leftovers()).toEqual([]);
  });

  async function copySlowly(): Promise<MigrationRef> {
    const ref = await world.migrate(VMID, target, SLOWLY);
    await world.watch(ref, 'bytes sent', ({ progress }: MigrationView) => (progress?.bytesSent ?? 0) > 0);
    return ref;
  }

  function kill(node: string): void {
    const pid = world.qemuPid(node, VMID);
    if (pid === null) throw new Error(`Cannot kill the QEMU on ${node}: there is none`);
    process.kill(pid, 'SIGKILL');
  }

  function recordState(node: string): unknown {
    const file = world.inside(node, `/var/lib/kedge/records/${VMID}.json`);
    return existsSync(file) ? /"state": ?"(\w+)"/.exec(readFileSync(file, 'utf8'))?.[1] : undefined;
  }

  function nodeNamed(name: string) {
    const found = world.kedge.nodes.find((node) => node === name);
    if (found === undefined) throw new Error(`Cannot find ${name}`);
    return found;
  }

  /** The guest ran all the time where it was, and nothing of the attempt is left. */
  async function expectUndisturbed(): Promise<void> {
    expect(sampler.report()).toMatchObject({ doubles: [], unwatched: [], runningOn: [source] });
    expect(sampler.report().spans, 'never paused').toHaveLength(1);
    await expectIntact();
  }

  async function expectMigrated(ref: MigrationRef): Promise<void> {
    expect(summaryOf(await world.ended(ref))).toEqual(MIGRATED);
    expect(
      sampler.migrationStatuses(source).filter((status) => status === 'setup'),
      'streams',
    ).toHaveLength(1);
    await expectMoved();
  }

  async function expectMoved(): Promise<void> {
    expect(sampler.report()).toMatchObject({ doubles: [], unwatched: [], runningOn: [target] });
    [source, target] = [target, source];
    await expectIntact();
  }

  async function expectIntact(): Promise<void> {
    expect(world.qemuPid(target, VMID), `QEMU on ${target}`).toBeNull();
    expect(await world.leftovers()).toEqual([]);
    expect((await world.verdict(VMID)).reasons).toEqual([]);
  }

  async function temporal(...words: readonly string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(temporalProgram(), [...words, '--address', world.lab().temporal.hostAddress]);
    return stdout;
  }
});
