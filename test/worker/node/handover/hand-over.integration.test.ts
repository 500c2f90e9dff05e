import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { CopyResult, PreparedTarget } from '../../../../activities/interface.js';
import { migrationIdOf, parseGeneration } from '../../../../src/domain/ids.js';
import { KedgeError } from '../../../../src/domain/kedge-error.js';
import { DEFAULT_MIGRATION_OPTIONS, type MigrationOptions } from '../../../../src/domain/migration.js';
import { createNodeService } from '../../../../worker/node/create-node-service.js';
import { findGuestProcess, lookAtGuest } from '../../../../worker/node/guests/look-at-guest.js';
import { setBandwidth } from '../../../../src/drivers/qemu/migration-commands.js';
import { parseGuestConfig } from '../../../../src/schema/guest-config.js';
import { launchGuest } from '../../../../worker/node/guests/launch-guest.js';
import { killQemu } from '../../../../src/drivers/qemu/kill-qemu.js';
import { LostContact } from '../../../../worker/node/handover/lost-contact.js';
import { recoverUntilSettled } from '../../../../worker/node/recovery/recover-guests.js';
import { NODE1, NODE2, startTwoNodes, STEP, VMID, type TwoNodes } from '../../../support/two-nodes.js';

const OPTIONS: MigrationOptions = { ...DEFAULT_MIGRATION_OPTIONS, type: 'insecure' };

let nodes: TwoNodes;
let sequence = 0;

beforeEach(async () => {
  sequence = 0;
  nodes = await startTwoNodes();
});

afterEach(async () => {
  await nodes.close();
});

function nextStep(): typeof STEP & { sequence: number } {
  sequence += 1;
  return { ...STEP, sequence };
}

async function prepare(): Promise<PreparedTarget> {
  const claim = await createNodeService(nodes.source).claimGuest({ step: nextStep(), target: NODE2 }, { attempt: 1 });
  return createNodeService(nodes.target).prepareTarget(
    { step: nextStep(), source: NODE1, config: claim.config, wanted: claim.wanted, runningMachine: null, sourceQemu: '7.2.22', options: OPTIONS },
    { attempt: 1 },
  );
}

async function copy(prepared: PreparedTarget, signal: AbortSignal = new AbortController().signal): Promise<CopyResult> {
  const call = { attempt: 1, signal, report: () => undefined };
  return createNodeService(nodes.source).copyAndSwitchOver({ step: nextStep(), target: NODE2, prepared, options: OPTIONS, deadline: null }, call);
}

/** What QEMU says on both nodes: never from records. */
async function states(): Promise<{ source: string; target: string }> {
  return { source: (await lookAtGuest(nodes.source, VMID)).view.qemu, target: (await lookAtGuest(nodes.target, VMID)).view.qemu };
}

