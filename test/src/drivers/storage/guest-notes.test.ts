import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseGeneration, parseNodeName, parseVmid } from '../../../../src/domain/ids.js';
import { openGuestNotes } from '../../../../src/drivers/storage/guest-notes.js';

const VMID = parseVmid(101);
const marker = (generation: number, owner: string) => ({ generation: parseGeneration(generation), owner: parseNodeName(owner) });
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kedge-notes-'));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

test('a marker is made once, whoever comes first', async () => {
  const notes = openGuestNotes(root);
  expect(await Promise.all([notes.mark(VMID, marker(4, 'node1')), notes.mark(VMID, marker(4, 'node1'))])).toEqual([marker(4, 'node1'), marker(4, 'node1')]);
  expect(await notes.mark(VMID, marker(4, 'node2'))).toEqual(marker(4, 'node1'));
  expect(readdirSync(join(root, '.kedge'))).toEqual(['101.4']);
});

test('what a dead writer left without its name goes with the older markers, what is a moment old or of another guest stays', async () => {
  const notes = openGuestNotes(root);
  await notes.mark(VMID, marker(4, 'node1'));
  await notes.mark(VMID, marker(5, 'node1'));
  for (const name of ['.101.5.0123456789ab.stage', '.101.conf.0123456789ab.stage', '.101.6.ffffffffffff.stage', '.102.5.0123456789ab.stage'])
    writeFileSync(join(root, '.kedge', name), '');
  for (const name of ['.101.5.0123456789ab.stage', '.101.conf.0123456789ab.stage', '.102.5.0123456789ab.stage'])
    utimesSync(join(root, '.kedge', name), new Date(0), new Date(0));
  await notes.dropOlder(VMID, marker(5, 'node1'));
  expect(readdirSync(join(root, '.kedge')).sort()).toEqual(['.101.6.ffffffffffff.stage', '.102.5.0123456789ab.stage', '101.5']);
});

test('a storage that hangs is not waited for when it is read', async () => {
  const notes = openGuestNotes(root, 50);
  await notes.mark(VMID, marker(4, 'node1'));
  const hanging = join(root, '.kedge', '101.5');
  // Whoever opens it for reading waits for a writer.
  execFileSync('mkfifo', [hanging]);
  await expect(notes.newest(VMID)).rejects.toMatchObject({ code: 'storage-failed', message: expect.stringContaining('gives no answer for 0.05 s') });
  // Not even asked: each read that hangs keeps a thread from all other files of the process.
  await expect(notes.list()).rejects.toMatchObject({ code: 'storage-failed', message: expect.stringContaining('has not answered an earlier read yet') });
  appendFileSync(hanging, 'the end of the wait');
  await expect.poll(() => notes.list().catch(() => 'hangs')).toEqual([]);
});

test('many reads of a slow storage at once all get their answers, though they take longer than one may', async () => {
  const notes = openGuestNotes(root, 1_000);
  const files = [4, 5, 6, 7].map((generation) => join(root, '.kedge', `101.${generation}`));
  mkdirSync(join(root, '.kedge'), { recursive: true });
  execFileSync('mkfifo', files);
  // Each is answered 0.4 s after its reader has opened it.
  const writer = spawn('sh', ['-c', 'for file; do exec 3>"$file"; sleep 0.4; echo \'{"owner":"node1"}\' >&3; exec 3>&-; done', 'sh', ...files]);
  const found = await Promise.all([4, 5, 6, 7].map((generation) => notes.has(VMID, marker(generation, 'node1'))));
  expect(found).toEqual([true, true, true, true]);
  writer.kill();
});

test('a removal that is cut off leaves the newest marker, never an older one alone', async () => {
  const notes = openGuestNotes(root);
  // As names, 12 comes before 5 and 9.
  for (const generation of [12, 5, 9]) await notes.mark(VMID, marker(generation, 'node1'));
  // What can't be removed ends the removal.
  rmSync(join(root, '.kedge', '101.9'));
  mkdirSync(join(root, '.kedge', '101.9'));
  await expect(notes.remove(VMID)).rejects.toThrow();
  expect(readdirSync(join(root, '.kedge')).sort()).toEqual(['101.12', '101.9']);
  expect(await notes.guests()).toEqual([VMID]);
});
