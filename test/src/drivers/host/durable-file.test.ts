import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { removeDurably, removeStaleStages, stageFile, writeDurably } from '../../../../src/drivers/host/durable-file.js';
import { storageError } from '../../../../src/drivers/host/storage-error.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kedge-durable-'));
});
afterEach(async () => {
  await chmod(folder, 0o700);
  await rm(folder, { recursive: true, force: true });
});

describe('stageFile', () => {
  it('leaves the file as it is until commit', async () => {
    const path = join(folder, '101.json');
    await writeFile(path, 'old');
    const staged = await stageFile(path, 'new');
    expect(await readFile(path, 'utf8')).toBe('old');
    await staged.commit();
    expect(await readFile(path, 'utf8')).toBe('new');
    await staged.syncFolder();
    expect(await readdir(folder)).toEqual(['101.json']);
  });

  it('may be committed twice while its content is in force, and not after something newer', async () => {
    const file = join(folder, '101.json');
    const staged = await stageFile(file, 'next');
    await staged.commit();
    await staged.commit();
    expect(await readFile(file, 'utf8')).toBe('next');
    await writeDurably(file, 'newer');
    await expect(staged.commit()).rejects.toMatchObject({ code: 'storage-failed' });
    expect(await readFile(file, 'utf8')).toBe('newer');
  });

  it('may not be committed after it was discarded, even if the file happens to say the same', async () => {
    const file = join(folder, '101.json');
    await writeDurably(file, 'next');
    const staged = await stageFile(file, 'next');
    await staged.discard();
    await expect(staged.commit()).rejects.toMatchObject({ code: 'storage-failed' });
  });

  it('leaves nothing behind after discard, and discard after commit does nothing', async () => {
    const path = join(folder, '101.json');
    await (await stageFile(path, 'never')).discard();
    expect(await readdir(folder)).toEqual([]);
    const staged = await stageFile(path, 'kept');
    await staged.commit();
    await staged.discard();
    expect(await readFile(path, 'utf8')).toBe('kept');
  });

  it('keeps two stages of one file apart', async () => {
    const path = join(folder, '101.json');
    const first = await stageFile(path, 'first');
    const second = await stageFile(path, 'second');
    await second.commit();
    await first.discard();
    expect(await readFile(path, 'utf8')).toBe('second');
  });

  it('is readable by its owner alone unless told otherwise', async () => {
    await writeDurably(join(folder, 'secret'), 'x');
    await writeDurably(join(folder, 'public'), 'x', { mode: 0o644 });
    expect((await stat(join(folder, 'secret'))).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'public'))).mode & 0o777).toBe(0o644);
  });

  it('says storage-failed when the folder is missing', async () => {
    await expect(stageFile(join(folder, 'missing', 'x'), '')).rejects.toMatchObject({ code: 'storage-failed', details: { errno: 'ENOENT' } });
  });

  it('says storage-failed when the name is taken by a folder, and removes its temporary file', async () => {
    await expect(writeDurably(folder, 'x')).rejects.toMatchObject({ code: 'storage-failed' });
    expect((await readdir(join(folder, '..'))).filter((name) => name.endsWith('.stage') && name.includes(folder.slice(-6)))).toEqual([]);
  });
});

describe('storageError', () => {
  it.each(['ENOSPC', 'EDQUOT'])('calls %s no-space', (code) => {
    expect(storageError('write "x"', Object.assign(new Error('full'), { code }))).toMatchObject({ code: 'no-space', details: { errno: code } });
  });
});

describe('removeDurably', () => {
  it('removes a file and tolerates that it is gone, folder included', async () => {
    const path = join(folder, 'x');
    await writeFile(path, '');
    await removeDurably(path);
    await removeDurably(path);
    await removeDurably(join(folder, 'missing', 'x'));
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('removeStaleStages', () => {
  it('removes what a dead writer left, keeps what this process holds and what is not a stage', async () => {
    const left = '.101.json.0123456789ab.stage';
    await writeFile(join(folder, left), 'half');
    await writeFile(join(folder, '101.json'), 'record');
    await writeFile(join(folder, '.hidden'), 'other');
    const staged = await stageFile(join(folder, '102.json'), 'waiting');
    expect(await removeStaleStages(folder)).toEqual([left]);
    await staged.commit();
    expect((await readdir(folder)).sort()).toEqual(['.hidden', '101.json', '102.json']);
  });

  it('finds nothing in a missing folder', async () => {
    expect(await removeStaleStages(join(folder, 'missing'))).toEqual([]);
  });
});
