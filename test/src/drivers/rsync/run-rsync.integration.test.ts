import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { revokeGrant } from '../../../../src/drivers/rsync/grant-store.js';
import { probeRsync } from '../../../../src/drivers/rsync/probe-rsync.js';
import { imagePassArguments, type ImagePass, treePassArguments } from '../../../../src/drivers/rsync/rsync-arguments.js';
import { runRsync, type RsyncResult, type RsyncRun } from '../../../../src/drivers/rsync/run-rsync.js';
import { makeImage, MIB, type RsyncLab, scribble, startRsyncLab } from './rsync-lab.js';

let lab: RsyncLab;
let image: string;
beforeEach(async () => {
  lab = await startRsyncLab();
  image = join(lab.source, 'vm-101-disk-0.raw');
});
afterEach(async () => {
  await lab.remove();
});

type Pass = Partial<Omit<ImagePass, 'source'>> & Pick<ImagePass, 'target'>;
const argumentsOf = (pass: Pass): readonly string[] => imagePassArguments({ source: image, compression: 'lz4', final: false, targetIsEmpty: false, ...pass });
const copy = (pass: Pass, run: Partial<RsyncRun> = {}): Promise<RsyncResult> => runRsync({ args: argumentsOf(pass), vanishedFiles: 'error', ...run });
const allocated = (path: string): number => statSync(path).blocks * 512;
const same = (name: string): boolean => readFileSync(image).equals(readFileSync(join(lab.storage, name)));

/** Processes whose command line has all of these words. */
function running(...words: readonly string[]): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        return words.every((word) => command.includes(word));
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** A slow copy and a promise of the moment at which it has moved `bytes`. */
function slowCopy(pass: Pass, { kibps, bytes }: { readonly kibps: number; readonly bytes: number }) {
  const controller = new AbortController();
  let reached = (): void => undefined;
  const moved = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const ended = copy(
    { compression: 'none', bwlimitKibps: kibps, ...pass },
    { signal: controller.signal, onProgress: (progress) => progress.bytes >= bytes && reached() },
  );
  ended.catch(() => undefined);
  return { ended, moved, abort: () => controller.abort() };
}

