import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dirDriver } from '../../../../../src/drivers/storage/dir/dir-driver.js';
import type { StorageDriver } from '../../../../../src/drivers/storage/driver.js';

let folder: string;
let storage: StorageDriver;
const mounted: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kedge-dir-'));
  storage = dirDriver({ id: 'local', type: 'dir', path: folder, content: ['rootdir'], shared: false, nodes: null, disabled: false });
});
afterEach(() => {
  for (const path of mounted.splice(0)) execFileSync('umount', [path]);
  rmSync(folder, { recursive: true });
});

function mount(path: string, options = 'size=1m'): void {
  mkdirSync(path, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path]);
  mounted.push(path);
}

describe('a container’s folder in a folder storage', () => {
  it('is not removed while something is mounted in it, even under a name with a blank, and nothing of that is touched', async () => {
    const volumeId = await storage.allocate({ vmid: 101, format: 'subvol', sizeBytes: 0 });
    const inside = join(storage.path(volumeId).path, 'srv/my data');
    mount(inside);
    writeFileSync(join(inside, 'precious'), 'data');
    await expect(storage.remove(volumeId)).rejects.toMatchObject({ code: 'guest-state', details: { mounted: inside } });
    expect(readFileSync(join(inside, 'precious'), 'utf8')).toBe('data');
  });

  it('is as large as itself, without what is mounted in it', async () => {
    const volumeId = await storage.allocate({ vmid: 101, format: 'subvol', sizeBytes: 0 });
    const before = await storage.size(volumeId);
    mount(join(storage.path(volumeId).path, 'mnt'), 'size=4m');
    writeFileSync(join(storage.path(volumeId).path, 'mnt/file'), Buffer.alloc(2 * 1_048_576, 1));
    expect((await storage.size(volumeId)).allocatedBytes).toBeLessThanOrEqual(before.allocatedBytes + 65_536);
  });
});

describe('a folder storage that is full', () => {
  it('says so, with the code of a full storage, for bytes and for files', async () => {
    const full = join(folder, 'full');
    mount(full, 'size=64k,nr_inodes=6');
    const small = dirDriver({ id: 'small', type: 'dir', path: full, content: ['images'], shared: false, nodes: null, disabled: false });
    expect((await small.space()).freeFiles).toBeLessThanOrEqual(5);
    await small.allocate({ vmid: 101, format: 'raw', sizeBytes: 4096 });
    const more = async (): Promise<void> => {
      for (let count = 0; count < 6; count += 1) await small.incoming.prepare({ volumeId: 'small:101/vm-101-disk-9.raw', migrationId: `101-${count + 1}` });
    };
    await expect(more()).rejects.toMatchObject({ code: 'no-space' });
  });
});
