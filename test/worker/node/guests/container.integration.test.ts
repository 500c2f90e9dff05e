import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { storageConfigFile, type KedgePaths } from '../../../../src/config/paths.js';
import { migrationIdOf, parseGeneration, parseNodeName, parseVmid } from '../../../../src/domain/ids.js';
import type { OwnershipRecord, RecordView } from '../../../../src/domain/ownership.js';
import { waitForContainerEnd } from '../../../../src/drivers/lxc/wait-for-container-end.js';
import { killContainer } from '../../../../src/drivers/lxc/kill-container.js';
import { auditNode } from '../../../../worker/node/audit/audit-node.js';
import { createNodeContext } from '../../../../worker/node/create-node-context.js';
import { containerOf } from '../../../../worker/node/guests/container-of.js';
import { lookAtGuest } from '../../../../worker/node/guests/look-at-guest.js';
import { noteEndedContainers } from '../../../../worker/node/guests/watch-containers.js';
import { manageGuest } from '../../../../worker/node/guests/manage-guest.js';
import { startGuestFromDisk } from '../../../../worker/node/guests/start-guest.js';
import type { NodeContext } from '../../../../worker/node/node-context.js';
import { readGuests } from '../../../../worker/node/presence/read-inventory.js';
import { confirmBoot } from '../../../../worker/node/recovery/confirm-boot.js';
import { watchHeldGuest } from '../../../../worker/node/offline/watch-held-guest.js';
import { recoverGuests } from '../../../../worker/node/recovery/recover-guests.js';
import { makeSmallRootfs, OBEDIENT_INIT, STUBBORN_INIT } from '../../../support/small-rootfs.js';

const VMID = parseVmid(99_121);
const VOLUME = `images/images/${VMID}/subvol-${VMID}-disk-0.subvol`;
const CONFIG = `arch: amd64\nhostname: small\nmemory: 64\nonboot: 1\nostype: unmanaged\nrootfs: local:${VMID}/subvol-${VMID}-disk-0.subvol,size=0\nswap: 0\n`;

let root: string;
let paths: KedgePaths;
let node: NodeContext;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'kedge-ct-'));
  paths = { etc: join(root, 'etc'), state: join(root, 'state'), run: join(root, 'run') };
  for (const folder of [paths.etc, paths.state, paths.run]) mkdirSync(folder);
  mkdirSync(join(root, 'images'));
  writeFileSync(join(paths.run, 'boot-id'), 'first-boot\n');
  writeFileSync(join(paths.etc, 'node.yaml'), `name: node1\nbootIdFile: ${join(paths.run, 'boot-id')}\n`);
  writeFileSync(join(paths.etc, 'kedge.yaml'), 'cluster: test\nnodes:\n  node1: { address: 127.0.0.1 }\n');
  writeFileSync(storageConfigFile(paths), `dir: local\n\tpath ${join(root, 'images')}\n\tcontent images,rootdir\n`);
  node = { ...(await createNodeContext(paths)), boot: { confirmed: true } };
});

afterEach(async () => {
  await killContainer(containerOf(node, VMID));
  rmSync(root, { recursive: true });
});

async function create(init = OBEDIENT_INIT): Promise<void> {
  await manageGuest(node, { verb: 'create', vmid: VMID, kind: 'lxc', config: CONFIG });
  makeSmallRootfs(join(root, VOLUME), init);
}

/** A new worker on the same node: nothing but files and the container is left of the old one. */
async function restart(options: { readonly rebooted: boolean }): Promise<void> {
  if (options.rebooted) {
    await killContainer(containerOf(node, VMID));
    rmSync(join(paths.run, 'lxc'), { recursive: true });
    writeFileSync(join(paths.run, 'boot-id'), 'second-boot\n');
  }
  node = { ...(await createNodeContext(paths)), boot: { confirmed: !options.rebooted } };
}

const state = async (): Promise<string> => (await lookAtGuest(node, VMID)).view.qemu;
const recordOf = (view: RecordView): OwnershipRecord => {
  if (view.kind !== 'record') throw new Error(`Cannot find the record: it is ${view.kind}`);
  return view.record;
};

