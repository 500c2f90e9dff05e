/** A shared storage that gives errors, and guests that do not use it: guest 901 is node1's and has its disk on `shared`; `second` is sick. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { migrationIdOf, parseGeneration } from '../../../../src/domain/ids.js';
import type { OwnershipRecord } from '../../../../src/domain/ownership.js';
import { openStorage } from '../../../../src/drivers/storage/open-storage.js';
import { adoptGuest } from '../../../../worker/node/audit/adopt-guest.js';
import { readStorageConfig } from '../../../../worker/node/guests/launch-guest.js';
import { manageGuest } from '../../../../worker/node/guests/manage-guest.js';
import { listLostGuests } from '../../../../worker/node/lost/list-lost-guests.js';
import { takeOverLost } from '../../../../worker/node/lost/take-over-lost.js';
import { assertNotTaken } from '../../../../worker/node/notes/assert-not-taken.js';
import { FreeStorages } from '../../../../worker/node/notes/free-storages.js';
import { keepNotes } from '../../../../worker/node/notes/watch-notes.js';
import { claimGuest } from '../../../../worker/node/steps/claim-guest.js';
import { CONFIG, LOST, lostCluster, OTHER, TAKER, VMID, type LostCluster } from '../../../support/lost-cluster.js';

let cluster: LostCluster;
beforeEach(async () => {
  cluster = await lostCluster();
  await cluster.own(5);
});
afterEach(() => cluster.remove());

const second = async () => openStorage(await readStorageConfig(cluster.node(LOST)), { id: 'second', node: LOST }).notes;
const claim = (generation = 6) =>
  claimGuest(cluster.node(LOST), {
    step: { vmid: VMID, generation: parseGeneration(generation), migrationId: migrationIdOf(VMID, parseGeneration(generation)), sequence: 1 },
    target: OTHER,
  });
const own = async (generation: number, config: string): Promise<void> => {
  await cluster.node(LOST).guestConfigs.write(VMID, 'qemu', config);
  await cluster.record(LOST, 'owned', generation);
};
const ON_SECOND = CONFIG.replace('shared:', 'second:');
const LOCAL = CONFIG.replace('shared:', 'local:');

describe('a guest that its node has seen to have no note on a storage that is sick now', () => {
  beforeEach(async () => {
    await keepNotes(cluster.node(LOST));
    cluster.sicken('second', true);
  });

  test('is claimed, with its note up to date', async () => {
    await cluster.node(LOST).guestConfigs.write(VMID, 'qemu', `${CONFIG}cores: 2\n`);
    await claim();
    expect(await cluster.notes.read(VMID)).toMatchObject({ generation: 5, config: `${CONFIG}cores: 2\n` });
  });

  test('is claimed, without a note, when that can not be brought up to date', async () => {
    await cluster.node(LOST).guestConfigs.write(VMID, 'qemu', 'memory: many\n');
    await claim();
    expect([await cluster.notes.read(VMID), await cluster.notes.newest(VMID)]).toEqual([null, null]);
  });

  test('is claimed when it uses no shared storage at all', async () => {
    cluster.sicken('second', false);
    await own(5, LOCAL);
    await keepNotes(cluster.node(LOST));
    cluster.sicken('second', true);
    await claim();
  });

  test('has its note kept', async () => {
    await cluster.node(LOST).guestConfigs.write(VMID, 'qemu', `${CONFIG}cores: 2\n`);
    await keepNotes(cluster.node(LOST));
    expect((await cluster.notes.read(VMID))?.config).toBe(`${CONFIG}cores: 2\n`);
  });

  test('is destroyed, and nothing is remembered of its number', async () => {
    await manageGuest(cluster.node(LOST), { verb: 'destroy', vmid: VMID });
    expect([await cluster.state(LOST), await cluster.notes.newest(VMID)]).toEqual(['missing', null]);
    await own(5, CONFIG);
    await expect(claim()).rejects.toMatchObject({ code: 'storage-failed' });
  });
});

describe('a guest is not claimed while a storage is sick', () => {
  const SICK = { code: 'storage-failed', message: expect.stringContaining('second/.kedge') };

  test('that it uses', async () => {
    await own(5, ON_SECOND);
    await keepNotes(cluster.node(LOST));
    cluster.sicken('second', true);
    await expect(claim()).rejects.toMatchObject(SICK);
  });

  test('that was never seen without its note: an older one may lie there', async () => {
    cluster.sicken('second', true);
    await keepNotes(cluster.node(LOST));
    await expect(claim()).rejects.toMatchObject(SICK);
    expect(await cluster.state(LOST)).toBe('owned(5)');
  });

  test('from which its first disk has moved since: its note is there', async () => {
    await own(5, ON_SECOND);
    await keepNotes(cluster.node(LOST));
    await own(5, CONFIG);
    cluster.sicken('second', true);
    await expect(claim()).rejects.toMatchObject(SICK);
    cluster.sicken('second', false);
    await claim();
    expect([await (await second()).newest(VMID), await cluster.notes.newest(VMID)]).toEqual([null, { generation: 5, owner: LOST }]);
  });

  test('that was seen free of it under another generation: the guest has been elsewhere since', async () => {
    await keepNotes(cluster.node(LOST));
    await own(7, CONFIG);
    cluster.sicken('second', true);
    await expect(claim(8)).rejects.toMatchObject(SICK);
  });

  test('that another worker of the node has seen free of it: what is remembered ends with a worker', async () => {
    await keepNotes({ ...cluster.node(LOST), freeStorages: new FreeStorages() });
    cluster.sicken('second', true);
    await expect(claim()).rejects.toMatchObject(SICK);
  });
});

test('a note without a config, which a removal that was cut off has left, is seen and removed', async () => {
  const notes = await second();
  await notes.mark(VMID, { generation: parseGeneration(2), owner: OTHER });
  await keepNotes(cluster.node(LOST));
  expect(await notes.newest(VMID)).toBeNull();
});

describe('while a storage is sick that a lost guest does not use', () => {
  beforeEach(() => {
    cluster.dead.add(LOST);
    cluster.sicken('second', true);
  });

  test('the guest is listed, and the storage is told', async () => {
    const { guests, unusable } = await listLostGuests(cluster.node(TAKER), LOST);
    expect(guests.map(({ vmid }) => vmid)).toEqual([VMID]);
    expect(unusable).toEqual([{ vmid: null, reason: expect.stringContaining('second/.kedge') }]);
  });

  test('it is not taken: a newer note may be there, and a record beyond the generation of the taker', async () => {
    const newest = { generation: parseGeneration(5), owner: LOST };
    await expect(takeOverLost(cluster.node(TAKER), { vmid: VMID, lost: LOST, storage: 'shared', newest, isLostOff: true })).rejects.toMatchObject({
      code: 'storage-failed',
    });
    expect(await cluster.state(TAKER)).toBe('missing');
  });

  test('its node, when it is back, is told by the other storages that it has been taken', async () => {
    await cluster.notes.mark(VMID, { generation: parseGeneration(9), owner: TAKER });
    const view = await cluster.node(LOST).records.read(VMID);
    const record: OwnershipRecord | null = view.kind === 'record' ? view.record : null;
    expect(record).not.toBeNull();
    if (record !== null) await expect(assertNotTaken(cluster.node(LOST), record)).rejects.toMatchObject({ code: 'not-owner' });
  });

  test('no guest of its number is created, nor adopted', async () => {
    await cluster.node(LOST).records.remove(VMID);
    await cluster.notes.remove(VMID);
    const create = manageGuest(cluster.node(TAKER), { verb: 'create', vmid: VMID, config: CONFIG.replace('raw', 'raw,size=1M') });
    await expect(create).rejects.toMatchObject({ code: 'storage-failed' });
    expect(await adoptGuest(cluster.node(OTHER), VMID)).toMatchObject({ outcome: 'refused' });
  });
});
