/** The judges of the other tests, each seen to say no: a check that cannot fail proves nothing. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { insideCommand } from '../../lab/exec.js';
import { machineOf } from '../../lab/lab-store.js';
import { tryRun } from '../../lab/run.js';
import { processesInside, sendSignal, waitUntil } from '../../lab/processes.js';
import { openLabWorld, type LabWorld } from '../support/lab-world.js';
import { RunnerSampler } from '../../lab/observe/runner-sampler.js';

const VMID = 106;
const OWNER = 'node1';
const OTHER = 'node2';
const PLANT = `${VMID}-planted,debug-threads=on`;

describe('a planted fault is seen:', () => {
  let world: LabWorld;
  let sampler: RunnerSampler;
  let plants: ChildProcess[] = [];

  beforeAll(async () => {
    world = await openLabWorld({ name: 'check', nodes: 2 });
    await world.createWitness({ vmid: VMID }, OWNER);
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    sampler = new RunnerSampler(VMID, () => world.lab());
    await waitUntil('the runner', () => sampler.report().runningOn.length === 1, { timeoutMs: 10_000 });
  });
  afterEach(async () => {
    sampler.close();
    // `nsenter` stays outside as the parent: the plant itself is found inside.
    const { init } = machineOf(world.lab(), OTHER);
    for (const plant of init === null ? [] : processesInside(init)) if (plant.command.includes(PLANT)) sendSignal(plant, 'SIGKILL');
    for (const child of plants) if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    plants = [];
    rmSync(runFolder(OTHER), { recursive: true, force: true });
  });

  it('a second running copy, by the sampler and by the audit', async () => {
    expect(sampler.report().doubles).toEqual([]);
    plantQemu(['-qmp', `unix:/run/kedge/qemu/${VMID}/observer.qmp,server=on,wait=off`]);
    await waitUntil('the sight of two runners', () => sampler.report().doubles.length > 0, { timeoutMs: 20_000 });
    expect(sampler.report().runningOn).toEqual([OWNER, OTHER]);
    expect((await world.leftovers()).map(({ node }) => node)).toContain(OTHER);
    expect(await world.cli('audit')).toMatchObject({ code: 1, stdout: expect.stringContaining(OTHER) });
  });

  it('a copy that nobody can watch, by the sampler', async () => {
    plantQemu([]);
    await waitUntil('the sight of an unwatched copy', () => sampler.report().unwatched.length > 0, { timeoutMs: 20_000 });
  });

  it('a config copy that no migration needs, by the audit', async () => {
    const copy = world.inside(OTHER, `/etc/kedge/qemu-server/${VMID}.conf`);
    copyFileSync(world.inside(OWNER, `/etc/kedge/qemu-server/${VMID}.conf`), copy);
    expect((await world.leftovers()).map(({ node, kind }) => `${node ?? ''} ${kind}`)).toEqual([`${OTHER} config-copy`]);
    rmSync(copy);
    expect(await world.leftovers()).toEqual([]);
  });

  it('packet rules of a fault that nobody took back, by the audit, and those of others not', async () => {
    await inside(OTHER, 'nft', 'add', 'table', 'inet', 'filter');
    expect(await world.leftovers()).toEqual([]);
    await inside(OTHER, 'nft', 'add', 'table', 'inet', 'kedge-fault');
    expect((await world.leftovers()).map(({ node, kind, what }) => `${node ?? ''} ${kind} ${what}`)).toEqual([
      `${OTHER} nft-table nftables table inet kedge-fault`,
    ]);
    expect(await world.cli('audit')).toMatchObject({ code: 1, stdout: expect.stringContaining('nft delete table inet kedge-fault') });
    await inside(OTHER, 'nft', 'delete', 'table', 'inet', 'kedge-fault');
    expect(await world.leftovers()).toEqual([]);
  });

  it('a damaged disk, then damaged memory, by the witness', async () => {
    expect(await world.verdict(VMID)).toMatchObject({ ok: true, reasons: [] });
    expect(await world.cli('lab', 'witness', String(VMID), '--corrupt', 'disk')).toMatchObject({ code: 0 });
    expect(await world.verdict(VMID)).toMatchObject({ ok: false, diskIntact: false, memoryIntact: true });
    expect(await world.cli('lab', 'witness', String(VMID), '--corrupt', 'memory')).toMatchObject({ code: 0 });
    expect(await world.verdict(VMID)).toMatchObject({ ok: false, memoryIntact: false });
    expect(await world.cli('lab', 'witness', String(VMID), '--json')).toMatchObject({ code: 1, stdout: expect.stringContaining('"memoryIntact":false') });
  });

  /** A QEMU without a machine, but running, with the guest's name, on the other node. */
  function plantQemu(words: readonly string[]): void {
    mkdirSync(runFolder(OTHER), { recursive: true });
    expect(existsSync(runFolder(OTHER))).toBe(true);
    const command = ['qemu-system-x86_64', '-name', PLANT, '-machine', 'none', '-nodefaults', '-display', 'none', ...words];
    const [program, ...args] = insideCommand(machineOf(world.lab(), OTHER), command);
    plants.push(spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] }));
  }

  async function inside(node: string, ...command: readonly string[]): Promise<void> {
    expect(await tryRun(insideCommand(machineOf(world.lab(), node), command))).toMatchObject({ code: 0 });
  }

  function runFolder(node: string): string {
    return world.inside(node, `/run/kedge/qemu/${VMID}`);
  }
});
