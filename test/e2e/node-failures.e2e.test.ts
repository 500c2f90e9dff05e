/** What breaks the node itself while a guest moves to or from it: its ports, its disk, its power, its certificates. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { nodeAddresses } from '../../lab/address-plan.js';
import { insideCommand } from '../../lab/exec.js';
import { machineOf } from '../../lab/lab-store.js';
import { processesInside, sendSignal, waitUntil } from '../../lab/processes.js';
import type { MigrationRef } from '../../src/client/migration-view.js';
import type { CrashMoment, CrashPoint } from '../../src/domain/crash-points.js';
import { parseNodeName } from '../../src/domain/ids.js';
import { createAuthority } from '../../src/drivers/pki/create-authority.js';
import { issueNodeCertificate } from '../../src/drivers/pki/issue-node-certificate.js';
import { openLabWorld, type LabWorld } from '../support/lab-world.js';
import { RunnerSampler } from '../../lab/observe/runner-sampler.js';
import { MIGRATED, summaryOf } from '../support/summary-of.js';

const VMID = 107;
const MIB = 2 ** 20;
const PERL = ['perl', '-MIO::Socket::INET', '-e'] as const;
/** Slow enough that the copy takes many seconds: whatever is done to it happens in the pre-copy. */
const SLOWLY = { bandwidthLimit: 8 * MIB };

