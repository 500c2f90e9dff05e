import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseNodeName } from '../../../../src/domain/ids.js';
import { newGrantToken, revokeGrant, writeGrant } from '../../../../src/drivers/rsync/grant-store.js';
import { imagePassArguments, type RsyncTarget, treePassArguments } from '../../../../src/drivers/rsync/rsync-arguments.js';
import { runRsync } from '../../../../src/drivers/rsync/run-rsync.js';
import { sshArguments } from '../../../../src/drivers/ssh/ssh-arguments.js';
import { compareAllocation, compareManifests } from '../../../../src/drivers/storage/compare-manifests.js';
import { dirDriver } from '../../../../src/drivers/storage/dir/dir-driver.js';
import type { StorageDriver } from '../../../../src/drivers/storage/driver.js';
import { readImageFacts } from '../../../../src/drivers/storage/image-facts.js';
import { makeImageManifest } from '../../../../src/drivers/storage/image-manifest.js';
import { type RsyncLab, startRsyncLab } from '../rsync/rsync-lab.js';

const migrationId = '101-2';

let lab: RsyncLab;
let source: StorageDriver;
let target: StorageDriver;
beforeEach(async () => {
  lab = await startRsyncLab();
  const open = (path: string): StorageDriver => dirDriver({ id: 'local', type: 'dir', path, content: ['images'], shared: false, nodes: null, disabled: false });
  source = open(lab.source);
  target = open(lab.storage);
});
afterEach(async () => {
  await lab.remove();
});

/** What the target's worker does before the first pass. */
async function prepare(volumeId: string): Promise<RsyncTarget> {
  await target.incoming.prepare({ volumeId, migrationId });
  const token = newGrantToken();
  await writeGrant(lab.grants, { token, peer: parseNodeName('node1'), ...target.incoming.path({ volumeId, migrationId }) });
  return { node: 'node2', token, remoteShell: sshArguments(lab.ssh) };
}

describe('a volume that moves from one storage to another', () => {
  it('as qcow2 has the same bytes, snapshots and size, and its name only in the end', async () => {
    const volumeId = await source.allocate({ vmid: 101, format: 'qcow2', sizeBytes: 256 * 1_048_576 });
    const { path } = source.path(volumeId);
    execFileSync('qemu-io', ['-f', 'qcow2', '-c', 'write -P 7 1M 8M', path]);
    execFileSync('qemu-img', ['snapshot', '-c', 'before', path]);
    const to = await prepare(volumeId);
    const pass = { source: path, target: to, compression: 'lz4' } as const;
    await runRsync({ args: imagePassArguments({ ...pass, final: false, targetIsEmpty: true }), vanishedFiles: 'error' });
    execFileSync('qemu-io', ['-f', 'qcow2', '-c', 'write -P 9 5M 2M', path]);
    const last = await runRsync({ args: imagePassArguments({ ...pass, final: true, targetIsEmpty: false }), vanishedFiles: 'error' });
    expect(last.literalBytes).toBeLessThan(4 * 1_048_576);
    expect(await target.list()).toEqual([]);
    await revokeGrant(lab.grants, to.token);

    const [ours, theirs] = await Promise.all([makeImageManifest(path), makeImageManifest(target.incoming.path({ volumeId, migrationId }).path)]);
    expect(compareManifests(ours, theirs)).toEqual({ kind: 'equal' });
    expect(compareAllocation(ours, theirs)).toBe('equal');
    await target.incoming.publish({ volumeId, migrationId });
    const moved = target.path(volumeId).path;
    expect(await readImageFacts(moved, 'qcow2')).toMatchObject({ snapshots: ['before'], virtualBytes: 256 * 1_048_576 });
    expect(execFileSync('qemu-img', ['compare', '-f', 'qcow2', '-F', 'qcow2', path, moved], { encoding: 'utf8' })).toContain('identical');
    expect(readdirSync(lab.grants)).toEqual([]);
  });

  it('as a folder arrives whole', async () => {
    const volumeId = await source.allocate({ vmid: 101, format: 'subvol', sizeBytes: 0 });
    const { path } = source.path(volumeId);
    mkdirSync(join(path, 'etc'));
    writeFileSync(join(path, 'etc/hostname'), 'web');
    execFileSync('chown', ['100000:100000', path]);
    const to = await prepare(volumeId);
    await runRsync({ args: treePassArguments({ source: path, target: to, compression: 'lz4', final: true }), vanishedFiles: 'error' });
    await revokeGrant(lab.grants, to.token);
    await target.incoming.publish({ volumeId, migrationId });
    const moved = target.path(volumeId).path;
    expect(readFileSync(join(moved, 'etc/hostname'), 'utf8')).toBe('web');
    const differences = execFileSync('rsync', ['-naHAXS', '--numeric-ids', '--checksum', '--delete', '--itemize-changes', `${path}/`, `${moved}/`]);
    expect(differences.toString()).toBe('');
  });

  it('and was damaged on its way is found out before it gets its name', async () => {
    const volumeId = await source.allocate({ vmid: 101, format: 'raw', sizeBytes: 16 * 1_048_576 });
    const to = await prepare(volumeId);
    const args = imagePassArguments({ source: source.path(volumeId).path, target: to, compression: 'none', final: true, targetIsEmpty: true });
    await runRsync({ args, vanishedFiles: 'error' });
    const copy = target.incoming.path({ volumeId, migrationId }).path;
    execFileSync('dd', ['if=/dev/urandom', `of=${copy}`, 'bs=1', 'count=8', 'seek=9000000', 'conv=notrunc', 'status=none']);
    const [ours, theirs] = await Promise.all([makeImageManifest(source.path(volumeId).path), makeImageManifest(copy)]);
    expect(compareManifests(ours, theirs)).toMatchObject({ kind: 'content', blocks: [2] });
  });
});
