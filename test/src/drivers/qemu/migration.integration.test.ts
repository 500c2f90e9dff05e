import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { MigrationSide } from '../../../../src/drivers/qemu/classify-qemu-state.js';
import { killQemu, waitUntilGone } from '../../../../src/drivers/qemu/kill-qemu.js';
import { setCapabilities, sourceCapabilities, targetCapabilities } from '../../../../src/drivers/qemu/migration-capabilities.js';
import {
  announceSelf,
  cancelStream,
  cont,
  continueSwitchover,
  listenIncoming,
  raiseDowntimeLimit,
  setBandwidth,
  setParameters,
  startStream,
  stop,
  yankStream,
} from '../../../../src/drivers/qemu/migration-commands.js';
import { isAlive } from '../../../../src/drivers/host/process-identity.js';
import { quitQemu } from '../../../../src/drivers/qemu/quit-qemu.js';
import { readQemuState } from '../../../../src/drivers/qemu/read-qemu-state.js';
import { addClientTls, addServerTls, removeTls } from '../../../../src/drivers/qemu/tls-objects.js';
import type { QmpConnection } from '../../../../src/drivers/qmp/qmp-connection.js';
import { dirDriver } from '../../../../src/drivers/storage/dir/dir-driver.js';
import { makeCertificates, startTwoQemus, TEST_VMID, type TwoQemus } from './two-qemus.js';

const LOCAL = { host: '127.0.0.1', port: 0 };

async function stateOf(qmp: QmpConnection, side: MigrationSide): Promise<string> {
  return (await readQemuState(qmp, side)).state;
}

/** Waits for a migration status, also one that was reached before this call. */
async function untilStatus(qmp: QmpConnection, status: string): Promise<void> {
  await qmp.waitForEvent(({ name, data }) => name === 'MIGRATION' && data['status'] === status, { after: 0, timeoutMs: 30_000 });
}

async function prepare({ source, target }: TwoQemus, options: { certificates?: string; peerName?: string } = {}): Promise<{ host: string; port: number }> {
  const secure = options.certificates !== undefined;
  await cont(source.qmp, 'source');
  await setCapabilities(target.qmp, targetCapabilities({ multifd: secure }));
  await setCapabilities(source.qmp, sourceCapabilities({ multifd: secure }));
  const common = { bandwidthLimit: 0, ...(secure ? { multifd: { multifdChannels: 1, compression: 'zstd' as const } } : {}) };
  if (options.certificates === undefined) {
    await setParameters(target.qmp, { ...common, tls: null });
    await setParameters(source.qmp, { ...common, downtimeLimitMs: 500, tls: null });
  } else {
    const server = await addServerTls(target.qmp, { folder: join(options.certificates, 'node2'), peerName: options.peerName ?? 'node1' });
    const client = await addClientTls(source.qmp, { folder: join(options.certificates, 'node1') });
    await setParameters(target.qmp, { ...common, tls: server });
    await setParameters(source.qmp, { ...common, downtimeLimitMs: 500, tls: { ...client, hostname: 'node2' } });
  }
  return listenIncoming(target.qmp, LOCAL);
}

async function handOver({ source, target }: TwoQemus): Promise<void> {
  await untilStatus(source.qmp, 'pre-switchover');
  expect(await stateOf(source.qmp, 'source')).toBe('pre-switchover');
  expect(await stateOf(target.qmp, 'target')).toBe('inmigrate');
  await continueSwitchover(source.qmp);
  await untilStatus(source.qmp, 'completed');
  await untilStatus(target.qmp, 'completed');
  await expect.poll(() => stateOf(source.qmp, 'source')).toBe('postmigrate');
  expect(await stateOf(target.qmp, 'target')).toBe('loaded');
}

