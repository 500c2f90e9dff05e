/** A node is emptied and gets its guests back: each kind of guest, in its own way, while the control worker and the Temporal server die. */
import { appendFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labFolder } from '../../lab/lab-folder.js';
import { waitUntil } from '../../lab/processes.js';
import { parseNodeName } from '../../src/domain/ids.js';
import { ArmedCrashes, CRASH_SEED } from '../support/armed-crashes.js';
import { openLabWorld, type LabWorld } from '../support/lab-world.js';
import { OfflineGuest } from '../support/offline-guest.js';
import { RunnerSampler } from '../../lab/observe/runner-sampler.js';

/** On shared storage; these move while they run. */
const LIVE = [181, 182, 183];
/** With a disk of the node, on and off. */
const [LOCAL, OFF] = [184, 185] as const;
const CONTAINERS = [186, 187];
/** On shared storage, off. */
const OFF_SHARED = 188;
const GUESTS = [...LIVE, LOCAL, OFF, ...CONTAINERS, OFF_SHARED];
const RUNNING = [...LIVE, LOCAL, ...CONTAINERS];
const NODE = 'node2';
const MIB = 2 ** 20;

describe(`a node of four with eight guests of all kinds (seed ${CRASH_SEED})`, { timeout: 480_000 }, () => {
  let world: LabWorld;
  let samplers: readonly RunnerSampler[] = [];

  beforeAll(async () => {
    world = await openLabWorld({ name: 'drain', nodes: 4 });
    // Read anew for each plan: no restart is needed. The second one is that of the command line, for its dry run.
    for (const file of [world.inside('control', '/etc/kedge/kedge.yaml'), labFolder(world.lab().name).configFile])
      appendFileSync(file, 'placement:\n  whenNotLive: offline\n');
    const small = { dirtyRate: 2 * MIB, workingSet: 16 * MIB, disks: [32] };
    for (const vmid of LIVE) await world.createWitness({ ...small, vmid }, NODE);
    for (const vmid of [LOCAL, OFF]) await world.createWitness({ ...small, vmid, storage: 'local' }, NODE);
    await world.createWitness({ ...small, vmid: OFF_SHARED }, NODE);
    for (const vmid of CONTAINERS) await world.createWitnessContainer({ vmid, unprivileged: vmid === CONTAINERS[1], files: 100 }, NODE);
    for (const vmid of [OFF, OFF_SHARED]) expect((await world.cli('guest', 'stop', String(vmid))).code).toBe(0);
    samplers = [...LIVE, LOCAL, OFF, OFF_SHARED].map((vmid) => new RunnerSampler(vmid, () => world.lab()));
  });
  afterAll(async () => {
    for (const sampler of samplers) sampler.close();
    await world.close();
  });

  it('is drained to its end although the control worker is killed three times in the middle, and is then empty and takes no guest', async () => {
    const before = await world.cli('node', 'drain', NODE, '--dry-run');
    expect(before).toMatchObject({ code: 0, stderr: '' });
    const drain = world.cli('node', 'drain', NODE);
    await waitUntil('the first guest on its way', () => guestsOf(NODE).length < GUESTS.length || isClaimed(), { timeoutMs: 60_000, pauseMs: 5 });
    for (const left of [8, 6, 3]) {
      await waitUntil(`${left} guests left`, () => guestsOf(NODE).length <= left, { timeoutMs: 120_000, pauseMs: 5 });
      await world.break('control', { kind: 'kill', target: 'control' });
    }
    const end = await drain;
    expect(end, end.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('Drain of node2 done') });
    expect(before.stdout).toContain('live');
    expect([guestsOf(NODE), ['node1', 'node3', 'node4'].flatMap(guestsOf).toSorted()]).toEqual([[], GUESTS]);
    expect(await world.kedge.nodeStatus(parseNodeName(NODE))).toMatchObject({ cordoned: true });
    await expectWhole(1);
  });

  it('gets them all back, and takes guests again, although the control worker dies at each of its steps, and the server with every other', async () => {
    const crashes = new ArmedCrashes(world);
    crashes.arm(['control'], ['control.cordon-node', 'control.plan-drain', 'control.request-slot', 'control.change-away', 'control.release-slot']);
    const end = await world.cli('node', 'undrain', NODE);
    expect(end, end.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('Undrain of node2 done') });
    await crashes.allStruck();
    expect(guestsOf(NODE)).toEqual(GUESTS);
    const status = await world.kedge.nodeStatus(parseNodeName(NODE));
    expect([status.cordoned, status.away ?? []]).toEqual([false, []]);
    await expectWhole(2);
  });

  const isClaimed = (): boolean => GUESTS.some((vmid) => new OfflineGuest(world, vmid).isClaimed(NODE));

  /** By the records on its disk. */
  function guestsOf(node: string): number[] {
    return GUESTS.filter((vmid) => new OfflineGuest(world, vmid).record(node) === 'owned');
  }

  async function expectWhole(allowedReboots: number): Promise<void> {
    for (const vmid of RUNNING) {
      await world.booted(vmid);
      const verdict = await world.verdict(vmid, { allowedReboots: LIVE.includes(vmid) ? 0 : allowedReboots });
      expect(verdict, `guest ${vmid}`).toMatchObject({ diskIntact: true, doubleRunner: false, reasons: [] });
    }
    for (const sampler of samplers) expect(sampler.report()).toMatchObject({ doubles: [], unwatched: [] });
    expect(await world.leftovers()).toEqual([]);
  }
});
