import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { probeRsync } from '../../../../src/drivers/rsync/probe-rsync.js';
import { type RsyncLab, startRsyncLab } from './rsync-lab.js';

let lab: RsyncLab;
beforeEach(async () => {
  lab = await startRsyncLab();
});
afterEach(async () => {
  await lab.remove();
});

describe('rsync on another node', () => {
  it('tells its version and compressions, as the one of this node does', async () => {
    const ours = await probeRsync();
    expect(ours.version).toMatch(/^3\./);
    expect(ours.compression).toEqual(expect.arrayContaining(['lz4', 'zstd']));
    expect(await probeRsync(lab.ssh)).toEqual(ours);
  });

  it('is trusted by its pinned key only, and has to know ours', async () => {
    const [, blob = ''] = readFileSync(join(lab.folder, 'client.pub'), 'utf8').split(' ');
    const known = join(lab.folder, 'known_hosts');
    const right = readFileSync(known);
    writeFileSync(known, `node2 ssh-ed25519 ${blob}\n`);
    await expect(probeRsync(lab.ssh)).rejects.toMatchObject({ code: 'peer-untrusted' });
    writeFileSync(known, '');
    await expect(probeRsync(lab.ssh)).rejects.toMatchObject({ code: 'peer-untrusted' });
    writeFileSync(known, right);
    writeFileSync(join(lab.folder, 'authorized_keys'), '');
    await expect(probeRsync(lab.ssh)).rejects.toMatchObject({ code: 'peer-refused' });
  });
});