describe('a migration between two QEMUs', () => {
  it('goes through every state to the other side, which runs only on command', async () => {
    await using qemus = await startTwoQemus();
    const { source, target } = qemus;
    const address = await prepare(qemus);
    expect(await stateOf(target.qmp, 'target')).toBe('inmigrate');
    expect(await listenIncoming(target.qmp, LOCAL)).toEqual(address);
    await startStream(source.qmp, address);
    await handOver(qemus);
    const { migration } = await readQemuState(source.qmp, 'source');
    expect(migration.ram?.transferred).toBeGreaterThan(0);
    expect(migration.downtimeMs).toBeGreaterThanOrEqual(0);
    expect(await cont(target.qmp, 'target')).toEqual({ alreadyRunning: false });
    expect(await cont(target.qmp, 'target')).toEqual({ alreadyRunning: true });
    await announceSelf(target.qmp);
    expect(await stateOf(target.qmp, 'target')).toBe('running');
    await quitQemu(source.qmp, source.identity);
    expect(isAlive(source.identity)).toBe(false);
    expect(await stateOf(target.qmp, 'target')).toBe('running');
  });

  it('travels by TLS and multifd between nodes that know each other', async () => {
    await using qemus = await startTwoQemus();
    const certificates = join(qemus.folder, 'pki');
    makeCertificates(certificates, ['node1', 'node2']);
    await startStream(qemus.source.qmp, await prepare(qemus, { certificates }));
    await handOver(qemus);
    expect((await readQemuState(qemus.source.qmp, 'source')).migration.ram?.multifdBytes).toBeGreaterThan(0);
    await cont(qemus.target.qmp, 'target');
    await removeTls(qemus.target.qmp);
    await removeTls(qemus.source.qmp);
    await expect(qemus.source.qmp.execute('qom-list', { path: '/objects' })).resolves.not.toContainEqual(expect.objectContaining({ name: 'kedge-tls' }));
  });

  it('is refused by a target that expects another node', async () => {
    await using qemus = await startTwoQemus();
    const certificates = join(qemus.folder, 'pki');
    makeCertificates(certificates, ['node1', 'node2']);
    await startStream(qemus.source.qmp, await prepare(qemus, { certificates, peerName: 'node11' }));
    await untilStatus(qemus.source.qmp, 'failed');
    expect(await stateOf(qemus.source.qmp, 'source')).toBe('running');
  });

  it('leaves the guest running at the source when it is cancelled in the decision window', async () => {
    await using qemus = await startTwoQemus();
    const { source, target } = qemus;
    await startStream(source.qmp, await prepare(qemus));
    await untilStatus(source.qmp, 'pre-switchover');
    await cancelStream(source.qmp);
    await untilStatus(source.qmp, 'cancelled');
    await expect.poll(() => stateOf(source.qmp, 'source')).toBe('running');
    expect(await waitUntilGone(target.identity, 5_000)).toBe(true);
    await cancelStream(source.qmp);
    expect(await stateOf(source.qmp, 'source')).toBe('running');
  });

  it('stands still at the source when the target dies in the decision window, and runs again after a cancel', async () => {
    await using qemus = await startTwoQemus();
    const { source, target } = qemus;
    await startStream(source.qmp, await prepare(qemus));
    await untilStatus(source.qmp, 'pre-switchover');
    await killQemu(target.identity);
    expect(await stateOf(source.qmp, 'source')).toBe('pre-switchover');
    await expect(cont(source.qmp, 'source')).rejects.toMatchObject({ code: 'guest-state', details: { state: 'pre-switchover' } });
    await cancelStream(source.qmp);
    await expect.poll(() => stateOf(source.qmp, 'source')).toBe('running');
  });

  it('can be taken back by the source once the target is gone', async () => {
    await using qemus = await startTwoQemus();
    await startStream(qemus.source.qmp, await prepare(qemus));
    await handOver(qemus);
    await killQemu(qemus.target.identity);
    expect(await cont(qemus.source.qmp, 'source')).toEqual({ alreadyRunning: false });
    expect(await stateOf(qemus.source.qmp, 'source')).toBe('running');
  });

  it('leaves a final pass that hangs on a frozen target by a yank', async () => {
    await using qemus = await startTwoQemus({ config: 'memory: 256\n' });
    const { source, target } = qemus;
    await startStream(source.qmp, await prepare(qemus));
    await untilStatus(source.qmp, 'pre-switchover');
    process.kill(target.identity.pid, 'SIGSTOP');
    const after = source.qmp.lastSequence;
    await continueSwitchover(source.qmp);
    await source.qmp.waitForEvent(({ data }) => data['status'] === 'device', { after, timeoutMs: 10_000 });
    await yankStream(source.qmp);
    await source.qmp.waitForEvent(({ name }) => name === 'RESUME', { after, timeoutMs: 10_000 });
    expect(await stateOf(source.qmp, 'source')).toBe('running');
    await yankStream(source.qmp);
  });

  it('moves a paused guest, which stays paused', async () => {
    await using qemus = await startTwoQemus();
    const { source, target } = qemus;
    const address = await prepare(qemus);
    await stop(source.qmp);
    expect(await stateOf(source.qmp, 'source')).toBe('paused');
    await startStream(source.qmp, address);
    await handOver(qemus);
    expect(await stateOf(target.qmp, 'target')).toBe('loaded');
  });

  it('leaves a paused guest that is cancelled in the decision window paused, not handed over', async () => {
    await using qemus = await startTwoQemus();
    const { source } = qemus;
    const address = await prepare(qemus);
    await stop(source.qmp);
    await startStream(source.qmp, address);
    await untilStatus(source.qmp, 'pre-switchover');
    await cancelStream(source.qmp);
    await untilStatus(source.qmp, 'cancelled');
    await expect.poll(() => stateOf(source.qmp, 'source')).toBe('paused');
  });

  it('keeps copying below the bandwidth limit until it is lifted', async () => {
    await using qemus = await startTwoQemus({ config: 'memory: 256\n' });
    const { source } = qemus;
    const address = await prepare(qemus);
    await setBandwidth(source.qmp, 65_536);
    await raiseDowntimeLimit(source.qmp, 1);
    await startStream(source.qmp, address);
    await untilStatus(source.qmp, 'active');
    expect(await stateOf(source.qmp, 'source')).toBe('running');
    await expect(startStream(source.qmp, address)).rejects.toMatchObject({ code: 'guest-state' });
    await expect(setCapabilities(source.qmp, [])).rejects.toMatchObject({ code: 'qmp-error' });
    await setBandwidth(source.qmp, 0);
    await raiseDowntimeLimit(source.qmp, 2_000);
    await handOver(qemus);
  });
});

