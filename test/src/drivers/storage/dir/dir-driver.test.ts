import { linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dirDriver } from '../../../../../src/drivers/storage/dir/dir-driver.js';
import type { StorageDriver } from '../../../../../src/drivers/storage/driver.js';
import { storageContract } from '../contract.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kedge-dir-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function open(path = folder): StorageDriver {
  return dirDriver({ id: 'local', type: 'dir', path, content: ['images'], shared: false, nodes: null, disabled: false });
}

storageContract('dir', open);
storageContract('dir, shared', () => dirDriver({ id: 'nfs', type: 'dir', path: folder, content: ['images'], shared: true, nodes: null, disabled: false }));

describe('a folder as storage', () => {
  it('has the layout of PVE and nothing else', async () => {
    await open().allocate({ vmid: 101, format: 'raw', sizeBytes: 1_048_576 });
    expect(readdirSync(folder, { recursive: true })).toEqual(['images', 'images/101', 'images/101/vm-101-disk-0.raw']);
  });

  it('takes no number twice, whatever the format', async () => {
    await open().allocate({ vmid: 101, format: 'raw', sizeBytes: 1_048_576 });
    expect(await open().allocate({ vmid: 101, format: 'qcow2', sizeBytes: 1_048_576 })).toBe('local:101/vm-101-disk-1.qcow2');
  });

  it('does not list files that are no images, and keeps them when the last image goes', async () => {
    const volumeId = await open().allocate({ vmid: 101, format: 'raw', sizeBytes: 1_048_576 });
    writeFileSync(join(folder, 'images/101/notes.txt'), 'mine');
    mkdirSync(join(folder, 'images/lost+found'));
    expect(await open().list()).toHaveLength(1);
    await open().remove(volumeId);
    expect(readFileSync(join(folder, 'images/101/notes.txt'), 'utf8')).toBe('mine');
  });

  it('shows two nodes the same identity only when they see the same folder', async () => {
    const other = join(folder, 'other');
    mkdirSync(other);
    expect(await open().identity()).toBe(await open().identity());
    expect(await open(other).identity()).not.toBe(await open().identity());
    expect(readdirSync(join(folder, '.kedge'))).toEqual(['identity']);
  });

  it('is never created: without its folder it is not mounted', async () => {
    const absent = open(join(folder, 'absent'));
    await expect(absent.identity()).rejects.toMatchObject({ code: 'storage-failed' });
    await expect(absent.space()).rejects.toMatchObject({ code: 'storage-failed' });
    await expect(absent.allocate({ vmid: 101, format: 'raw', sizeBytes: 1 })).rejects.toMatchObject({ code: 'storage-failed' });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('refuses an identity file that was tampered with', async () => {
    mkdirSync(join(folder, '.kedge'));
    writeFileSync(join(folder, '.kedge/identity'), 'nonsense');
    await expect(open().identity()).rejects.toMatchObject({ code: 'storage-failed', message: expect.stringContaining('nonsense') });
  });

  it('leaves nothing behind of an image that could not be created', async () => {
    await expect(open().allocate({ vmid: 101, format: 'raw', sizeBytes: Number.MAX_SAFE_INTEGER })).rejects.toMatchObject({ code: 'storage-failed' });
    expect(readdirSync(join(folder, 'images/101'))).toEqual([]);
  });

  it('goes on with a copy whose publication was cut between its two steps, and takes it back when asked to', async () => {
    const incoming = { volumeId: 'local:101/vm-101-disk-0.raw', migrationId: '101-2' };
    const halfPublish = async (): Promise<void> => {
      await open().incoming.prepare(incoming);
      linkSync(open().incoming.path(incoming).path, open().path(incoming.volumeId).path);
    };
    await halfPublish();
    await open().incoming.publish(incoming);
    expect(readdirSync(join(folder, 'images/101'))).toEqual(['vm-101-disk-0.raw']);
    await open().remove(incoming.volumeId);
    await halfPublish();
    await open().incoming.discard(incoming);
    // The guest's folder goes with the last of it.
    expect(readdirSync(join(folder, 'images'))).toEqual([]);
  });

  it('keeps its temporary names in the folder of the guest', async () => {
    await open().incoming.prepare({ volumeId: 'local:9000/base-9000-disk-0.raw/101/vm-101-disk-0.qcow2', migrationId: '101-2' });
    expect(readdirSync(join(folder, 'images/101'))).toEqual(['.incoming-101-2-vm-101-disk-0.qcow2']);
    expect(statSync(join(folder, 'images/101/.incoming-101-2-vm-101-disk-0.qcow2')).mode & 0o777).toBe(0o600);
  });

  it('counts a file with two names once, and looks at a folder as it is on disk', async () => {
    const volumeId = await open().allocate({ vmid: 101, format: 'subvol', sizeBytes: 0 });
    const { path } = open().path(volumeId);
    writeFileSync(join(path, 'one'), Buffer.alloc(1_048_576, 1));
    linkSync(join(path, 'one'), join(path, 'two'));
    symlinkSync('/', join(path, 'root'));
    const { allocatedBytes } = await open().size(volumeId);
    expect(allocatedBytes).toBeGreaterThanOrEqual(1_048_576);
    expect(allocatedBytes).toBeLessThan(1_200_000);
    await open().remove(volumeId);
    expect(readdirSync(join(folder, 'images'))).toEqual([]);
  });
});
