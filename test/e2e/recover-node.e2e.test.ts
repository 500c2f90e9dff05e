/** A node of three loses its power, or is cut off: what is started elsewhere, what is not, and what happens when it is back. */
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RunnerSampler } from '../../lab/observe/runner-sampler.js';
import { waitUntil } from '../../lab/processes.js';
import { parseNodeName } from '../../src/domain/ids.js';
import type { RecoveryReport } from '../../src/domain/recovery.js';
import { ArmedCrashes, CRASH_SEED } from '../support/armed-crashes.js';
import { openLabWorld, type LabWorld } from '../support/lab-world.js';
import { OfflineGuest } from '../support/offline-guest.js';

/** On shared storage and running; off; on the disk of its node. */
const [RUNS, OFF, LOCAL] = [201, 202, 203] as const;
const MINUTE = 60_000;

describe(`when a node fails (seed ${CRASH_SEED})`, { timeout: 8 * MINUTE }, () => {
  let world: LabWorld;
  let samplers: readonly RunnerSampler[] = [];

  beforeAll(async () => {
    world = await openLabWorld({ name: 'recover', nodes: 3, fencing: true });
    await world.createWitness({ vmid: RUNS }, 'node2');
    await world.createWitness({ vmid: OFF }, 'node2');
    await world.createWitness({ vmid: LOCAL, storage: 'local' }, 'node2');
    expect((await world.cli('guest', 'stop', String(OFF))).code).toBe(0);
    samplers = [RUNS, OFF, LOCAL].map((vmid) => new RunnerSampler(vmid, () => world.lab()));
  });
  afterAll(async () => {
    for (const sampler of samplers) sampler.close();
    await world.close();
  });

  it('leaves a node alone that is cut off and answers by another way, for as long as it likes', async () => {
    await Promise.all([world.booted(RUNS), world.booted(LOCAL)]);
    const boot = bootId('node2');
    await world.break('node2', { kind: 'cut', network: 'control', direction: 'both', peer: null });
    const seen = await recovery('node2', ({ evidence }) => evidence.length > 1);
    expect(seen).toMatchObject({ phase: 'looking', question: null, proof: null, taken: [] });
    expect(seen.evidence.join('\n')).toMatch(/a connection to 10\.\S+ of node2/);
    await delay(20_000);
    expect(await world.kedge.readRecovery(parseNodeName('node2'))).toMatchObject({ phase: 'looking', proof: null, taken: [] });
    expect(bootId('node2')).toBe(boot);
    await world.heal('node2');
    await recovery('node2', ({ phase }) => phase === 'back');
    expect(await world.verdict(RUNS)).toMatchObject({ memoryIntact: true, diskIntact: true, doubleRunner: false, reboots: 0 });
    expect(await world.leftovers()).toEqual([]);
  });

  it('starts the guests that it can elsewhere once its power is surely off, although the workers of all die at each step, and tells of the others', async () => {
    await noted(RUNS, 'node2');
    await noted(OFF, 'node2');
    const crashes = new ArmedCrashes(world);
    crashes.arm(
      ['control'],
      ['control.start-recovery', 'control.look-at-cluster', 'control.fence-activity', 'control.fence-node', 'control.place-lost', 'control.void-guest'],
    );
    crashes.arm(['node1', 'node3'], ['node.list-lost-activity', 'node.take-over-lost-activity', 'node.lost-marker', 'node.lost-config', 'node.lost-record']);
    await world.break('node2', { kind: 'power-off' });
    const report = await recovery('node2', ({ taken }) => taken.length >= 2);
    await crashes.allStruck();
    expect(report.proof).toMatchObject({ basis: 'fenced' });
    expect(report.left).toEqual([{ vmid: LOCAL, reason: expect.stringContaining('needs a disk or a device of node2') }]);
    const to = takerOf(report, RUNS);
    await waitUntil(`guest ${RUNS} running at ${to}`, () => samplers[0]?.report().runningOn.includes(to) ?? false, { timeoutMs: MINUTE });
    await world.booted(RUNS);
    expect(await world.verdict(RUNS, { allowedReboots: 1 })).toMatchObject({ diskIntact: true, doubleRunner: false, reasons: [] });
    expect(world.qemuPid(takerOf(report, OFF), OFF)).toBeNull();

    const shown = await world.cli('node', 'recovery', 'node2');
    expect(shown.stdout).toMatch(/it is off, its guests are started elsewhere[^]*taken +201 by node[13]\n[^]*left +203/);
  });

  it('has the node clean up when it is back, and leaves it what nobody took', async () => {
    await world.heal('node2');
    for (const vmid of [RUNS, OFF])
      await waitUntil(`the void record of ${vmid}`, () => recordOf(vmid, 'node2') === 'revoked', { timeoutMs: MINUTE, pauseMs: 100 });
    await recovery('node2', ({ phase }) => phase === 'back');
    // Without onboot a guest stays off after a reboot of its node, as in PVE.
    expect([recordOf(LOCAL, 'node2'), (await world.cli('guest', 'start', String(LOCAL))).code]).toEqual(['owned', 0]);
    await world.booted(LOCAL);
    for (const vmid of [RUNS, OFF]) expect(existsSync(world.inside('node2', `/etc/kedge/qemu-server/${vmid}.conf`))).toBe(false);
    for (const sampler of samplers) expect(sampler.report()).toMatchObject({ doubles: [], unwatched: [] });
    expect(await world.verdict(RUNS, { allowedReboots: 1 })).toMatchObject({ diskIntact: true, doubleRunner: false, reasons: [] });
    expect(await world.leftovers()).toEqual([]);
    // It can be moved again, home included.
    expect((await world.ended(await world.migrate(RUNS, 'node2'))).story?.outcome).toBe('migrated');
    expect(await world.leftovers()).toEqual([]);
  });

  it('waits for the word of an operator where no device is configured', async () => {
    renameSync(world.inside('control', '/etc/kedge/fencing.yaml'), world.inside('control', '/etc/kedge/fencing.off'));
    await noted(RUNS, 'node2');
    const early = await world.cli('node', 'confirm-dead', 'node2', '--confirm', 'node2');
    expect([early.code, early.stderr]).toEqual([expect.any(Number), expect.stringMatching(/node-alive|heartbeats are heard/)]);
    await world.break('node2', { kind: 'power-off' });
    const asked = await recovery('node2', ({ question }) => question !== null);
    expect(asked.question).toContain('kedge node confirm-dead node2 --confirm node2');
    expect(samplers[0]?.report().runningOn).toEqual([]);
    expect((await world.cli('node', 'confirm-dead', 'node2')).code).toBe(2);
    expect((await world.cli('node', 'confirm-dead', 'node2', '--confirm', 'node2')).code).toBe(0);
    const report = await recovery('node2', ({ taken }) => taken.length >= 1);
    const to = takerOf(report, RUNS);
    await waitUntil(`guest ${RUNS} running at ${to}`, () => samplers[0]?.report().runningOn.includes(to) ?? false, { timeoutMs: MINUTE });
    await world.heal('node2');
    await recovery('node2', ({ phase }) => phase === 'back');
    await waitUntil('the void record', () => recordOf(RUNS, 'node2') === 'revoked', { timeoutMs: MINUTE, pauseMs: 100 });
    await world.booted(RUNS);
    for (const sampler of samplers) expect(sampler.report()).toMatchObject({ doubles: [] });
    expect(await world.verdict(RUNS, { allowedReboots: 2 })).toMatchObject({ diskIntact: true, doubleRunner: false, reasons: [] });
    expect(await world.leftovers()).toEqual([]);
  });

  const bootId = (node: string): string => readFileSync(world.inside(node, '/run/kedge/boot-id'), 'utf8');
  const takerOf = ({ taken }: RecoveryReport, vmid: number): string => taken.find((one) => one.vmid === vmid)?.to ?? 'nobody';

  /** Null while the node's power is off. */
  function recordOf(vmid: number, node: string): string | null {
    try {
      return new OfflineGuest(world, vmid).record(node);
    } catch {
      return null;
    }
  }

  /** Beside its disks stands by now that the node has the guest: its last change is older than the ten seconds in which that is brought up to date. */
  async function noted(vmid: number, node: string): Promise<void> {
    const generation = (): string => /"generation":(\d+)/.exec(readFileSync(world.inside(node, `/var/lib/kedge/records/${vmid}.json`), 'utf8'))?.[1] ?? '';
    await waitUntil(`the marker of ${vmid}`, () => existsSync(world.inside(node, `/mnt/shared/.kedge/${vmid}.${generation()}`)), {
      timeoutMs: MINUTE,
      pauseMs: 200,
    });
  }

  async function recovery(node: string, until: (report: RecoveryReport) => boolean): Promise<RecoveryReport> {
    const seen: RecoveryReport[] = [];
    const look = async (): Promise<boolean> => {
      const report = await world.kedge.readRecovery(parseNodeName(node)).catch(() => null);
      if (report !== null) seen.push(report);
      return report !== null && until(report);
    };
    // Each death costs some seconds, and a taker that died in the middle is told again at the next look.
    await waitUntil(`the recovery of ${node}`, look, { timeoutMs: 6 * MINUTE, pauseMs: 250 });
    const last = seen.at(-1);
    if (last === undefined) throw new Error(`There is no recovery of ${node}`);
    return last;
  }
});