describe.each(['raw', 'qcow2'] as const)('a guest with a %s disk on shared storage', (format) => {
  it('has its disk locked by the one side that runs, and by the other only after the command', async () => {
    const storageFolder = mkdtempSync(join(tmpdir(), 'kedge-shared-'));
    const storage = dirDriver({ id: 'shared', type: 'dir', path: storageFolder, content: ['images'], shared: true, nodes: null, disabled: false });
    const volumeId = await storage.allocate({ vmid: TEST_VMID, format, sizeBytes: 8_388_608 });
    const volumes = new Map([['virtio0', storage.imagePath(volumeId)]]);
    {
      await using qemus = await startTwoQemus({ config: `memory: 64\nvirtio0: ${volumeId}\n`, volumes });
      const { source, target } = qemus;
      await startStream(source.qmp, await prepare(qemus));
      await handOver(qemus);
      expect(await cont(target.qmp, 'target')).toEqual({ alreadyRunning: false });
      expect(await stateOf(target.qmp, 'target')).toBe('running');
      // QEMU's image lock is the second net under the ownership records.
      await expect(cont(source.qmp, 'source')).rejects.toMatchObject({ code: 'qmp-error' });
      expect(await stateOf(source.qmp, 'source')).toBe('postmigrate');
      await quitQemu(source.qmp, source.identity);
      expect(await stateOf(target.qmp, 'target')).toBe('running');
    }
    rmSync(storageFolder, { recursive: true });
  });
});

describe('what would let a guest run twice or be lost', () => {
  it('is refused on a target that still loads', async () => {
    await using qemus = await startTwoQemus();
    await prepare(qemus);
    await expect(cont(qemus.target.qmp, 'target')).rejects.toMatchObject({ code: 'guest-state', details: { state: 'inmigrate' } });
    await expect(stop(qemus.target.qmp)).rejects.toMatchObject({ code: 'guest-state' });
    expect(await stateOf(qemus.target.qmp, 'target')).toBe('inmigrate');
  });

  it('is refused by name when this QEMU lacks a capability', async () => {
    await using qemus = await startTwoQemus();
    const lacking = { execute: () => Promise.resolve([{ capability: 'events', state: false }]) };
    await expect(setCapabilities({ ...qemus.source.qmp, ...lacking }, ['events', 'return-path'])).rejects.toMatchObject({
      code: 'unsupported',
      details: { missing: ['return-path'] },
    });
  });
});
