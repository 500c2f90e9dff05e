import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, statSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { probeRsync } from '../../../../src/drivers/rsync/probe-rsync.js';
import { treePassArguments } from '../../../../src/drivers/rsync/rsync-arguments.js';
import { runRsync, type RsyncResult } from '../../../../src/drivers/rsync/run-rsync.js';
import { makeImage, MIB, type RsyncLab, running, scribble, startRsyncLab } from './rsync-lab.js';

let lab: RsyncLab;
beforeEach(async () => {
  lab = await startRsyncLab();
});
afterEach(async () => {
  await lab.remove();
});

const allocated = (path: string): number => statSync(path).blocks * 512;

it("this node's rsync tells its version and compressions", async () => {
  const { version, compression } = await probeRsync();
  expect(version).toMatch(/^3\./);
  expect(compression).toEqual(expect.arrayContaining(['lz4', 'zstd']));
});

describe('a copy of an image to another node', () => {
  it('is equal and as sparse, tells its progress, and its deltas cost what changed', async () => {
    makeImage(lab.image, { size: 64, data: 8, at: 20 });
    const target = await lab.grant('disk', 'file');
    const percents: number[] = [];
    const seed = await lab.copy({ target, targetIsEmpty: true }, { onProgress: ({ percent }) => percents.push(percent) });
    expect(lab.same('disk')).toBe(true);
    expect(allocated(join(lab.storage, 'disk'))).toBeLessThanOrEqual(allocated(lab.image) + MIB);
    expect(seed).toMatchObject({ filesTransferred: 1, totalFileBytes: 64 * MIB, literalBytes: 64 * MIB, matchedBytes: 0 });
    // The holes go over the wire as zeroes, and are packed.
    expect(seed.sentBytes).toBeLessThan(10 * MIB);
    expect(percents.at(-1)).toBe(100);

    scribble(lab.image, { count: 2, at: 40 });
    const delta = await lab.copy({ target });
    expect(lab.same('disk')).toBe(true);
    expect(delta).toMatchObject({ literalBytes: 2 * MIB, matchedBytes: 62 * MIB });

    // Data that became zeroes, and an image that grew, in the last pass.
    execFileSync('fallocate', ['--punch-hole', '--offset', String(20 * MIB), '--length', String(4 * MIB), lab.image]);
    truncateSync(lab.image, 80 * MIB);
    await lab.copy({ target, final: true });
    expect(lab.same('disk')).toBe(true);
    expect(allocated(join(lab.storage, 'disk'))).toBeLessThanOrEqual(allocated(lab.image) + MIB);
  });

  it('notices a change that left size and time as they were', async () => {
    makeImage(lab.image, { size: 4, data: 4, at: 0 });
    const target = await lab.grant('disk', 'file');
    await lab.copy({ target, targetIsEmpty: true });
    execFileSync('touch', ['-r', lab.image, join(lab.storage, 'disk')]);
    const { mtime } = statSync(lab.image);
    scribble(lab.image, { count: 1, at: 2 });
    execFileSync('touch', ['-d', mtime.toISOString(), lab.image]);
    await lab.copy({ target });
    expect(lab.same('disk')).toBe(true);
  });

  it('goes on from the bytes that are there after it was cancelled, and leaves no process', async () => {
    makeImage(lab.image, { size: 16, data: 16, at: 0 });
    const target = await lab.grant('disk', 'file');
    const { ended, moved, abort } = lab.slowCopy({ target, targetIsEmpty: true }, { kibps: 8_192, bytes: 6 * MIB });
    await moved;
    abort();
    await expect(ended).rejects.toMatchObject({ code: 'cancelled' });
    expect(running('rsync', target.token)).toEqual([]);
    const rest = await lab.copy({ target, final: true });
    expect(lab.same('disk')).toBe(true);
    expect(rest.matchedBytes).toBeGreaterThanOrEqual(4 * MIB);
  });

  it('does not start when it was cancelled before', async () => {
    makeImage(lab.image, { size: 1, data: 1, at: 0 });
    await expect(lab.copy({ target: await lab.grant('disk', 'file') }, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('fails retryably when the sshd of the other node dies, and is repeated with what is there', async () => {
    makeImage(lab.image, { size: 16, data: 16, at: 0 });
    const target = await lab.grant('disk', 'file');
    const { ended, moved } = lab.slowCopy({ target, targetIsEmpty: true }, { kibps: 8_192, bytes: 4 * MIB });
    await moved;
    await lab.killSshd();
    await expect(ended).rejects.toMatchObject({ retryable: true, details: { retry: 'backoff' } });
    await expect(lab.copy({ target })).rejects.toMatchObject({ code: 'peer-unreachable', retryable: true });
  });

  it('fails retryably when its rsync is killed on either side', async () => {
    makeImage(lab.image, { size: 16, data: 16, at: 0 });
    for (const side of ['target', 'source'] as const) {
      const target = await lab.grant('disk', 'file');
      const { ended, moved } = lab.slowCopy({ target, targetIsEmpty: true }, { kibps: 8_192, bytes: 4 * MIB });
      await moved;
      const its = side === 'target' ? ['--server', join(lab.storage, 'disk')] : ['--sparse', target.token];
      for (const pid of running('rsync', ...its)) process.kill(pid, 'SIGKILL');
      await expect(ended).rejects.toMatchObject({ retryable: true, details: { retry: 'backoff' } });
    }
  });

  it('is given up when nothing moves, even when its process is frozen', async () => {
    makeImage(lab.image, { size: 16, data: 16, at: 0 });
    const target = await lab.grant('disk', 'file');
    const controller = new AbortController();
    const stalled = lab.copy(
      { target, targetIsEmpty: true, compression: 'none', bwlimitKibps: 2_048 },
      {
        stallTimeoutMs: 400,
        signal: controller.signal,
        onProgress: () => running('rsync', '--sparse', target.token).forEach((pid) => process.kill(pid, 'SIGSTOP')),
      },
    );
    await expect(stalled).rejects.toMatchObject({ code: 'copy-stalled', retryable: true });
    expect(running('rsync', '--sparse', target.token)).toEqual([]);
  });

  it('says that the target is full, and that it is no use to try again', async () => {
    makeImage(lab.image, { size: 16, data: 16, at: 0 });
    mkdirSync(join(lab.storage, 'small'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', join(lab.storage, 'small')]);
    try {
      const file = await lab.grant('small/disk', 'file');
      await expect(lab.copy({ target: file, targetIsEmpty: true })).rejects.toMatchObject({ code: 'no-space', retryable: false, details: { retry: 'never' } });
    } finally {
      execFileSync('umount', [join(lab.storage, 'small')]);
    }
  });

  it('is made only to a node with the pinned key, which has to know ours', async () => {
    makeImage(lab.image, { size: 1, data: 1, at: 0 });
    const target = await lab.grant('disk', 'file');
    const [, blob = ''] = readFileSync(join(lab.folder, 'client.pub'), 'utf8').split(' ');
    const known = join(lab.folder, 'known_hosts');
    const right = readFileSync(known);
    writeFileSync(known, `node2 ssh-ed25519 ${blob}\n`);
    await expect(lab.copy({ target })).rejects.toMatchObject({ code: 'peer-untrusted' });
    writeFileSync(known, '');
    await expect(lab.copy({ target })).rejects.toMatchObject({ code: 'peer-untrusted' });
    writeFileSync(known, right);
    writeFileSync(join(lab.folder, 'authorized_keys'), '');
    await expect(lab.copy({ target })).rejects.toMatchObject({ code: 'peer-refused' });
  });

  it('is equal where the image now ends in zeroes, also when these are written, and keeps the holes of before', async () => {
    makeImage(lab.image, { size: 64, data: 8, at: 56 });
    const target = await lab.grant('disk', 'file');
    await lab.copy({ target, targetIsEmpty: true });
    execFileSync('fallocate', ['--punch-hole', '--offset', String(60 * MIB), '--length', String(4 * MIB), lab.image]);
    await lab.copy({ target, final: true, writeZeroes: true });
    const copy = join(lab.storage, 'disk');
    expect(lab.same('disk')).toBe(true);
    expect(allocated(copy)).toBeLessThanOrEqual(9 * MIB);
  });

  it('says when the source is not there', async () => {
    await expect(lab.copy({ target: await lab.grant('disk', 'file') })).rejects.toMatchObject({
      code: 'copy-refused',
      message: expect.stringContaining('No such file or directory'),
    });
  });
});

describe('a copy of a tree to another node', () => {
  it('is equal in everything that rsync itself can compare, also after changes and removals', async () => {
    const root = join(lab.source, 'root');
    const target = await lab.grant('root', 'tree');
    const script = `set -e; mkdir -p "$1/etc" "$1/dev"; cd "$1"
      echo one > etc/one; ln etc/one etc/hard; ln -s one etc/soft; mkfifo dev/fifo; mknod dev/null c 1 3; chmod 4755 etc/one
      chown 100000:100033 etc/one; setfattr -n user.kedge -v yes etc/one; setfacl -m u:100005:r etc/one; truncate -s 8M etc/sparse
      echo x > -rf; echo y > 'node9:name'; setfattr -n security.capability -v 0sAQAAAgAEAAAAAAAAAAAAAAAAAAA= -- -rf; touch gone`;
    execFileSync('bash', ['-c', script, 'bash', root]);
    const pass = (final: boolean): Promise<RsyncResult> =>
      runRsync({ args: treePassArguments({ source: root, target, final, compression: 'lz4' }), vanishedFiles: final ? 'error' : 'normal' });
    const differences = (): string =>
      execFileSync('rsync', ['-naHAXS', '--numeric-ids', '--checksum', '--delete', '--itemize-changes', `${root}/`, `${join(lab.storage, 'root')}/`], {
        encoding: 'utf8',
      });
    await pass(false);
    expect(differences()).toBe('');
    expect(allocated(join(lab.storage, 'root/etc/sparse'))).toBe(0);
    unlinkSync(join(root, 'gone'));
    writeFileSync(join(root, 'etc/one'), 'two\n');
    expect(differences()).not.toBe('');
    const { totalFileBytes } = await pass(true);
    expect(differences()).toBe('');
    expect(totalFileBytes).toBeGreaterThan(8 * MIB);
  });
});

it('a copy whose worker is killed ends by itself within seconds', async () => {
  makeImage(lab.image, { size: 64, data: 64, at: 0 });
  const target = await lab.grant('disk', 'file');
  const program = join(lab.folder, 'worker.mjs');
  const contents = `import { runRsync } from './src/drivers/rsync/run-rsync.ts';
    await runRsync({ args: JSON.parse(process.argv[2]), vanishedFiles: 'error', onProgress: () => console.log('moves') });`;
  await build({ stdin: { contents, resolveDir: process.cwd() }, outfile: program, bundle: true, platform: 'node', format: 'esm', logLevel: 'error' });
  const args = lab.argumentsOf({ target, targetIsEmpty: true, compression: 'none', bwlimitKibps: 4_096 });
  const worker = spawn(process.execPath, [program, JSON.stringify(args)], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(worker.stdout, 'data');
  worker.kill('SIGKILL');
  await vi.waitFor(() => expect(running(target.token)).toEqual([]), { timeout: 10_000, interval: 50 });
  await lab.copy({ target });
  expect(lab.same('disk')).toBe(true);
});
