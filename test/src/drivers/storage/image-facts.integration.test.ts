import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, truncateSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readImageFacts } from '../../../../src/drivers/storage/image-facts.js';
import { whyNotCopied } from '../../../../src/drivers/storage/why-not-copied.js';

const MIB = 1_048_576;

let folder: string;
let image: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kedge-image-'));
  image = join(folder, 'image');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const qemuImg = (...args: readonly string[]): unknown => execFileSync('qemu-img', [...args], { cwd: folder });
const obstacles = async (): Promise<readonly string[]> => whyNotCopied('local:101/x', await readImageFacts(image, 'qcow2')).map(({ id }) => id);

describe('an image', () => {
  it('in raw has a size and nothing else', async () => {
    writeFileSync(image, '');
    truncateSync(image, 5 * MIB);
    expect(await readImageFacts(image, 'raw')).toMatchObject({
      format: 'raw',
      virtualBytes: 5 * MIB,
      allocatedBytes: 0,
      encrypted: false,
      snapshots: [],
      backing: null,
      dataFile: null,
      corrupt: false,
    });
  });

  it('in qcow2 tells its snapshots, which move with it', async () => {
    qemuImg('create', '-q', '-f', 'qcow2', image, '16M');
    qemuImg('snapshot', '-c', 'first', image);
    qemuImg('snapshot', '-c', 'second one', image);
    expect(await readImageFacts(image, 'qcow2')).toMatchObject({ virtualBytes: 16 * MIB, clusterBytes: 65_536, snapshots: ['first', 'second one'] });
    expect(await obstacles()).toEqual([]);
  });

  it('that is a linked clone names its base, also when that is gone, and is not copied alone', async () => {
    qemuImg('create', '-q', '-f', 'qcow2', 'base.qcow2', '16M');
    qemuImg('create', '-q', '-f', 'qcow2', '-b', 'base.qcow2', '-F', 'qcow2', image);
    unlinkSync(join(folder, 'base.qcow2'));
    expect((await readImageFacts(image, 'qcow2')).backing).toEqual({ file: join(folder, 'base.qcow2'), format: 'qcow2' });
    expect(await obstacles()).toEqual(['backing-file']);
  });

  it('that keeps its data elsewhere is not copied alone', async () => {
    qemuImg('create', '-q', '-f', 'qcow2', '-o', 'data_file=data.raw', image, '16M');
    expect((await readImageFacts(image, 'qcow2')).dataFile).toBe('data.raw');
    expect(await obstacles()).toEqual(['data-file']);
  });

  it('that is encrypted moves as it is', async () => {
    // Not LUKS: to make one, QEMU times the derivation of its key, which fails now and then on a busy machine.
    const secret = ['--object', 'secret,id=s,data=abc', '-o', 'encrypt.format=aes,encrypt.key-secret=s'];
    qemuImg('create', '-q', ...secret, '-f', 'qcow2', image, '1M');
    expect((await readImageFacts(image, 'qcow2')).encrypted).toBe(true);
    expect(await obstacles()).toEqual([]);
  });

  it('that is marked as corrupt is not copied', async () => {
    qemuImg('create', '-q', '-f', 'qcow2', image, '1M');
    const file = openSync(image, 'r+');
    // Bit 1 of the incompatible features, a big-endian number at byte 72.
    writeSync(file, Buffer.from([2]), 0, 1, 79);
    closeSync(file);
    expect(await obstacles()).toEqual(['corrupt']);
  });

  it('is what its name says: content of another format is refused, never guessed', async () => {
    writeFileSync(image, 'QFI no qcow2');
    truncateSync(image, MIB);
    await expect(readImageFacts(image, 'qcow2')).rejects.toMatchObject({ code: 'storage-failed' });
    qemuImg('create', '-q', '-f', 'qcow2', image, '16M');
    // A guest wrote this into its raw disk: it stays a raw disk.
    expect(await readImageFacts(image, 'raw')).toMatchObject({ format: 'raw', backing: null, snapshots: [] });
    await expect(readImageFacts(join(folder, 'absent'), 'raw')).rejects.toMatchObject({ code: 'storage-failed' });
  });
});