describe('a migration whose node breaks', { timeout: 150_000 }, () => {
  let world: LabWorld;
  let sampler: RunnerSampler;
  let source = 'node1';
  let target = 'node2';
  let undo: (() => Promise<void> | void)[] = [];

  beforeAll(async () => {
    world = await openLabWorld({ name: 'nodes', nodes: 2 });
    await world.createWitness({ vmid: VMID, dirtyRate: MIB }, source);
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    await world.resetWitness(VMID);
    sampler = new RunnerSampler(VMID, () => world.lab());
    await waitUntil('the runner', () => sampler.report().runningOn.length === 1, { timeoutMs: 10_000 });
    source = sampler.report().runningOn.join();
    target = source === 'node1' ? 'node2' : 'node1';
  });
  afterEach(async () => {
    sampler.close();
    await undoAll();
    await world.heal();
  });

  it('by a target without a free port is refused before anything changes', async () => {
    const takePorts = await willTakePorts();
    await takePorts();
    const end = summaryOf(await world.ended(await world.migrate(VMID, target)));
    expect(end).toMatchObject({
      status: 'failed',
      outcome: null,
      failure: expect.stringMatching(/^migration-refused.*"port-unavailable".*ip_local_port_range/),
    });
    await expectUndisturbed();
    await undoAll();
    await expectMigrated(await world.migrate(VMID, target));
  });

  it('by a target whose ports are taken after the checks leaves the guest running where it was', async () => {
    const takePorts = await willTakePorts();
    const ref = await crashed(target, 'target.incoming-record', 'before');
    await takePorts();
    const end = summaryOf(await world.ended(ref));
    expect(end).toMatchObject({ status: 'failed', outcome: 'rolled-back', failure: expect.stringContaining('Address already in use') });
    await expectUndisturbed();
    await undoAll();
    await expectMigrated(await world.migrate(VMID, target));
  });

  it('by certificates of another authority on the target is refused before anything changes', async () => {
    const authority = mkdtempSync(join(tmpdir(), 'kedge-authority-'));
    undo.push(() => rmSync(authority, { recursive: true }));
    await createAuthority(authority, { cluster: 'other' });
    const pki = world.inside(target, '/etc/kedge/pki');
    await inside(target, 'cp', '-a', '/etc/kedge/pki', '/etc/kedge/pki.own');
    const node = target;
    undo.push(async () => {
      await inside(node, 'sh', '-c', 'rm -r /etc/kedge/pki && mv /etc/kedge/pki.own /etc/kedge/pki');
    });
    const { control, migration } = nodeAddresses(target);
    await issueNodeCertificate({ authority, node: parseNodeName(target), addresses: [control, migration], folder: pki });
    const end = summaryOf(await world.ended(await world.migrate(VMID, target)));
    expect(end).toMatchObject({ status: 'failed', outcome: null, failure: expect.stringMatching(/^migration-refused.*"other-cluster"/) });
    await expectUndisturbed();
  });

  it('by a target whose disk is full is refused before anything changes', async () => {
    await world.break(target, { kind: 'fill', leaveBytes: 0 });
    const end = summaryOf(await world.ended(await world.migrate(VMID, target)));
    expect(end).toMatchObject({ status: 'failed', outcome: null, failure: expect.stringMatching(/^migration-refused.*"disk-full"/) });
    await world.heal(target);
    await expectUndisturbed();
  });

  it('by a disk of the target that fills up while it is prepared runs on where it was, and is undone when there is space', async () => {
    const ref = await crashed(target, 'target.incoming-record', 'before');
    await world.break(target, { kind: 'fill', leaveBytes: 0 });
    const { story } = await world.watch(ref, 'the question', ({ phase }) => phase === 'needs-operator');
    expect(story?.question).toMatchObject({ code: 'no-space' });
    expect(sampler.report()).toMatchObject({ doubles: [], unwatched: [], runningOn: [source] });
    await world.heal(target);
    expect(await world.cli('migration', 'decide', String(VMID), 'retry')).toMatchObject({ code: 0 });
    expect(summaryOf(await world.ended(ref))).toMatchObject({ status: 'failed', outcome: 'rolled-back', failure: expect.stringContaining('no-space') });
    await expectUndisturbed();
  });

  it('by a disk of the target that fills up in the pre-copy is completed with the records that were written before', async () => {
    const ref = await copySlowly();
    await world.break(target, { kind: 'fill', leaveBytes: 0 });
    await waitUntil('the guest on the target', () => sampler.report().runningOn.join() === target, { timeoutMs: 100_000 });
    await world.heal(target);
    await expectMigrated(ref);
  });

  it('by a full disk on which a new worker of the target cannot write that it is armed gives up within seconds', async () => {
    const ref = await copySlowly();
    await world.restartWorker(target);
    await world.break(target, { kind: 'fill', leaveBytes: 0 });
    await waitUntil('the guest at the source again', () => sampler.report().spans.length === 2, { timeoutMs: 100_000 });
    expect(sampler.report()).toMatchObject({ doubles: [], unwatched: [], runningOn: [source] });
    expect(sampler.report().longestPauseMs).toBeLessThan(10_000);
    await world.heal(target);
    const end = summaryOf(await world.ended(ref));
    expect(end).toMatchObject({ status: 'failed', outcome: 'rolled-back' });
    await expectIntact();
  });

  it('by a power cut of the target in the pre-copy leaves the guest running where it was', async () => {
    const ref = await copySlowly();
    await cutPower(target);
    await expectStillRunning();
    await world.heal(target);
    const end = summaryOf(await world.ended(ref));
    expect(end).toMatchObject({ status: 'failed', outcome: 'rolled-back' });
    await expectUndisturbed();
  });

  it('by a power cut of the source in the pre-copy starts the guest from its disk where it was, and tells that its memory is lost', async () => {
    const ref = await copySlowly();
    await cutPower(source);
    await world.heal(source);
    const end = summaryOf(await world.ended(ref));
    expect(end).toMatchObject({ status: 'failed', outcome: 'guest-lost-memory' });
    await expectRestarted();
  });

  it.each<CrashPoint>(['source.releasing-record', 'source.released-record'])(
    'by a power cut of the source after %s lets the guest run once, and tells what was lost',
    async (point) => {
      const ref = await crashed(source, point, 'after');
      await cutPower(source);
      await world.heal(source);
      const end = summaryOf(await world.ended(ref));
      if (end.status === 'completed') return expectMoved();
      expect(end).toMatchObject({ outcome: 'guest-lost-memory' });
      await expectRestarted();
    },
  );

  async function undoAll(): Promise<void> {
    for (const step of undo.reverse()) await step();
    undo = [];
  }

  /**
   * What takes all ports that the target would choose from. By connections: they keep nobody from connecting elsewhere, so that only who
   * listens finds no port.
   */
  async function willTakePorts(): Promise<() => Promise<void>> {
    const range = '/proc/sys/net/ipv4/ip_local_port_range';
    const before = await inside(target, 'cat', range);
    const peer = nodeAddresses(source).migration;
    const [from, to] = [source, target];
    undo.push(async () => {
      // The listener first: its end resets the connections, which else would keep their ports for a while.
      for (const node of [from, to]) killPerls(node);
      await inside(to, 'sh', '-c', `echo ${before.trim()} > ${range}`);
    });
    await inside(to, 'sh', '-c', `echo 50000 50007 > ${range}`);
    start(from, ...PERL, `$it = IO::Socket::INET->new(Listen => 16, LocalAddr => "${peer}", LocalPort => 9999) or die; sleep`);
    await waitUntil('the listener', async () => (await inside(from, 'ss', '-ltnH')).includes(':9999 '), { timeoutMs: 10_000 });
    return async () => {
      start(to, ...PERL, `@all = map { IO::Socket::INET->new("${peer}:9999") or die } 1..8; sleep`);
      await waitUntil('the taken ports', async () => (await inside(to, 'ss', '-tnH')).split(':9999').length > 8, { timeoutMs: 10_000 });
    };
  }

  /** `nsenter` stays outside as the parent: the program itself is found inside. */
  function killPerls(node: string): void {
    const { init } = machineOf(world.lab(), node);
    for (const each of init === null ? [] : processesInside(init)) if (each.command.includes(PERL[1])) sendSignal(each, 'SIGKILL');
  }

  async function copySlowly(): Promise<MigrationRef> {
    const ref = await world.migrate(VMID, target, SLOWLY);
    await world.watch(ref, 'bytes sent', ({ progress }) => (progress?.bytesSent ?? 0) > 0);
    return ref;
  }

  /** A migration whose worker on `node` has just died at a crash point; its supervisor starts another one within a second. */
  async function crashed(node: string, point: CrashPoint, moment: CrashMoment): Promise<MigrationRef> {
    await world.break(node, { kind: 'crash-at', point, moment });
    const armed = world.inside(node, `/run/kedge/crash/${point}`);
    const ref = await world.migrate(VMID, target);
    await waitUntil('the crash', () => !existsSync(armed), { timeoutMs: 60_000, pauseMs: 2 });
    return ref;
  }

  function cutPower(node: string): Promise<void> {
    return world.break(node, { kind: 'power-off' });
  }

  async function expectStillRunning(): Promise<void> {
    // A time must pass: that the guest runs through it is what is tested.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(sampler.report()).toMatchObject({ doubles: [], unwatched: [], runningOn: [source] });
  }

  async function expectUndisturbed(): Promise<void> {
    expect(sampler.report()).toMatchObject({ doubles: [], unwatched: [], runningOn: [source] });
    expect(sampler.report().spans, 'never paused').toHaveLength(1);
    await expectIntact();
  }

  async function expectMigrated(ref: MigrationRef): Promise<void> {
    expect(summaryOf(await world.ended(ref))).toEqual(MIGRATED);
    await expectMoved();
  }

  async function expectMoved(): Promise<void> {
    expect(sampler.report()).toMatchObject({ doubles: [], unwatched: [], runningOn: [target] });
    await expectIntact(source);
  }

  async function expectIntact(empty = target): Promise<void> {
    expect(world.qemuPid(empty, VMID), `QEMU on ${empty}`).toBeNull();
    expect(await world.leftovers()).toEqual([]);
    expect((await world.verdict(VMID)).reasons).toEqual([]);
  }

  /** From its disk, at the source, once. */
  async function expectRestarted(): Promise<void> {
    await waitUntil('the guest again', () => sampler.report().runningOn.join() === source, { timeoutMs: 30_000 });
    expect(sampler.report()).toMatchObject({ doubles: [], unwatched: [] });
    expect(world.qemuPid(target, VMID)).toBeNull();
    await waitUntil('its ticks', async () => (await world.verdict(VMID, { allowedReboots: 1 })).ok, { timeoutMs: 60_000, pauseMs: 500 });
    expect(await world.leftovers()).toEqual([]);
  }

  function start(node: string, ...command: readonly string[]): ChildProcess {
    const [program, ...args] = insideCommand(machineOf(world.lab(), node), command);
    return spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  }

  async function inside(node: string, ...command: readonly string[]): Promise<string> {
    const child = start(node, ...command);
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (part: string) => (text += part));
    await once(child, 'close');
    if (child.exitCode !== 0) throw new Error(`Cannot run ${command.join(' ')} in ${node}`);
    return text;
  }
});
