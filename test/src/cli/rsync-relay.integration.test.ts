import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { revokeGrant } from '../../../src/drivers/rsync/grant-store.js';
import { treePassArguments } from '../../../src/drivers/rsync/rsync-arguments.js';
import { runRsync } from '../../../src/drivers/rsync/run-rsync.js';
import { makeImage, MIB, type RsyncLab, running, startRsyncLab } from '../drivers/rsync/rsync-lab.js';

let lab: RsyncLab;
beforeEach(async () => {
  lab = await startRsyncLab();
});
afterEach(async () => {
  await lab.remove();
});

describe('the grant of a copy', () => {
  beforeEach(() => makeImage(lab.image, { size: 2, data: 2, at: 0 }));

  it('counts for its peer, its place and its kind only', async () => {
    const refused = { code: 'peer-refused', retryable: false };
    await expect(lab.copy({ target: await lab.grant('disk', 'file', 'node3') })).rejects.toMatchObject(refused);
    await expect(lab.copy({ target: { ...(await lab.grant('disk', 'file')), token: '0'.repeat(32) } })).rejects.toMatchObject(refused);
    await expect(lab.copy({ target: await lab.grant('folder', 'tree') })).rejects.toMatchObject(refused);
    // Two files to one place: rsync would need a folder for them.
    const target = await lab.grant('disk', 'file');
    const [place, ...before] = [...lab.argumentsOf({ target })].reverse();
    const two = [...before.reverse(), join(lab.folder, 'known_hosts'), place ?? ''];
    await expect(runRsync({ args: two, vanishedFiles: 'error' })).rejects.toMatchObject({ code: 'copy-refused' });
    expect(statSync(join(lab.storage, 'disk')).size).toBe(0);
  });

  it('does not follow a link that took the place of the file, and makes no file that is gone', async () => {
    const target = await lab.grant('disk', 'file');
    unlinkSync(join(lab.storage, 'disk'));
    await expect(lab.copy({ target })).rejects.toMatchObject({ code: 'peer-refused', message: expect.stringContaining('does not exist') });
    writeFileSync(join(lab.storage, 'secret'), 'secret');
    symlinkSync(join(lab.storage, 'secret'), join(lab.storage, 'disk'));
    await expect(lab.copy({ target })).rejects.toMatchObject({ code: 'peer-refused' });
    expect(readFileSync(join(lab.storage, 'secret'), 'utf8')).toBe('secret');
  });

  it('lets one rsync in at a time: the next one waits until the one before has ended', async () => {
    // Three seconds: the second copy alone would need less than one.
    makeImage(lab.image, { size: 24, data: 24, at: 0 });
    const target = await lab.grant('disk', 'file');
    const first = lab.slowCopy({ target, targetIsEmpty: true }, { kibps: 8_192, bytes: 2 * MIB });
    await first.moved;
    let firstHasEnded = false;
    void first.ended.then(() => {
      firstHasEnded = true;
    });
    await lab.copy({ target });
    expect(firstHasEnded).toBe(true);
    expect(lab.same('disk')).toBe(true);
  });

  it('ends every writer when it is taken back, and lets no other in', async () => {
    makeImage(lab.image, { size: 16, data: 16, at: 0 });
    const target = await lab.grant('disk', 'file');
    const { ended, moved } = lab.slowCopy({ target, targetIsEmpty: true }, { kibps: 4_096, bytes: 2 * MIB });
    await moved;
    await revokeGrant(lab.grants, target.token);
    const size = statSync(join(lab.storage, 'disk'), { bigint: true });
    expect(running('rsync', '--server', join(lab.storage, 'disk'))).toEqual([]);
    await expect(ended).rejects.toMatchObject({ retryable: true });
    await expect(lab.copy({ target })).rejects.toMatchObject({ code: 'peer-refused' });
    expect(statSync(join(lab.storage, 'disk'), { bigint: true }).mtimeNs).toBe(size.mtimeNs);
    await revokeGrant(lab.grants, target.token);
  });

  it('leaves the peer no other command than the copy', async () => {
    const target = await lab.grant('disk', 'file');
    const [ssh = '', ...args] = target.remoteShell;
    const ask = (command: string): unknown => {
      try {
        return execFileSync(ssh, [...args, 'node2', command], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
      } catch (error) {
        return error;
      }
    };
    expect(ask('rsync --version')).toMatchObject({ status: 100 });
    const read = ask(`rsync --server --sender -e.L . ${target.token}`);
    expect(read).toMatchObject({ status: 100, stderr: expect.stringContaining('never granted') });
    expect(ask(`rsync --server -ISe.L --inplace --log-file=${lab.storage}/log . ${target.token}`)).toMatchObject({ status: 100 });
    expect(readdirSync(lab.storage)).toEqual(['disk']);
  });

  it('lets in every pass that we can ask for', async () => {
    const file = await lab.grant('disk', 'file');
    const tree = await lab.grant('root', 'tree');
    for (const compression of ['none', 'lz4', 'zstd'] as const) {
      for (const final of [false, true]) {
        const common = { final, compression, bwlimitKibps: final ? 100_000 : 0 };
        await lab.copy({ target: file, targetIsEmpty: !final, writeZeroes: final, ...common });
        const args = treePassArguments({ source: lab.source, target: tree, checksum: final, ...common });
        await runRsync({ args, vanishedFiles: 'normal' });
      }
    }
    expect(lab.same('disk') && lab.same('root/vm-101-disk-0.raw')).toBe(true);
  });
});