describe('a copy of an image to another node', () => {
  it('is equal and as sparse, tells its progress, and its deltas cost what changed', async () => {
    makeImage(image, { size: 64, data: 8, at: 20 });
    const target = await lab.grant('disk', 'file');
    const percents: number[] = [];
    const seed = await copy({ target, targetIsEmpty: true }, { onProgress: ({ percent }) => percents.push(percent) });
    expect(same('disk')).toBe(true);
    expect(allocated(join(lab.storage, 'disk'))).toBeLessThanOrEqual(allocated(image) + MIB);
    expect(seed).toMatchObject({ filesTransferred: 1, totalFileBytes: 64 * MIB, literalBytes: 64 * MIB, matchedBytes: 0 });
    // The holes go over the wire as zeroes, and are packed.
    expect(seed.sentBytes).toBeLessThan(10 * MIB);
    expect(percents.at(-1)).toBe(100);

    scribble(image, { count: 2, at: 40 });
    const delta = await copy({ target });
    expect(same('disk')).toBe(true);
    expect(delta).toMatchObject({ literalBytes: 2 * MIB, matchedBytes: 62 * MIB });

    // Data that became zeroes, and an image that grew, in the last pass.
    execFileSync('fallocate', ['--punch-hole', '--offset', String(20 * MIB), '--length', String(4 * MIB), image]);
    truncateSync(image, 80 * MIB);
    await copy({ target, final: true });
    expect(same('disk')).toBe(true);
    expect(allocated(join(lab.storage, 'disk'))).toBeLessThanOrEqual(allocated(image) + MIB);
  });

  it('notices a change that left size and time as they were', async () => {
    makeImage(image, { size: 4, data: 4, at: 0 });
    const target = await lab.grant('disk', 'file');
    await copy({ target, targetIsEmpty: true });
    execFileSync('touch', ['-r', image, join(lab.storage, 'disk')]);
    const { mtime } = statSync(image);
    scribble(image, { count: 1, at: 2 });
    execFileSync('touch', ['-d', mtime.toISOString(), image]);
    await copy({ target });
    expect(same('disk')).toBe(true);
  });

  it('goes on from the bytes that are there after it was cancelled, and leaves no process', async () => {
    makeImage(image, { size: 16, data: 16, at: 0 });
    const target = await lab.grant('disk', 'file');
    const { ended, moved, abort } = slowCopy({ target, targetIsEmpty: true }, { kibps: 8_192, bytes: 6 * MIB });
    await moved;
    abort();
    await expect(ended).rejects.toMatchObject({ code: 'cancelled' });
    expect(running('rsync', target.token)).toEqual([]);
    const rest = await copy({ target, final: true });
    expect(same('disk')).toBe(true);
    expect(rest.matchedBytes).toBeGreaterThanOrEqual(4 * MIB);
  });

  it('does not start when it was cancelled before', async () => {
    makeImage(image, { size: 1, data: 1, at: 0 });
    await expect(copy({ target: await lab.grant('disk', 'file') }, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('fails retryably when the sshd of the other node dies, and is repeated with what is there', async () => {
    makeImage(image, { size: 16, data: 16, at: 0 });
    const target = await lab.grant('disk', 'file');
    const { ended, moved } = slowCopy({ target, targetIsEmpty: true }, { kibps: 8_192, bytes: 4 * MIB });
    await moved;
    await lab.killSshd();
    await expect(ended).rejects.toMatchObject({ retryable: true, details: { retry: 'backoff' } });
    await expect(copy({ target })).rejects.toMatchObject({ code: 'peer-unreachable', retryable: true });
  });

  it('fails retryably when its rsync is killed on either side', async () => {
    makeImage(image, { size: 16, data: 16, at: 0 });
    for (const words of [
      ['rsync', '--server', 'disk'],
      ['rsync', '--sparse', 'node2:'],
    ]) {
      const target = await lab.grant('disk', 'file');
      const { ended, moved } = slowCopy({ target, targetIsEmpty: true }, { kibps: 8_192, bytes: 4 * MIB });
      await moved;
      for (const pid of running(...words)) process.kill(pid, 'SIGKILL');
      await expect(ended).rejects.toMatchObject({ retryable: true, details: { retry: 'backoff' } });
    }
  });

  it('is given up when nothing moves, even when its process is frozen', async () => {
    makeImage(image, { size: 16, data: 16, at: 0 });
    const target = await lab.grant('disk', 'file');
    const controller = new AbortController();
    const stalled = copy(
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
    makeImage(image, { size: 16, data: 16, at: 0 });
    mkdirSync(join(lab.storage, 'small'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', join(lab.storage, 'small')]);
    try {
      const file = await lab.grant('small/disk', 'file');
      await expect(copy({ target: file, targetIsEmpty: true })).rejects.toMatchObject({ code: 'no-space', retryable: false, details: { retry: 'never' } });
    } finally {
      execFileSync('umount', [join(lab.storage, 'small')]);
    }
  });

  it('says when the source is not there', async () => {
    await expect(copy({ target: await lab.grant('disk', 'file') })).rejects.toMatchObject({
      code: 'copy-refused',
      message: expect.stringContaining('No such file or directory'),
    });
  });
});

describe('the grant of a copy', () => {
  beforeEach(() => makeImage(image, { size: 2, data: 2, at: 0 }));

  it('counts for its peer, its place and its kind only', async () => {
    const refused = { code: 'peer-refused', retryable: false };
    await expect(copy({ target: await lab.grant('disk', 'file', 'node3') })).rejects.toMatchObject(refused);
    await expect(copy({ target: { ...(await lab.grant('disk', 'file')), token: '0'.repeat(32) } })).rejects.toMatchObject(refused);
    await expect(copy({ target: await lab.grant('folder', 'tree') })).rejects.toMatchObject(refused);
    expect(statSync(join(lab.storage, 'disk')).size).toBe(0);
  });

  it('does not follow a link that took the place of the file, and makes no file that is gone', async () => {
    const target = await lab.grant('disk', 'file');
    unlinkSync(join(lab.storage, 'disk'));
    await expect(copy({ target })).rejects.toMatchObject({ code: 'peer-refused', message: expect.stringContaining('does not exist') });
    writeFileSync(join(lab.storage, 'secret'), 'secret');
    symlinkSync(join(lab.storage, 'secret'), join(lab.storage, 'disk'));
    await expect(copy({ target })).rejects.toMatchObject({ code: 'peer-refused' });
    expect(readFileSync(join(lab.storage, 'secret'), 'utf8')).toBe('secret');
  });

  it('lets one rsync in at a time: the next one waits until the one before has ended', async () => {
    makeImage(image, { size: 8, data: 8, at: 0 });
    const target = await lab.grant('disk', 'file');
    const first = slowCopy({ target, targetIsEmpty: true }, { kibps: 8_192, bytes: 2 * MIB });
    await first.moved;
    let firstHasEnded = false;
    void first.ended.then(() => {
      firstHasEnded = true;
    });
    await copy({ target });
    expect(firstHasEnded).toBe(true);
    expect(same('disk')).toBe(true);
  });

  it('ends every writer when it is taken back, and lets no other in', async () => {
    makeImage(image, { size: 16, data: 16, at: 0 });
    const target = await lab.grant('disk', 'file');
    const { ended, moved } = slowCopy({ target, targetIsEmpty: true }, { kibps: 4_096, bytes: 2 * MIB });
    await moved;
    await revokeGrant(lab.grants, target.token);
    const size = statSync(join(lab.storage, 'disk'), { bigint: true });
    expect(running('rsync', '--server', join(lab.storage, 'disk'))).toEqual([]);
    await expect(ended).rejects.toMatchObject({ retryable: true });
    await expect(copy({ target })).rejects.toMatchObject({ code: 'peer-refused' });
    expect(statSync(join(lab.storage, 'disk'), { bigint: true }).mtimeNs).toBe(size.mtimeNs);
    await revokeGrant(lab.grants, target.token);
  });

  it('leaves the peer no other command than the copy and the question for the version', async () => {
    const target = await lab.grant('disk', 'file');
    const [ssh = '', ...args] = target.remoteShell;
    const ask = (command: string): unknown => {
      try {
        return execFileSync(ssh, [...args, 'node2', command], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
      } catch (error) {
        return error;
      }
    };
    expect(ask('rsync --version')).toMatch(/^rsync +version/);
    const read = ask(`rsync --server --sender -e.L . ${target.token}`);
    expect(read).toMatchObject({ status: 100, stderr: expect.stringContaining('never granted') });
    expect(ask(`rsync --server -ISe.L --inplace --log-file=${lab.storage}/log . ${target.token}`)).toMatchObject({ status: 100 });
    expect(readdirSync(lab.storage)).toEqual(['disk']);
  });
});

describe('rsync on another node', () => {
  it('tells its version and compressions, as the one of this node does', async () => {
    const ours = await probeRsync();
    expect(ours.version).toMatch(/^3\./);
    expect(ours.compression).toEqual(expect.arrayContaining(['lz4', 'zstd']));
    expect(await probeRsync(lab.target)).toEqual(ours);
  });

  it('is trusted by its pinned key only, and has to know ours', async () => {
    const [, blob = ''] = readFileSync(join(lab.folder, 'client.pub'), 'utf8').split(' ');
    const known = join(lab.folder, 'known_hosts');
    const right = readFileSync(known);
    writeFileSync(known, `node2 ssh-ed25519 ${blob}\n`);
    await expect(probeRsync(lab.target)).rejects.toMatchObject({ code: 'peer-untrusted' });
    writeFileSync(known, '');
    await expect(probeRsync(lab.target)).rejects.toMatchObject({ code: 'peer-untrusted' });
    writeFileSync(known, right);
    writeFileSync(join(lab.folder, 'authorized_keys'), '');
    await expect(probeRsync(lab.target)).rejects.toMatchObject({ code: 'peer-refused' });
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
  makeImage(image, { size: 64, data: 64, at: 0 });
  const target = await lab.grant('disk', 'file');
  const program = join(lab.folder, 'worker.mjs');
  const contents = `import { runRsync } from './src/drivers/rsync/run-rsync.ts';
    await runRsync({ args: JSON.parse(process.argv[2]), vanishedFiles: 'error', onProgress: () => console.log('moves') });`;
  await build({ stdin: { contents, resolveDir: process.cwd() }, outfile: program, bundle: true, platform: 'node', format: 'esm', logLevel: 'error' });
  const args = argumentsOf({ target, targetIsEmpty: true, compression: 'none', bwlimitKibps: 4_096 });
  const worker = spawn(process.execPath, [program, JSON.stringify(args)], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(worker.stdout, 'data');
  worker.kill('SIGKILL');
  await vi.waitFor(() => expect(running(target.token)).toEqual([]), { timeout: 10_000, interval: 50 });
  await copy({ target });
  expect(same('disk')).toBe(true);
});
