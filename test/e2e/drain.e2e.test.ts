/** A node is emptied and gets its guests back: each kind of guest, in its own way, while the control worker dies. */
import { appendFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labFolder } from '../../lab/lab-folder.js';
import { waitUntil } from '../../lab/processes.js';
import { parseNodeName } from '../../src/domain/ids.js';
import { openLabWorld, type LabWorld } from '../support/lab-world.js';
import { OfflineGuest } from '../support/offline-guest.js';
import { RunnerSampler } from '../../lab/observe/runner-sampler.js';

const LIVE = 181;
const LOCAL = 182;
const CONTAINER = 183;
const GUESTS = [LIVE, LOCAL, CONTAINER];
const NODE = 'node2';

describe('a node with a guest of each kind', { timeout: 240_000 }, () => {
  let world: LabWorld;
  let samplers: readonly RunnerSampler[] = [];

  beforeAll(async () => {
    world = await openLabWorld({ name: 'drain', nodes: 3 });
    // Read anew for each plan: no restart is needed. The second one is that of the command line, for its dry run.
    for (const file of [world.inside('control', '/etc/kedge/kedge.yaml'), labFolder(world.lab().name).configFile])
      appendFileSync(file, 'placement:\n  whenNotLive: offline\n');
    await world.createWitness({ vmid: LIVE }, NODE);
    await world.createWitness({ vmid: LOCAL, storage: 'local', disks: [32], dirtyRate: 2 ** 20, workingSet: 16 * 2 ** 20 }, NODE);
    await world.createWitnessContainer({ vmid: CONTAINER }, NODE);
    samplers = [LIVE, LOCAL].map((vmid) => new RunnerSampler(vmid, () => world.lab()));
  });
  afterAll(async () => {
    for (const sampler of samplers) sampler.close();
    await world.close();
  });

  it('is drained to its end although the control worker is killed in the middle, and is then empty and takes no guest', async () => {
    const before = await world.cli('node', 'drain', NODE, '--dry-run');
    expect(before).toMatchObject({ code: 0, stderr: '' });
    const drain = world.cli('node', 'drain', NODE);
    await waitUntil('the first guest on its way', () => guestsOf(NODE).length < GUESTS.length || isClaimed(), { timeoutMs: 60_000, pauseMs: 5 });
    await world.break('control', { kind: 'kill', target: 'control' });
    const end = await drain;
    expect(end, end.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('Drain of node2 done') });
    expect(before.stdout).toContain('live');
    expect([guestsOf(NODE), [...guestsOf('node1'), ...guestsOf('node3')].toSorted()]).toEqual([[], GUESTS]);
    expect(await world.kedge.nodeStatus(parseNodeName(NODE))).toMatchObject({ cordoned: true });
    await expectWhole(1);
  });

  it('gets them all back, and takes guests again', async () => {
    expect(await world.cli('node', 'undrain', NODE)).toMatchObject({ code: 0, stdout: expect.stringContaining('Undrain of node2 done') });
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
    for (const vmid of GUESTS) {
      await world.booted(vmid);
      const verdict = await world.verdict(vmid, { allowedReboots: vmid === LIVE ? 0 : allowedReboots });
      expect(verdict, `guest ${vmid}`).toMatchObject({ diskIntact: true, doubleRunner: false, reasons: [] });
    }
    for (const sampler of samplers) expect(sampler.report()).toMatchObject({ doubles: [], unwatched: [] });
    expect(await world.leftovers()).toEqual([]);
  }
});
