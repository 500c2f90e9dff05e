import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { machineOf } from '../../lab/lab-store.js';
import { processesInside, sendSignal, waitUntil } from '../../lab/processes.js';
import { componentsOf } from '../../lab/status.js';
import { KEDGE_VERSION } from '../../src/domain/version.js';
import { openLabWorld, type LabWorld } from '../support/lab-world.js';
import { RunnerSampler } from '../../lab/observe/runner-sampler.js';
import { MIGRATED, summaryOf } from '../support/summary-of.js';
import { makeTwoBuilds, OTHER_VERSION, type TwoBuilds } from '../support/two-builds.js';

const VMID = 104;
const MIB = 2 ** 20;

describe('another build of the workers', () => {
  let world: LabWorld;
  let builds: TwoBuilds;
  let sampler: RunnerSampler | undefined;
  beforeAll(async () => {
    builds = makeTwoBuilds();
    Object.assign(process.env, builds.environment);
    world = await openLabWorld({ name: 'rollout', nodes: 2 });
    await world.createWitness({ vmid: VMID, memoryMiB: 192, workingSet: 64 * MIB, dirtyRate: 4 * MIB }, 'node1');
    await world.booted(VMID);
    sampler = new RunnerSampler(VMID, () => world.lab());
  });
  afterAll(async () => {
    sampler?.close();
    for (const name of Object.keys(builds.environment)) Reflect.deleteProperty(process.env, name);
    await world.close();
    builds.remove();
  });

  it('rolled out in the middle of a copy goes on with the same stream, and the migration ends well', async () => {
    // Held, so that the copy goes on for as long as the roll-out takes.
    const ref = await world.migrate(VMID, 'node2', { hold: true });
    await world.watch(ref, 'the hold', ({ phase }) => phase === 'holding');
    builds.install('other');
    for (const machine of ['control', 'node1', 'node2']) endWorker(machine);
    await rolledOut(OTHER_VERSION);
    await world.watch(ref, 'the hold under the new build', ({ phase, storyIsFresh, progress }) => storyIsFresh && phase === 'holding' && progress !== null);
    await world.kedge.releaseMigration(ref);
    await expectMigrated(ref, 'node2');
  });

  it('rolled back in the middle of a switchover, too: the guest runs once, and nothing is left', async () => {
    const ref = await world.migrate(VMID, 'node1');
    await waitUntil('the switchover', () => ['releasing', 'released'].includes(recordState('node2')), { timeoutMs: 60_000, pauseMs: 1 });
    builds.install('this');
    for (const machine of ['node2', 'node1', 'control']) endWorker(machine);
    await rolledOut(KEDGE_VERSION);
    await expectMigrated(ref, 'node1');
  });

  /** As systemd ends a service: its supervisor then starts what is installed. */
  function endWorker(name: string): void {
    const machine = machineOf(world.lab(), name);
    if (machine.init === null) throw new Error(`Cannot end the worker of ${name}: its power is off`);
    const worker = componentsOf(machine, processesInside(machine.init))[name === 'control' ? 'control' : 'worker'];
    if (worker == null) throw new Error(`Cannot end the worker of ${name}: none runs`);
    sendSignal(worker, 'SIGTERM');
  }

  async function rolledOut(version: string): Promise<void> {
    const versions = async (): Promise<readonly unknown[]> => {
      const nodes = await world.kedge.listNodes().catch(() => []);
      return nodes.map(({ inventory }) => inventory?.versions.kedge);
    };
    await waitUntil(`Kedge ${version} on both nodes`, async () => (await versions()).filter((each) => each === version).length === 2, { timeoutMs: 120_000 });
  }

  function recordState(node: string): string {
    const file = world.inside(node, `/var/lib/kedge/records/${VMID}.json`);
    return existsSync(file) ? (/"state":"(\w+)"/.exec(readFileSync(file, 'utf8'))?.[1] ?? '') : '';
  }

  async function expectMigrated(ref: Awaited<ReturnType<LabWorld['migrate']>>, node: string): Promise<void> {
    const end = summaryOf(await world.ended(ref));
    // A confirmation that had to be repeated is worth a warning, not a failure.
    expect({ ...end, warnings: [] }).toEqual(MIGRATED);
    expect(sampler?.report()).toMatchObject({ doubles: [], unwatched: [], runningOn: [node] });
    expect(await world.leftovers()).toEqual([]);
    expect((await world.verdict(VMID)).reasons).toEqual([]);
  }
});