describe('the hand-over between two nodes with real QEMU', () => {
  test('a guest runs on the target and never again on the source', async () => {
    const result = await copy(await prepare());
    expect(await states()).toEqual({ source: 'postmigrate', target: 'running' });
    expect(result.confirmed).toBe(true);
    await createNodeService(nodes.source).releaseSource({ step: nextStep(), target: NODE2 }, { attempt: 1 });
    expect(nodes.pids().source).toBeNull();
  });

  test('a lost answer to go is settled by asking again, and the guest runs once', async () => {
    const prepared = await prepare();
    nodes.cuts.set('go', 'lost-reply');
    const result = await copy(prepared);
    expect(result.confirmed).toBe(false);
    expect(await states()).toEqual({ source: 'postmigrate', target: 'running' });
  });

  test('a monitor that stays silent over attempts ends their repetition, and the guest is given back once it answers', async () => {
    const prepared = await prepare();
    const service = createNodeService({ ...nodes.source, lostContact: new LostContact(1_000) });
    const step = nextStep();
    const attempt = (number: number): Promise<CopyResult> =>
      service.copyAndSwitchOver(
        { step, target: NODE2, prepared, options: OPTIONS, deadline: null },
        { attempt: number, signal: new AbortController().signal, report: () => undefined },
      );
    const { source: pid } = nodes.pids();
    if (pid === null) throw new Error('The guest has no process');
    process.kill(pid, 'SIGSTOP');
    await expect(attempt(1)).rejects.toMatchObject({ code: 'qmp-timeout' });
    await expect(attempt(2)).rejects.toMatchObject({ code: 'outcome-unknown' });
    process.kill(pid, 'SIGCONT');
    await service.cancelStream({ step: nextStep(), target: NODE2 }, { attempt: 1 });
    expect((await states()).source).toBe('running');
  });

  test('a target that cannot be armed leaves the guest running on the source', async () => {
    const prepared = await prepare();
    nodes.cuts.set('arm', 'before');
    nodes.cuts.set('observe', 'before');
    nodes.cuts.set('revoke', 'before');
    await expect(copy(prepared)).rejects.toMatchObject({ code: 'rolled-back' });
    expect((await states()).source).toBe('running');
    nodes.cuts.clear();
    await recoverUntilSettled(nodes.target, VMID);
    expect(await states()).toEqual({ source: 'running', target: 'gone' });
  });

  test('a target that answers, but cannot write that it is armed, costs the guest a few seconds and no more', async () => {
    const prepared = await prepare();
    nodes.cuts.set('arm', 'before');
    const began = performance.now();
    await expect(copy(prepared)).rejects.toMatchObject({ code: 'rolled-back' });
    expect(performance.now() - began).toBeLessThan(15_000);
    expect((await states()).source).toBe('running');
    nodes.cuts.clear();
    await recoverUntilSettled(nodes.target, VMID);
    expect(await states()).toEqual({ source: 'running', target: 'gone' });
  });

  test('a target killed before the copy leaves the guest running on the source, and a roll-back leaves nothing behind', async () => {
    const prepared = await prepare();
    const process = findGuestProcess(nodes.target, VMID);
    if (process === null) throw new Error('Cannot find the incoming QEMU');
    await killQemu(process);
    await expect(copy(prepared)).rejects.toMatchObject({ code: 'stream-failed' });
    await createNodeService(nodes.target).revokeTarget({ step: nextStep(), source: NODE1 }, { attempt: 1 });
    await createNodeService(nodes.source).unclaimGuest({ step: nextStep(), target: NODE2 }, { attempt: 1 });
    expect(await states()).toEqual({ source: 'running', target: 'gone' });
    expect(await nodes.target.guestConfigs.list()).toEqual([]);
  });

  test('a cancelled copy leaves the guest running on the source', async () => {
    const prepared = await prepare();
    await expect(copy(prepared, AbortSignal.abort(new Error('cancelled')))).rejects.toThrow();
    await createNodeService(nodes.source).cancelStream({ step: nextStep(), target: NODE2 }, { attempt: 1 });
    expect(await states()).toEqual({ source: 'running', target: 'gone' });
  });

  test('a target whose worker died between its record and cont resumes the guest by itself', async () => {
    const prepared = await prepare();
    const target = nodes.target;
    nodes.cuts.set('go', 'before');
    nodes.cuts.set('observe', 'before');
    const copying = copy(prepared).catch((error: unknown) => error);
    await target.monitors
      .of(VMID)
      .then((qmp) => qmp.waitForEvent((event) => event.name === 'MIGRATION' && event.data['status'] === 'completed', { after: 0, timeoutMs: 20_000 }));
    // The source arms while the last pass is under way: the load may be complete before the record is there.
    const armed = await vi.waitFor(async () => {
      const view = await target.records.read(VMID);
      if (view.kind !== 'record' || view.record.state !== 'armed') throw new Error('Cannot find the armed record');
      return view;
    });
    const { vmid, kind, generation, wanted, bootId } = armed.record;
    // What a go leaves when the worker dies right after its rename.
    await target.records.write({ vmid, kind, generation, wanted, bootId, state: 'owned' });
    await nodes.restart('target');
    await recoverUntilSettled(nodes.target, VMID);
    nodes.cuts.clear();
    await copying;
    expect(await states()).toEqual({ source: 'postmigrate', target: 'running' });
  });

  test('a guest that QEMU pauses while no attempt follows its copy is handed over by its node alone', async () => {
    const prepared = await prepare();
    const leave = new AbortController();
    const qmp = await nodes.source.monitors.of(VMID);
    // Slow enough that the attempt ends before the copy does.
    const slow = { ...OPTIONS, bandwidthLimit: 2 ** 20 };
    const call = { attempt: 1, signal: leave.signal, report: () => undefined };
    const copying = createNodeService(nodes.source).copyAndSwitchOver({ step: nextStep(), target: NODE2, prepared, options: slow, deadline: null }, call);
    await qmp.waitForEvent((event) => event.name === 'MIGRATION' && event.data['status'] === 'active', { after: 0, timeoutMs: 20_000 });
    leave.abort(new KedgeError('worker-stopping', 'The worker ends'));
    await expect(copying).rejects.toMatchObject({ code: 'worker-stopping' });
    await setBandwidth(qmp, 0);
    await vi.waitFor(async () => expect((await states()).target).toBe('running'), { timeout: 30_000 });
    expect((await states()).source).not.toBe('running');
  });

  test('a target that falls silent at the pause costs the guest seconds, not minutes', async () => {
    const prepared = await prepare();
    nodes.cuts.set('arm', 'before');
    nodes.cuts.set('observe', 'before');
    nodes.cuts.set('revoke', 'before');
    nodes.cuts.set('hello', 'before');
    const began = performance.now();
    await expect(copy(prepared)).rejects.toMatchObject({ code: 'stream-failed' });
    expect((await states()).source).toBe('running');
    expect(performance.now() - began).toBeLessThan(20_000);
  });

  test('a target that freezes in the final pass never leaves two runners or none, whenever it freezes', async () => {
    const prepared = await prepare();
    const process_ = findGuestProcess(nodes.target, VMID);
    if (process_ === null) throw new Error('Cannot find the incoming QEMU');
    const qmp = await nodes.source.monitors.of(VMID);
    qmp.onEvent((event) => {
      if (event.name === 'MIGRATION' && event.data['status'] === 'device') process.kill(process_.pid, 'SIGSTOP');
    });
    const ended = await copy(prepared).then(
      () => 'handed over',
      (error: unknown) => (error instanceof KedgeError ? error.code : 'unexpected'),
    );
    process.kill(process_.pid, 'SIGCONT');
    // Frozen before its load was complete: torn off. Frozen after go was sent: nobody can know before it thaws.
    expect(['rolled-back', 'outcome-unknown', 'handed over']).toContain(ended);
    await createNodeService(nodes.source).settleMigration({ step: nextStep(), source: NODE1, target: NODE2, askedOn: 'source' }, { attempt: 1 });
    const { source, target } = await states();
    expect([source, target].filter((state) => state === 'running')).toHaveLength(1);
  });

  test('an undo that overtakes its claim burns the generation, and the next migration is not taken for a late attempt', async () => {
    const source = createNodeService(nodes.source);
    await source.unclaimGuest({ step: { ...STEP, sequence: 2 }, target: NODE2 }, { attempt: 1 });
    await expect(source.claimGuest({ step: { ...STEP, sequence: 1 }, target: NODE2 }, { attempt: 1 })).rejects.toMatchObject({ code: 'stale-claim' });
    const generation = parseGeneration(4);
    const next = { vmid: VMID, generation, migrationId: migrationIdOf(VMID, generation), sequence: 1 };
    await source.claimGuest({ step: next, target: NODE2 }, { attempt: 1 });
  });

  test('nothing is started or taken back before the cluster has registered this boot', async () => {
    await createNodeService(nodes.source).claimGuest({ step: nextStep(), target: NODE2 }, { attempt: 1 });
    const process_ = findGuestProcess(nodes.source, VMID);
    if (process_ === null) throw new Error('Cannot find the guest');
    await killQemu(process_);
    await nodes.restart('source', { rebooted: true });
    await expect(createNodeService(nodes.source).unclaimGuest({ step: nextStep(), target: NODE2 }, { attempt: 1 })).rejects.toMatchObject({
      code: 'outcome-unknown',
    });
    expect(nodes.pids().source).toBeNull();
    nodes.source.boot.confirmed = true;
    await createNodeService(nodes.source).unclaimGuest({ step: nextStep(), target: NODE2 }, { attempt: 1 });
    expect((await states()).source).toBe('running');
  });

  test('a start that was cut off before its cont is finished by the next worker', async () => {
    const process_ = findGuestProcess(nodes.source, VMID);
    if (process_ === null) throw new Error('Cannot find the guest');
    await killQemu(process_);
    const config = parseGuestConfig(await nodes.source.guestConfigs.read(VMID));
    await nodes.source.starts.begin(VMID);
    await launchGuest(nodes.source, VMID, { config, incoming: false });
    await nodes.restart('source');
    await recoverUntilSettled(nodes.source, VMID);
    expect((await states()).source).toBe('running');
  });
});
