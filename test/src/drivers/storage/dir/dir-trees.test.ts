import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openTrees, type TreeStorage } from '../../../../../src/drivers/storage/tree-storage.js';
import { parseStorageConfig } from '../../../../../src/schema/storage-config.js';

const VOLUME = 'local:101/subvol-101-disk-0.subvol';

let root: string;
let trees: TreeStorage;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kedge-trees-'));
  trees = openTrees(parseStorageConfig(`dir: local\n\tpath ${root}\n`), { id: 'local', node: 'node1' });
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

describe('folders of containers on a dir storage', () => {
  test('have the names of PVE and belong to the root of the container', async () => {
    await trees.create(VOLUME, { owner: 100_000 });
    const folder = join(root, 'images/101/subvol-101-disk-0.subvol');
    expect(trees.path(VOLUME)).toBe(folder);
    expect(statSync(folder)).toMatchObject({ uid: 100_000, gid: 100_000, mode: 0o40755 });
    expect(await trees.list()).toEqual([VOLUME]);
    expect(await trees.list(102)).toEqual([]);
  });

  test('are never made over one that exists', async () => {
    await trees.create(VOLUME, { owner: 0 });
    await expect(trees.create(VOLUME, { owner: 0 })).rejects.toMatchObject({ code: 'already-exists' });
  });

  test('are removed with all that is in them, and again without complaint', async () => {
    await trees.create(VOLUME, { owner: 0 });
    writeFileSync(join(trees.path(VOLUME), 'file'), 'x');
    await trees.remove(VOLUME);
    await trees.remove(VOLUME);
    expect(readdirSync(join(root, 'images'))).toEqual([]);
  });

  test('whose removal a crash cut off are no volume any more, and the next removal ends it', async () => {
    await trees.create(VOLUME, { owner: 0 });
    mkdirSync(`${trees.path(VOLUME)}.removed/half`, { recursive: true });
    writeFileSync(join(trees.path(VOLUME), 'new'), 'x');
    expect(await trees.list(101)).toEqual([VOLUME]);
    await trees.remove(VOLUME);
    expect(await trees.list(101)).toEqual([]);
    expect(existsSync(join(root, 'images/101'))).toBe(false);
  });

  test('are not removed while something is mounted in them', async () => {
    await trees.create(VOLUME, { owner: 0 });
    const inside = join(trees.path(VOLUME), 'mnt');
    mkdirSync(inside);
    execFileSync('mount', ['-t', 'tmpfs', 'kedge-test', inside]);
    try {
      writeFileSync(join(inside, 'precious'), 'x');
      await expect(trees.remove(VOLUME)).rejects.toMatchObject({ code: 'storage-failed', message: expect.stringContaining(inside) });
      expect(existsSync(join(inside, 'precious'))).toBe(true);
    } finally {
      execFileSync('umount', [inside]);
    }
  });

  test.each([
    ['local:101/vm-101-disk-0.raw', 'unsupported'],
    ['local:101/subvol-102-disk-0.subvol', 'bad-input'],
    ['local:101/../101/subvol-101-disk-0.subvol', 'bad-input'],
    ['local:101/subvol-101-disk-0.subvol/..', 'bad-input'],
    ['other:101/subvol-101-disk-0.subvol', 'bad-input'],
  ])('refuse %s', async (volumeId, code) => {
    await expect(trees.create(volumeId, { owner: 0 })).rejects.toMatchObject({ code });
    expect(() => trees.path(volumeId)).toThrow();
  });

  test('are not made below a storage folder that is not there', async () => {
    rmSync(root, { recursive: true });
    await expect(trees.create(VOLUME, { owner: 0 })).rejects.toMatchObject({ code: 'storage-failed' });
    mkdirSync(root);
  });
});
