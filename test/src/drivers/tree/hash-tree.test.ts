import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  lchownSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hashTree } from '../../../../src/drivers/tree/hash-tree.js';

const run = (program: string, ...args: string[]): string => execFileSync(program, args, { cwd: tree, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

let root: string;
let tree: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kedge-tree-'));
  tree = join(root, 'tree');
  mkdirSync(join(tree, 'folder'), { recursive: true });
  writeFileSync(join(tree, 'file'), 'content');
  writeFileSync(join(tree, 'folder', 'one'), 'same');
  linkSync(join(tree, 'folder', 'one'), join(tree, 'two'));
  writeFileSync(join(tree, 'three'), 'same');
  symlinkSync('file', join(tree, 'link'));
  run('mkfifo', 'fifo');
  run('mknod', 'device', 'c', '1', '7');
  writeFileSync(Buffer.from(`${tree}/\xff\n=\\ name`, 'latin1'), 'odd');
  run('setfattr', '-n', 'user.note', '-v', 'a', 'file');
  run('setfacl', '-m', 'u:1234:r', 'file');
  run('setfacl', '-d', '-m', 'u:1234:rx', 'folder');
  run('setcap', 'cap_net_raw+ep', 'two');
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

/** Undoes what `change` does to the times of its folder and file: only what is meant must be seen. */
function keepingTimes(names: readonly string[], change: () => void): void {
  const times = names.map((name) => [name, statSync(join(tree, name), { bigint: true }).mtimeNs] as const);
  change();
  for (const [name, mtimeNs] of times) run('touch', '-h', '-d', `@${mtimeNs / 1_000_000_000n}.${String(mtimeNs % 1_000_000_000n).padStart(9, '0')}`, name);
}

describe('hashTree()', () => {
  test('tells how many files it has read, of those that it has found', async () => {
    for (let number = 0; number < 200; number += 1) writeFileSync(join(tree, `more-${number}`), 'more');
    const told: { hashed: number; total: number | null }[] = [];
    await hashTree(tree, { onProgress: (progress) => told.push(progress) });
    expect(told.map(({ hashed }) => hashed)).toEqual([64, 128, 192]);
    // With the five files of every test's tree; null until the last one is found.
    for (const { total } of told) expect([null, 205]).toContain(total);
  });

  test('is the same for a copy by rsync, whatever the order on the disk', async () => {
    const copy = join(root, 'copy');
    run('rsync', '-aHAXS', '--numeric-ids', '--modify-window=-1', `${tree}/`, `${copy}/`);
    const digest = await hashTree(tree);
    expect(await hashTree(copy)).toEqual(digest);
    expect(digest).toMatchObject({ digest: expect.stringMatching(/^[0-9a-f]{64}$/), entries: 10, bytes: 22 });
  });

  test.each<[what: string, touched: readonly string[], change: () => void]>([
    ['a changed byte of equal size', ['file'], () => writeFileSync(join(tree, 'file'), 'Content')],
    ['another mode', ['file'], () => chmodSync(join(tree, 'file'), 0o4755)],
    ['another owner', ['file'], () => lchownSync(join(tree, 'file'), 1, 0)],
    ['another group of a symbolic link', [], () => lchownSync(join(tree, 'link'), 0, 1)],
    ['a longer file', ['file'], () => truncateSync(join(tree, 'file'), 8)],
    ['another time of change', [], () => utimesSync(join(tree, 'file'), 5, 5)],
    ['another time of a folder', [], () => utimesSync(join(tree, 'folder'), 5, 5)],
    ['another time of a symbolic link', [], () => lutimesSync(join(tree, 'link'), 5, 5)],
    ['another target', ['.'], () => run('ln', '-sfn', 'fil2', 'link')],
    ['another device number', ['.', 'device'], () => run('sh', '-c', 'rm device; mknod device c 1 3')],
    ['a block device for a character device', ['.', 'device'], () => run('sh', '-c', 'rm device; mknod device b 1 7')],
    ['a changed attribute', ['file'], () => run('setfattr', '-n', 'user.note', '-v', 'b', 'file')],
    ['a missing attribute', ['file'], () => run('setfattr', '-x', 'user.note', 'file')],
    ['a changed ACL', ['file'], () => run('setfacl', '-m', 'u:1234:rw', 'file')],
    ['a missing ACL for new files', ['folder'], () => run('setfacl', '-k', 'folder')],
    ['a missing capability', ['two'], () => run('setcap', '-r', 'two')],
    ['a hard link that became a copy', ['.', 'two'], () => run('sh', '-c', 'cp -a two x; mv x two')],
    ['copies that became one file', ['.', 'three', 'two'], () => run('sh', '-c', 'setcap -r two; touch -r three two; ln -f two three')],
    ['an extra file', ['.'], () => writeFileSync(join(tree, 'extra'), '')],
    ['a missing file', ['.'], () => unlinkSync(join(tree, 'fifo'))],
    ['another name', ['.'], () => renameSync(join(tree, 'fifo'), join(tree, 'fifa'))],
    ['an empty folder for a file', ['.'], () => run('sh', '-c', 'rm fifo; mkdir fifo')],
  ])('sees %s', async (_, touched, change) => {
    const before = await hashTree(tree);
    keepingTimes(touched, change);
    expect((await hashTree(tree)).digest).not.toBe(before.digest);
  });

  test('sees which of two equal files a hard link belongs to', async () => {
    for (const name of ['a', 'b', 'c']) writeFileSync(join(tree, name), 'x');
    for (const name of ['a', 'b', 'c']) utimesSync(join(tree, name), 5, 5);
    const pair = async (from: string, to: string): Promise<string> => {
      keepingTimes(['.'], () => run('ln', from, to));
      const { digest } = await hashTree(tree);
      keepingTimes(['.'], () => unlinkSync(join(tree, to)));
      return digest;
    };
    expect(await pair('a', 'd')).not.toBe(await pair('b', 'd'));
  });

  test('takes holes and the bytes that they stand for as the same', async () => {
    writeFileSync(join(tree, 'big'), Buffer.alloc(1 << 20));
    utimesSync(join(tree, 'big'), 5, 5);
    utimesSync(tree, 5, 5);
    const before = await hashTree(tree);
    keepingTimes(['.', 'big'], () => {
      truncateSync(join(tree, 'big'), 0);
      truncateSync(join(tree, 'big'), 1 << 20);
    });
    expect(await hashTree(tree)).toEqual(before);
  });

  test('refuses a tree with something mounted in it', async () => {
    const mounted = join(tree, 'folder');
    run('mount', '-t', 'tmpfs', 'kedge-test', mounted);
    try {
      await expect(hashTree(tree)).rejects.toMatchObject({ code: 'storage-failed', message: expect.stringContaining(mounted) });
    } finally {
      run('umount', mounted);
    }
  });

  test('says what failed, and ends when it is told to', async () => {
    await expect(hashTree(join(root, 'missing'))).rejects.toMatchObject({ code: 'storage-failed' });
    await expect(hashTree(tree, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
  });
});
