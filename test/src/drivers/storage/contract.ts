/** What every storage driver must do; a new driver's test calls this with a fresh, empty storage. */
import { readFileSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import type { StorageDriver } from '../../../../src/drivers/storage/driver.js';
import { incomingContract, takeIn } from './contract-incoming.js';

const MIB = 1_048_576;

export function storageContract(name: string, open: () => StorageDriver): void {
  describe(`storage driver ${name}`, () => {
    let storage: StorageDriver;
    beforeEach(() => {
      storage = open();
    });

    it('creates volumes of every format that it claims, of the size asked for', async () => {
      for (const format of storage.capabilities.formats) {
        const virtual = format === 'subvol' ? 0 : 10 * MIB;
        const volumeId = await storage.allocate({ vmid: 101, format, sizeBytes: virtual });
        expect(volumeId.startsWith(`${storage.id}:101/`)).toBe(true);
        const { virtualBytes, allocatedBytes } = await storage.size(volumeId);
        expect(virtualBytes).toBe(virtual);
        if (storage.capabilities.thin) expect(allocatedBytes).toBeLessThan(MIB);
        expect(storage.path(volumeId).format).toBe(format);
      }
    });

    it('gives QEMU images, and no folders', async () => {
      for (const format of storage.capabilities.formats) {
        const volumeId = `${storage.id}:101/${format === 'subvol' ? 'subvol' : 'vm'}-101-disk-0.${format}`;
        if (format === 'subvol') expect(() => storage.imagePath(volumeId)).toThrow(expect.objectContaining({ code: 'bad-input' }));
        else expect(storage.imagePath(volumeId)).toEqual(storage.path(volumeId));
      }
    });

    it('knows what a volume is for by its name', async () => {
      const names = { disk: 'vm-101-disk-0.raw', cloudinit: 'vm-101-cloudinit.qcow2', state: 'vm-101-state-before_update.raw', base: 'base-101-disk-1.qcow2' };
      for (const name of Object.values(names)) await takeIn(storage, `${storage.id}:101/${name}`);
      const found = await storage.list(101);
      expect(Object.fromEntries(found.map(({ kind, volumeId }) => [kind, volumeId.split('/')[1]]))).toEqual(names);
      expect(await storage.allocate({ vmid: 101, format: 'raw', sizeBytes: MIB })).toBe(`${storage.id}:101/vm-101-disk-2.raw`);
    });

    it('finds a linked clone at its own place, not at that of its base', () => {
      const linked = `${storage.id}:9000/base-9000-disk-0.raw/101/vm-101-disk-0.qcow2`;
      expect(storage.path(linked)).toEqual(storage.path(`${storage.id}:101/vm-101-disk-0.qcow2`));
    });

    it('numbers the images of a guest, each with another number', async () => {
      const request = { vmid: 101, format: 'raw', sizeBytes: MIB } as const;
      const made = [await storage.allocate(request), await storage.allocate(request), await storage.allocate({ ...request, vmid: 102 })];
      expect(made).toEqual([`${storage.id}:101/vm-101-disk-0.raw`, `${storage.id}:101/vm-101-disk-1.raw`, `${storage.id}:102/vm-102-disk-0.raw`]);
      await expect(storage.allocate({ ...request, index: 1 })).rejects.toMatchObject({ code: 'already-exists' });
      expect(await storage.allocate({ ...request, index: 7 })).toBe(`${storage.id}:101/vm-101-disk-7.raw`);
    });

    it('gives two callers at once two images', async () => {
      const made = await Promise.all(Array.from({ length: 5 }, () => storage.allocate({ vmid: 101, format: 'raw', sizeBytes: MIB })));
      expect(new Set(made).size).toBe(5);
    });

    it('lists the images of one guest and of all', async () => {
      const first = await storage.allocate({ vmid: 101, format: 'raw', sizeBytes: MIB });
      const second = await storage.allocate({ vmid: 102, format: 'raw', sizeBytes: 2 * MIB });
      expect(await storage.list(101)).toMatchObject([{ volumeId: first, vmid: 101, format: 'raw', virtualBytes: MIB }]);
      expect((await storage.list()).map(({ volumeId }) => volumeId).sort()).toEqual([first, second]);
      expect(await storage.list(999)).toEqual([]);
      expect([await storage.names(101), [...(await storage.names())].sort(), await storage.names(999)]).toEqual([[first], [first, second], []]);
    });

    it('removes an image once, and again without complaint', async () => {
      const volumeId = await storage.allocate({ vmid: 101, format: 'raw', sizeBytes: MIB });
      await storage.remove(volumeId);
      await storage.remove(volumeId);
      expect(await storage.list()).toEqual([]);
      await expect(storage.size(volumeId)).rejects.toMatchObject({ code: 'not-found' });
    });

    it('keeps the data of other images when one is removed', async () => {
      const kept = await storage.allocate({ vmid: 101, format: 'raw', sizeBytes: MIB });
      const removed = await storage.allocate({ vmid: 101, format: 'raw', sizeBytes: MIB });
      writeFileSync(storage.path(kept).path, 'data');
      await storage.remove(removed);
      expect(readFileSync(storage.path(kept).path, 'utf8')).toBe('data');
    });

    it('has one identity that never changes', async () => {
      const identities = await Promise.all(Array.from({ length: 5 }, () => storage.identity()));
      expect(new Set([...identities, await storage.identity()]).size).toBe(1);
      expect(identities[0]).toMatch(/^[0-9a-f-]{36}$/);
    });

    it('tells its size', async () => {
      const { totalBytes, freeBytes, freeFiles } = await storage.space();
      expect(totalBytes).toBeGreaterThanOrEqual(freeBytes);
      expect(freeFiles === null || freeFiles > 0).toBe(true);
      expect(freeBytes).toBeGreaterThan(0);
    });

    it.each([
      'no-colon',
      ':101/vm-101-disk-0.raw',
      '101/vm-101-disk-0.raw',
      'ID:/etc/passwd',
      'ID:../101/vm-101-disk-0.raw',
      'ID:101/../../etc/passwd',
      'ID:101/vm-101-../../x.raw',
      'ID:101/-rf.raw',
      'ID:-101/vm-101-disk-0.raw',
      'ID:101/vm-102-disk-0.raw',
      'ID:101/vm-101-disk-0.vmdk',
      'ID:101/vm-101-disk-0.subvol',
      'ID:101/subvol-101-disk-0.raw',
      'ID:101/.incoming-101-2-vm-101-disk-0.raw',
      'ID:../vm-101-disk-0.raw/101/vm-101-disk-0.raw',
      'ID:102/base-103-disk-0.raw/101/vm-101-disk-0.raw',
      'ID:102/etc/101/vm-101-disk-0.raw',
      'ID:101/vm-101-disk-0.raw\n',
      'ID:101/vm-101-disk-0.raw/..',
      'ID:0/vm-0-disk-0.raw',
      'other:101/vm-101-disk-0.raw',
    ])('refuses %j as a volume, without touching anything', async (text) => {
      const volumeId = text.replace(/^ID/, storage.id);
      expect(() => storage.path(volumeId)).toThrow(expect.objectContaining({ code: 'bad-input' }));
      await expect(storage.size(volumeId)).rejects.toMatchObject({ code: 'bad-input' });
      await expect(storage.remove(volumeId)).rejects.toMatchObject({ code: 'bad-input' });
    });

    it.each([
      { vmid: 7, format: 'raw', sizeBytes: MIB },
      { vmid: 101, format: 'raw', sizeBytes: 0 },
      { vmid: 101, format: 'raw', sizeBytes: 1.5 },
      { vmid: 101, format: 'raw', sizeBytes: MIB, index: -1 },
      { vmid: 101, format: 'subvol', sizeBytes: MIB },
    ] as const)('refuses to create %j', async (request) => {
      await expect(storage.allocate(request)).rejects.toMatchObject({ code: 'bad-input' });
    });
  });
  incomingContract(name, open);
}
