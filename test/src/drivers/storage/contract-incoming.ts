/** What every storage driver must do with copies that come in; part of the contract in contract.ts. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { StorageDriver } from '../../../../src/drivers/storage/driver.js';

const migrationId = '101-2';

/** Makes a volume by way of a copy that came in. */
export async function takeIn(storage: StorageDriver, volumeId: string, by = migrationId): Promise<void> {
  const incoming = { volumeId, migrationId: by };
  await storage.incoming.prepare(incoming);
  const { path } = storage.incoming.path(incoming);
  if (path.endsWith('.qcow2')) execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', path, '1M']);
  await storage.incoming.publish(incoming);
}

export function incomingContract(name: string, open: () => StorageDriver): void {
  describe(`copies that come in to storage driver ${name}`, () => {
    let storage: StorageDriver;
    let file: { readonly volumeId: string; readonly migrationId: string };
    let tree: { readonly volumeId: string; readonly migrationId: string };
    beforeEach(() => {
      storage = open();
      file = { volumeId: `${storage.id}:101/vm-101-disk-0.raw`, migrationId };
      tree = { volumeId: `${storage.id}:101/subvol-101-disk-1.subvol`, migrationId };
    });

    it('are under a name of their own until they are published', async () => {
      await storage.incoming.prepare(file);
      const { path, kind } = storage.incoming.path(file);
      expect(kind).toBe('file');
      expect(path).not.toBe(storage.path(file.volumeId).path);
      writeFileSync(path, 'data');
      expect(await storage.list()).toEqual([]);
      await storage.incoming.publish(file);
      expect(await storage.list()).toMatchObject([{ volumeId: file.volumeId, virtualBytes: 4 }]);
      expect(readFileSync(storage.path(file.volumeId).path, 'utf8')).toBe('data');
      expect(await storage.incoming.list()).toEqual([]);
    });

    it('may be folders with all that is in them', async () => {
      await storage.incoming.prepare(tree);
      const { path, kind } = storage.incoming.path(tree);
      expect(kind).toBe('tree');
      mkdirSync(join(path, 'etc'));
      writeFileSync(join(path, 'etc/hostname'), 'web');
      await storage.incoming.prepare(tree);
      await storage.incoming.publish(tree);
      await storage.incoming.publish(tree);
      expect(readFileSync(join(storage.path(tree.volumeId).path, 'etc/hostname'), 'utf8')).toBe('web');
      expect(await storage.list(101)).toMatchObject([{ volumeId: tree.volumeId, format: 'subvol', virtualBytes: 0 }]);
      await storage.remove(tree.volumeId);
      expect(await storage.list(101)).toEqual([]);
    });

    it('keep what they hold when they are prepared again', async () => {
      await storage.incoming.prepare(file);
      const { path } = storage.incoming.path(file);
      writeFileSync(path, 'half');
      await storage.incoming.prepare(file);
      expect(readFileSync(path, 'utf8')).toBe('half');
    });

    it('are published once, and again without harm', async () => {
      await storage.incoming.prepare(file);
      await storage.incoming.publish(file);
      await storage.incoming.publish(file);
      expect(await storage.list()).toHaveLength(1);
    });

    it('never replace a volume: neither when they begin nor when they end', async () => {
      for (const incoming of [file, tree]) {
        await storage.incoming.prepare(incoming);
        const { path } = storage.path(incoming.volumeId);
        if (incoming === file) writeFileSync(path, 'mine');
        else mkdirSync(path);
        const before = statSync(path).ino;
        await expect(storage.incoming.publish(incoming)).rejects.toMatchObject({ code: 'already-exists' });
        await expect(storage.incoming.prepare(incoming)).rejects.toMatchObject({ code: 'already-exists' });
        await storage.incoming.discard(incoming);
        expect(statSync(path).ino).toBe(before);
      }
    });

    it('are not published when there is nothing', async () => {
      await expect(storage.incoming.publish(file)).rejects.toMatchObject({ code: 'not-found' });
    });

    it('are discarded at any time, and again without complaint', async () => {
      for (const incoming of [file, tree]) {
        await storage.incoming.discard(incoming);
        await storage.incoming.prepare(incoming);
        await storage.incoming.discard(incoming);
        await storage.incoming.discard(incoming);
      }
      expect(await storage.incoming.list()).toEqual([]);
    });

    it('stay when they were published before they were discarded', async () => {
      await takeIn(storage, file.volumeId);
      await storage.incoming.discard(file);
      expect(await storage.list()).toHaveLength(1);
    });

    it('are copies again when they were withdrawn, and then discarded', async () => {
      for (const incoming of [file, tree]) {
        await storage.incoming.withdraw(incoming);
        await takeIn(storage, incoming.volumeId);
        await storage.incoming.withdraw(incoming);
        expect([await storage.list(), await storage.incoming.list()]).toMatchObject([[], [incoming]]);
        await storage.incoming.discard(incoming);
        expect(await storage.incoming.list()).toEqual([]);
      }
    });

    it('that were withdrawn before take no name from a volume that was made meanwhile', async () => {
      for (const incoming of [file, tree]) {
        await takeIn(storage, incoming.volumeId);
        await storage.incoming.withdraw(incoming);
        await takeIn(storage, incoming.volumeId, '101-5');
        await storage.incoming.withdraw(incoming);
        await storage.incoming.discard(incoming);
      }
      expect((await storage.list()).map(({ volumeId }) => volumeId).sort()).toEqual([tree.volumeId, file.volumeId].sort());
    });

    it('of two migrations do not get in each other’s way, and the first one published wins', async () => {
      const other = { ...file, migrationId: '101-5' };
      await storage.incoming.prepare(file);
      await storage.incoming.prepare(other);
      expect(storage.incoming.path(file).path).not.toBe(storage.incoming.path(other).path);
      await storage.incoming.publish(other);
      await expect(storage.incoming.publish(file)).rejects.toMatchObject({ code: 'already-exists' });
    });

    it('are listed with guest, migration and size, whoever left them behind', async () => {
      await storage.incoming.prepare(file);
      await storage.incoming.prepare(tree);
      await storage.incoming.prepare({ volumeId: `${storage.id}:102/vm-102-cloudinit.qcow2`, migrationId: '102-9' });
      appendFileSync(storage.incoming.path(file).path, Buffer.alloc(100_000, 1));
      const found = await storage.incoming.list(101);
      expect(found).toHaveLength(2);
      expect(found).toEqual(expect.arrayContaining([expect.objectContaining(file), expect.objectContaining(tree)]));
      const copy = found.find(({ volumeId }) => volumeId === file.volumeId);
      expect(copy?.path).toBe(storage.incoming.path(file).path);
      expect(copy?.allocatedBytes).toBeGreaterThanOrEqual(100_000);
      expect((await storage.incoming.list()).map(({ migrationId: id }) => id).sort()).toEqual(['101-2', '101-2', '102-9']);
    });

    it.each([
      { volumeId: 'ID:101/../x.raw', migrationId: '101-2' },
      { volumeId: 'other:101/vm-101-disk-0.raw', migrationId: '101-2' },
      { volumeId: 'ID:101/vm-101-disk-0.raw', migrationId: '../../x' },
      { volumeId: 'ID:101/vm-101-disk-0.raw', migrationId: '' },
    ])('refuse $volumeId of migration "$migrationId"', async ({ volumeId, migrationId: id }) => {
      const bad = { volumeId: volumeId.replace(/^ID/, storage.id), migrationId: id };
      expect(() => storage.incoming.path(bad)).toThrow(expect.objectContaining({ code: 'bad-input' }));
      for (const call of ['prepare', 'publish', 'withdraw', 'discard'] as const)
        await expect(async () => storage.incoming[call](bad)).rejects.toMatchObject({ code: 'bad-input' });
    });
  });
}
