import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FileLock, takeFileLock } from '../../../../src/drivers/host/file-lock.js';

let folder: string;
let path: string;
const locks: FileLock[] = [];
const children: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kedge-lock-'));
  path = join(folder, '101.lock');
});
afterEach(async () => {
  for (const lock of locks.splice(0)) lock.release();
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

async function take(options: { waitMs?: number } = {}): Promise<FileLock> {
  const lock = await takeFileLock(path, options);
  locks.push(lock);
  return lock;
}

/** A stranger that holds the lock: util-linux flock itself, with the lock in its own process. */
async function stranger(): Promise<ChildProcess> {
  const child = spawn('flock', ['--exclusive', '--no-fork', path, 'sh', '-c', 'echo held; read line'], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  await once(child.stdout, 'data');
  return child;
}

describe('takeFileLock', () => {
  it('refuses a second take in the same process and names the holder', async () => {
    await take();
    await expect(take()).rejects.toMatchObject({ code: 'guest-locked', details: { pid: process.pid } });
  });

  it('excludes other processes', async () => {
    await take();
    const other = spawn('flock', ['--nonblock', '--conflict-exit-code', '9', path, 'true']);
    expect(await once(other, 'exit')).toEqual([9, null]);
  });

  it('is refused while another process holds it, and free after kill -9 of that process', async () => {
    const holder = await stranger();
    await expect(take()).rejects.toMatchObject({ code: 'guest-locked' });
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    await take();
  });

  it('waits as long as it was told, and takes over when the holder ends', async () => {
    const holder = await stranger();
    await expect(take({ waitMs: 20 })).rejects.toMatchObject({ code: 'guest-locked' });
    const waiting = take({ waitMs: 10_000 });
    holder.stdin?.end('done\n');
    expect((await waiting).path).toBe(path);
  });

  it('is free again after release, which may be repeated', async () => {
    const lock = await take();
    lock.release();
    lock.release();
    await take();
  });

  it('is not kept alive by children that were spawned while it was held', async () => {
    const lock = await take();
    const child = spawn('sleep', ['60'], { detached: true });
    children.push(child);
    await once(child, 'spawn');
    lock.release();
    await take();
  });

  it('says storage-failed when the lock file is a folder', async () => {
    await expect(takeFileLock(folder)).rejects.toMatchObject({ code: 'storage-failed' });
  });
});
