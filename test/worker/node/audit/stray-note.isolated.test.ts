/** What an audit sees of the note of guest 901 on the storage `shared`, and when it removes it. */
import { arm, crashHits, removeCrashFolder } from '../../../support/crash-folder.js';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseGeneration } from '../../../../src/domain/ids.js';
import type { RepairResult } from '../../../../src/domain/repair.js';
import { openStorage } from '../../../../src/drivers/storage/open-storage.js';
import { listNotes } from '../../../../worker/node/audit/list-notes.js';
import { repairNode } from '../../../../worker/node/audit/repair-node.js';
import { readStorageConfig } from '../../../../worker/node/guests/launch-guest.js';
import { manageGuest } from '../../../../worker/node/guests/manage-guest.js';
import { keepNotes } from '../../../../worker/node/notes/watch-notes.js';
import { LOST, lostCluster, OTHER, TAKER, VMID, type LostCluster } from '../../../support/lost-cluster.js';

let cluster: LostCluster;
beforeEach(async () => {
  cluster = await lostCluster();
  await cluster.own(5);
});
afterEach(() => cluster.remove());
afterAll(removeCrashFolder);

const disk = async (): Promise<void> => {
  const storage = openStorage(await readStorageConfig(cluster.node(LOST)), { id: 'shared', node: LOST });
  await storage.allocate({ vmid: VMID, format: 'raw', sizeBytes: 4096, index: 0 });
};
const remove = (generation: number | null = 5): Promise<RepairResult> =>
  repairNode(cluster.node(OTHER), {
    node: OTHER,
    vmid: VMID,
    repair: { do: 'remove-note', storage: 'shared', generation: generation === null ? null : parseGeneration(generation) },
  });
const lose = () => cluster.node(LOST).records.remove(VMID);
const isThere = async () => [(await cluster.notes.read(VMID)) !== null, await cluster.notes.newest(VMID)];
const STAYS = [true, { generation: 5, owner: LOST }];
const GONE = [false, null];

describe('an audit', () => {
  test('sees the notes of other nodes’ guests, and none that says the same as its own records', async () => {
    const { notes } = await listNotes(cluster.node(OTHER));
    expect(notes).toEqual([
      { vmid: VMID, storage: 'shared', identity: expect.any(String), newest: { generation: 5, owner: LOST }, kind: 'qemu', hasDisks: false, unreadable: null },
    ]);
    expect(await listNotes(cluster.node(LOST))).toEqual({ notes: [], notesUnread: [] });
    await disk();
    expect((await listNotes(cluster.node(OTHER))).notes).toMatchObject([{ hasDisks: true }]);
  });

  test('sees its own guest’s note where that says otherwise', async () => {
    await cluster.record(LOST, 'owned', 7);
    expect((await listNotes(cluster.node(LOST))).notes).toMatchObject([{ newest: { generation: 5 } }]);
  });

  test('tells of a note that can not be understood, and of a storage that can not be read', async () => {
    writeFileSync(join(cluster.notes.folder, `${VMID}.conf`), 'rubbish');
    cluster.sicken('second', true);
    expect(await listNotes(cluster.node(OTHER))).toMatchObject({
      notes: [{ vmid: VMID, unreadable: expect.stringContaining('Cannot understand') }],
      notesUnread: [{ storage: 'second' }],
    });
  });

  test('sees markers without a config', async () => {
    rmSync(join(cluster.notes.folder, `${VMID}.conf`));
    expect((await listNotes(cluster.node(OTHER))).notes).toMatchObject([{ kind: null, newest: { generation: 5 } }]);
  });
});

describe('the note of a guest that no node has', () => {
  beforeEach(lose);

  test('is removed when no disk is there', async () => {
    arm('node.stray-note-removal', 'repeat');
    expect(await remove()).toMatchObject({ outcome: 'done' });
    expect(crashHits()).toContain('node.stray-note-removal repeat');
    expect(await isThere()).toEqual(GONE);
    expect(await remove()).toMatchObject({ outcome: 'gone' });
  });

  test('stays when a disk is there, on its storage or on one that its config names', async () => {
    await disk();
    expect(await remove()).toMatchObject({ outcome: 'refused', because: expect.stringContaining('had back') });
    expect(await isThere()).toEqual(STAYS);
  });

  test('stays when nobody can tell whether a disk is there', async () => {
    const note = await cluster.notes.read(VMID);
    if (note !== null) await cluster.notes.write({ ...note, config: `${note.config}unused0: local:901/vm-901-disk-1.raw\n` });
    expect(await remove()).toMatchObject({ outcome: 'refused' });
    expect(await isThere()).toEqual(STAYS);
  });

  test('stays while a node is silent: it may be the owner', async () => {
    cluster.dead.add(LOST);
    expect(await remove()).toEqual({ outcome: 'refused', because: 'node1 does not answer' });
    expect(await isThere()).toEqual(STAYS);
  });

  test('stays when a taker has made its marker since it was found', async () => {
    await cluster.notes.mark(VMID, { generation: parseGeneration(9), owner: TAKER });
    expect(await remove()).toMatchObject({ outcome: 'gone' });
    expect(await isThere()).toEqual([true, { generation: 9, owner: TAKER }]);
  });

  test.each(['incoming', 'armed', 'releasing'] as const)('stays while a node has %s', async (state) => {
    await cluster.record(TAKER, state, 6);
    expect(await remove()).toMatchObject({ outcome: 'refused' });
    expect(await isThere()).toEqual(STAYS);
  });
});

test('a lost guest is had back from its note, with its disks, under a generation beyond all that its owner can have had', async () => {
  await lose();
  await disk();
  const config = (await cluster.notes.read(VMID))?.config ?? '';
  await manageGuest(cluster.node(OTHER), { verb: 'create', vmid: VMID, config });
  await keepNotes(cluster.node(OTHER));
  expect([await cluster.state(OTHER), await cluster.notes.newest(VMID)]).toEqual(['owned(9)', { generation: 9, owner: OTHER }]);
  expect((await listNotes(cluster.node(TAKER))).notes).toMatchObject([{ hasDisks: true }]);
});

test('a lost guest that its former owner has back is that node’s on the storage too before its record is there, so that a taker makes that void', async () => {
  await lose();
  await disk();
  const config = (await cluster.notes.read(VMID))?.config ?? '';
  await manageGuest(cluster.node(LOST), { verb: 'create', vmid: VMID, config });
  // Its keeper has not looked yet.
  expect([await cluster.state(LOST), await cluster.notes.newest(VMID)]).toEqual(['owned(9)', { generation: 9, owner: LOST }]);
});

describe('the note of a guest that a node owns', () => {
  test('stays where it may be that of its owner', async () => {
    expect(await remove()).toMatchObject({ outcome: 'refused', because: expect.stringContaining('node1 owns the guest under 5') });
    expect(await isThere()).toEqual(STAYS);
  });

  test('stays while there are two owners', async () => {
    await cluster.record(TAKER, 'owned', 9);
    expect(await remove()).toMatchObject({ outcome: 'refused', because: expect.stringContaining('not certain') });
    expect(await isThere()).toEqual(STAYS);
  });

  test('is removed when its owner surely has the guest under a later generation, and is written anew by it where it belongs', async () => {
    await disk();
    await cluster.record(LOST, 'owned', 9);
    expect(await remove()).toMatchObject({ outcome: 'done' });
    expect(await isThere()).toEqual(GONE);
    await keepNotes(cluster.node(LOST));
    expect(await isThere()).toEqual([true, { generation: 9, owner: LOST }]);
  });
});
