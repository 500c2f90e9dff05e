import { arm, crashHits, removeCrashFolder } from '../../../support/crash-folder.js';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { migrationIdOf, parseGeneration } from '../../../../src/domain/ids.js';
import { openStorage } from '../../../../src/drivers/storage/open-storage.js';
import { manageGuest } from '../../../../worker/node/guests/manage-guest.js';
import { readStorageConfig } from '../../../../worker/node/guests/launch-guest.js';
import { keepNotes } from '../../../../worker/node/notes/watch-notes.js';
import { claimGuest } from '../../../../worker/node/steps/claim-guest.js';
import { CONFIG, LOST, lostCluster, OTHER, TAKER, VMID, type LostCluster } from '../../../support/lost-cluster.js';

let cluster: LostCluster;
beforeEach(async () => {
  cluster = await lostCluster();
});
afterEach(() => cluster.remove());
afterAll(removeCrashFolder);

const step = (generation: number) => ({
  vmid: VMID,
  generation: parseGeneration(generation),
  migrationId: migrationIdOf(VMID, parseGeneration(generation)),
  sequence: 1,
});

/** A guest of node2 without anything beside its disks. */
async function owned(config: string, generation = 3): Promise<void> {
  await cluster.node(TAKER).guestConfigs.write(VMID, 'qemu', config);
  await cluster.record(TAKER, 'owned', generation);
}

describe('a node', () => {
  test('notes the guests that another node could start, beside their disks', async () => {
    await owned(CONFIG);
    for (const point of ['node.note-marker', 'node.note-config', 'node.note-older'] as const) arm(point, 'repeat');
    await keepNotes(cluster.node(TAKER));
    expect(await cluster.notes.read(VMID)).toEqual({ vmid: VMID, kind: 'qemu', owner: TAKER, generation: 3, wanted: 'stopped', config: CONFIG });
    expect(await cluster.notes.newest(VMID)).toEqual({ generation: 3, owner: TAKER });
    expect(crashHits().filter((hit) => / repeat$/.test(hit))).toHaveLength(3);
  });

  test.each([
    ['a disk of its own', `${CONFIG}virtio1: local:901/vm-901-disk-1.raw\n`],
    ['a device of its own', `${CONFIG}hostpci0: 0000:01:00.0\n`],
    ['no disk at all', 'name: lost\nmemory: 64\n'],
  ])('notes none that needs it for %s, and takes an older note away', async (_, config) => {
    await cluster.own(2);
    await owned(config);
    arm('node.note-removal', 'repeat');
    await keepNotes(cluster.node(TAKER));
    expect([await cluster.notes.read(VMID), await cluster.notes.newest(VMID)]).toEqual([null, null]);
  });

  test.each(['owned', 'incoming', 'armed', 'releasing'] as const)('creates no guest whose number another node has, as %s', async (state) => {
    await cluster.record(OTHER, state, 4);
    await expect(create()).rejects.toMatchObject({ code: 'already-exists', message: expect.stringContaining(`${OTHER} has it: its record is ${state}(4)`) });
    expect(await cluster.state(TAKER)).toBe('missing');
  });

  test('creates no guest whose owner is silent, by what its storage says', async () => {
    await cluster.own(8);
    cluster.dead.add(LOST);
    await expect(create()).rejects.toMatchObject({
      code: 'already-exists',
      message: expect.stringMatching(/node1 has it under generation 8, and node1 does not answer/),
    });
    expect(await cluster.state(TAKER)).toBe('missing');
  });

  const create = () => manageGuest(cluster.node(TAKER), { verb: 'create', vmid: VMID, config: CONFIG.replace('raw', 'raw,size=1M') });

  test('replaces what the owner before had noted, and follows the first disk to another storage', async () => {
    await cluster.own(2);
    await owned(CONFIG);
    await keepNotes(cluster.node(TAKER));
    expect(await cluster.notes.newest(VMID)).toEqual({ generation: 3, owner: TAKER });
    await owned(CONFIG.replace('shared:', 'second:'));
    await keepNotes(cluster.node(TAKER));
    const second = openStorage(await readStorageConfig(cluster.node(TAKER)), { id: 'second', node: TAKER });
    expect([await cluster.notes.read(VMID), await second.notes.newest(VMID)]).toEqual([null, { generation: 3, owner: TAKER }]);
  });

  test('brings the note up to date before a claim, so that no record is ever far beyond it', async () => {
    await cluster.own(2);
    await owned(CONFIG, 4);
    await claimGuest(cluster.node(TAKER), { step: step(5), target: OTHER });
    expect(await cluster.notes.newest(VMID)).toEqual({ generation: 4, owner: TAKER });
  });

  test('takes a note away that it can not bring up to date before a claim, and claims', async () => {
    await cluster.own(2);
    await owned(CONFIG, 4);
    await cluster.node(TAKER).guestConfigs.write(VMID, 'qemu', 'memory: many\n');
    await claimGuest(cluster.node(TAKER), { step: step(5), target: OTHER });
    expect([await cluster.notes.read(VMID), await cluster.state(TAKER)]).toEqual([null, 'owned(4)']);
  });

  test('claims nothing that its storage says another node has taken over', async () => {
    await owned(CONFIG, 4);
    await cluster.notes.mark(VMID, { generation: parseGeneration(8), owner: LOST });
    await expect(claimGuest(cluster.node(TAKER), { step: step(5), target: OTHER })).rejects.toMatchObject({ code: 'not-owner' });
  });

  test('outbids what a guest of that number has left on the storage, and leaves nothing when it destroys one', async () => {
    await cluster.notes.mark(VMID, { generation: parseGeneration(8), owner: LOST });
    await manageGuest(cluster.node(TAKER), { verb: 'create', vmid: VMID, config: CONFIG.replace('raw', 'raw,size=1M') });
    expect(await cluster.state(TAKER)).toBe('owned(12)');
    await keepNotes(cluster.node(TAKER));
    expect(await cluster.notes.newest(VMID)).toEqual({ generation: 12, owner: TAKER });
    await manageGuest(cluster.node(TAKER), { verb: 'destroy', vmid: VMID });
    expect([await cluster.notes.read(VMID), await cluster.notes.newest(VMID)]).toEqual([null, null]);
  });
});
