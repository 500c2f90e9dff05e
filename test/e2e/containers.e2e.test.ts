/** Containers in a lab: real LXC, unprivileged and with trees of everything, under real node workers. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { machineOf } from '../../lab/lab-store.js';
import { labStatus } from '../../lab/status.js';
import { waitUntil } from '../../lab/processes.js';
import { hashTree } from '../../src/drivers/tree/hash-tree.js';
import { openLabWorld, type LabWorld } from '../support/lab-world.js';

const VMID = 111;
const NODE = 'node1';
const ROOTFS = `/var/lib/kedge/images/images/${VMID}/subvol-${VMID}-disk-0.subvol`;

describe('a witness container', () => {
  let world: LabWorld;
  beforeAll(async () => {
    world = await openLabWorld({ name: 'ct', nodes: 2 });
    await world.createWitnessContainer({ vmid: VMID, unprivileged: true, files: 500, mountPoints: 1 }, NODE);
  });
  afterAll(() => world.close());

  const container = async (node = NODE) =>
    (await labStatus(world.lab())).machines.find(({ name }) => name === node)?.containers.find(({ vmid }) => vmid === VMID);
  const kedge = async (...words: readonly string[]): Promise<string> => {
    const end = await world.cli(...words);
    expect(end).toMatchObject({ code: 0 });
    return end.stdout;
  };

  test('runs on its node with the ids of an unprivileged one, and loses nothing', async () => {
    const init = (await container())?.init?.pid ?? 0;
    expect(execFileSync('stat', ['-c', '%u', `/proc/${init}`], { encoding: 'utf8' }).trim()).toBe('100000');
    expect(await world.verdict(VMID)).toMatchObject({ ok: true, reasons: [], memoryIntact: null, diskIntact: true, doubleRunner: false });
    // A node tells of its guests once a second: the list may still be of the moment before the start.
    const listed = new RegExp(`${VMID} +witness-${VMID} +${NODE} +lxc +running`);
    await expect.poll(() => kedge('guest', 'list'), { timeout: 10_000 }).toMatch(listed);
    expect(await world.leftovers()).toEqual([]);
  });

  test('is not touched by the death of its worker', async () => {
    const before = await container();
    await world.break(NODE, { kind: 'kill', target: 'worker' });
    await waitUntil('the new worker', async () => (await world.cli('guest', 'show', String(VMID))).code === 0, { timeoutMs: 30_000 });
    expect(await container()).toMatchObject({ init: before?.init, monitor: { pid: before?.monitor.pid } });
    expect(await world.verdict(VMID)).toMatchObject({ ok: true, reboots: 0 });
  });

  test('shuts down by its own init, and has a tree then that a copy by rsync equals, hash for hash', async () => {
    await kedge('guest', 'shutdown', String(VMID));
    expect(await container()).toBeUndefined();
    const root = mkdtempSync(join(tmpdir(), 'kedge-copy-'));
    try {
      const copy = join(root, 'copy');
      const rsync = (...words: readonly string[]): string =>
        execFileSync('rsync', [...words, `${world.inside(NODE, ROOTFS)}/`, `${copy}/`], { encoding: 'utf8' });
      rsync('-aHAXS', '--numeric-ids', '--modify-window=-1');
      const digest = await hashTree(world.inside(NODE, ROOTFS));
      expect(digest.entries).toBeGreaterThan(280);
      expect(await hashTree(copy)).toEqual(digest);
      expect(rsync('-naHAXS', '--numeric-ids', '--checksum', '--itemize-changes', '--delete')).toBe('');
      execFileSync('setcap', ['-r', join(copy, 'special/with-capability')]);
      expect((await hashTree(copy)).digest).not.toBe(digest.digest);
    } finally {
      rmSync(root, { recursive: true });
    }
    await kedge('guest', 'start', String(VMID));
    await waitUntil('the second boot', async () => (await world.verdict(VMID)).ok, { timeoutMs: 30_000, pauseMs: 200 });
    expect(await world.verdict(VMID)).toMatchObject({ ok: true, reboots: 1, diskIntact: true });
  });

  test('is off after a power cut of its node, with every acknowledged record on the disk, and starts again', async () => {
    await world.break(NODE, { kind: 'power-off' });
    await world.heal(NODE);
    await waitUntil('the registered boot', async () => (await world.cli('guest', 'start', String(VMID))).code === 0, { timeoutMs: 60_000, pauseMs: 500 });
    await waitUntil('the third boot', async () => (await world.verdict(VMID)).ok, { timeoutMs: 30_000, pauseMs: 200 });
    expect(await world.verdict(VMID)).toMatchObject({ ok: true, reboots: 2, diskIntact: true });
  });

  test('that lost a byte of its journal is found out', async () => {
    expect(await world.cli('lab', 'witness', String(VMID), '--corrupt', 'disk')).toMatchObject({ code: 0 });
    expect(await world.verdict(VMID)).toMatchObject({ ok: false, diskIntact: false });
  });

  test('leaves nothing when it is destroyed', async () => {
    await kedge('guest', 'stop', String(VMID));
    await kedge('guest', 'destroy', String(VMID), '--yes');
    expect(await world.leftovers()).toEqual([]);
    expect(execFileSync('ls', [world.inside(NODE, '/var/lib/kedge/images/images')], { encoding: 'utf8' })).toBe('');
    const groups = machineOf(world.lab(), NODE).cgroups.flatMap((folder) => readdirSync(folder));
    // LXC's own, for the moment in which a monitor removes its group.
    expect(groups.filter((name) => name.startsWith('lxc.') && name !== 'lxc.pivot')).toEqual([]);
  });
});