describe('a container on its node', () => {
  test('is created off with a folder, runs, shuts down, and leaves nothing when it is destroyed', async () => {
    await create();
    expect(statSync(join(root, VOLUME)).uid).toBe(0);
    expect(recordOf(await node.records.read(VMID))).toMatchObject({ kind: 'lxc', state: 'owned', wanted: 'stopped', generation: 1 });
    expect(await state()).toBe('gone');

    const started = await manageGuest(node, { verb: 'start', vmid: VMID });
    expect(started).toMatchObject({ guest: { kind: 'lxc', name: 'small', qemu: 'running', wanted: 'running', memoryBytes: 64 << 20 }, config: CONFIG });
    expect(await readGuests(node)).toMatchObject([{ vmid: VMID, kind: 'lxc', qemu: 'running' }]);
    expect(await auditNode(node)).toMatchObject({ files: [`lxc/${VMID}.conf`], processes: [{ vmid: VMID }] });
    await expect(manageGuest(node, { verb: 'destroy', vmid: VMID })).rejects.toMatchObject({ code: 'guest-state' });

    await manageGuest(node, { verb: 'shutdown', vmid: VMID, timeoutMs: 10_000 });
    expect(await state()).toBe('gone');
    await manageGuest(node, { verb: 'destroy', vmid: VMID });
    expect(await readGuests(node)).toEqual([]);
    expect(existsSync(join(root, VOLUME))).toBe(false);
    expect(await auditNode(node)).toMatchObject({ files: [], processes: [], interfaces: [], guests: [] });
  });

  test('that ignores a shutdown runs on until somebody stops it', async () => {
    await create(STUBBORN_INIT);
    await manageGuest(node, { verb: 'start', vmid: VMID });
    const shutdown = manageGuest(node, { verb: 'shutdown', vmid: VMID, timeoutMs: 1_000 });
    await expect(shutdown).rejects.toMatchObject({ code: 'deadline-exceeded', message: expect.stringContaining('kedge guest stop') });
    expect(await state()).toBe('running');
    await manageGuest(node, { verb: 'stop', vmid: VMID });
    expect(await state()).toBe('gone');
  });

  test('lives on when its worker dies, and is not started twice by the next one', async () => {
    await create();
    await manageGuest(node, { verb: 'start', vmid: VMID });
    const before = (await lookAtGuest(node, VMID)).process;
    await restart({ rebooted: false });
    await node.starts.begin(VMID);
    await recoverGuests(node);
    expect((await lookAtGuest(node, VMID)).process).toEqual(before);
    expect(node.starts.isUnderWay(VMID)).toBe(false);
  });

  test('whose start a crash cut off is started by the next worker', async () => {
    await create();
    await node.records.write({ ...recordOf(await node.records.read(VMID)), state: 'owned', wanted: 'running' });
    await node.starts.begin(VMID);
    await restart({ rebooted: false });
    await recoverGuests(node);
    expect(await state()).toBe('running');
  });

  test('starts after a reboot only once the boot is registered', async () => {
    await create();
    await manageGuest(node, { verb: 'start', vmid: VMID });
    await restart({ rebooted: true });
    await recoverGuests(node);
    await expect(startGuestFromDisk(node, VMID)).rejects.toMatchObject({ code: 'not-owner' });
    expect(await state()).toBe('gone');
    await confirmBoot(node);
    expect(await state()).toBe('running');
  });

  test.each(['claimed', 'released', 'armed'] as const)('never starts under a record that is %s', async (what) => {
    await create();
    const { bootId, kind, vmid } = recordOf(await node.records.read(VMID));
    const generation = parseGeneration(2);
    const claim = { migrationId: migrationIdOf(vmid, generation), peer: parseNodeName('node2') };
    await node.records.write({ vmid, kind, generation, wanted: 'running', bootId, ...claim, state: what === 'claimed' ? 'owned' : what });
    await expect(startGuestFromDisk(node, VMID)).rejects.toMatchObject({ code: 'not-owner' });
    await expect(manageGuest(node, { verb: 'start', vmid: VMID })).rejects.toMatchObject({ code: what === 'claimed' ? 'guest-locked' : 'not-owner' });
    expect(await state()).toBe('gone');
  });

  test('says why it could not start, and is off then', async () => {
    await create('echo no disk today; exit 1');
    await expect(manageGuest(node, { verb: 'start', vmid: VMID })).rejects.toMatchObject({
      code: 'lxc-start-failed',
      message: expect.stringContaining('no disk today'),
    });
    expect(await state()).toBe('gone');
    expect(node.starts.isUnderWay(VMID)).toBe(false);
  });

  test.each([
    ['powers itself off', 'busybox sleep 0.3; busybox poweroff -f', 'stopped'],
    ['ends by itself', 'busybox sleep 0.3', 'stopped'],
    ['ends with an error', 'busybox sleep 0.3; exit 3', 'running'],
  ])('that %s is wanted so or not', async (_, init, wanted) => {
    await create(init);
    await manageGuest(node, { verb: 'start', vmid: VMID });
    await noteEndedContainers(node);
    expect(recordOf(await node.records.read(VMID)).wanted).toBe('running');
    expect(await waitForContainerEnd(containerOf(node, VMID))).toBe(true);
    await noteEndedContainers(node);
    expect(recordOf(await node.records.read(VMID)).wanted).toBe(wanted);
  });

  test.each([
    ['powers itself off', 'busybox sleep 0.5; busybox poweroff -f', 'stopped'],
    ['ends with an error', 'busybox sleep 0.5; exit 3', 'running'],
  ])('that %s in its hold is told of by event, and is wanted so or not', async (_, init, wanted) => {
    await create(init);
    await manageGuest(node, { verb: 'start', vmid: VMID });
    const generation = parseGeneration(2);
    const step = { vmid: VMID, migrationId: migrationIdOf(VMID, generation), generation, sequence: 1 };
    const record = recordOf(await node.records.read(VMID));
    await node.records.write({ ...record, state: 'owned', migrationId: step.migrationId, peer: parseNodeName('node2'), mode: 'offline' });
    expect(await watchHeldGuest(node, { step, signal: new AbortController().signal })).toEqual({ wanted });
    expect(recordOf(await node.records.read(VMID))).toMatchObject({ wanted, migrationId: step.migrationId });
  });

  test('that was killed behind our back stays wanted running', async () => {
    await create();
    await manageGuest(node, { verb: 'start', vmid: VMID });
    const init = (await lookAtGuest(node, VMID)).process;
    process.kill(init?.pid ?? 0, 'SIGKILL');
    expect(await waitForContainerEnd(containerOf(node, VMID))).toBe(true);
    await noteEndedContainers(node);
    expect(recordOf(await node.records.read(VMID)).wanted).toBe('running');
  });

  test('cannot be paused, and says what to do instead', async () => {
    await create();
    await expect(manageGuest(node, { verb: 'pause', vmid: VMID })).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('kedge guest shutdown'),
    });
  });

  test('gets no volume of another guest', async () => {
    const stolen = CONFIG.replaceAll(String(VMID), '101');
    await expect(manageGuest(node, { verb: 'create', vmid: VMID, kind: 'lxc', config: stolen })).rejects.toMatchObject({ code: 'bad-config' });
    expect(existsSync(join(root, 'images/images/101'))).toBe(false);
    expect(await node.records.read(VMID)).toEqual({ kind: 'missing' });
  });
});
