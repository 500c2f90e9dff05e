import { existsSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { OwnershipRecord } from '../../../../src/domain/ownership.js';
import { manageGuest } from '../../../../worker/node/guests/manage-guest.js';
import { storageOf } from '../../../../worker/node/offline/storage-of.js';
import { recoverGuests } from '../../../../worker/node/recovery/recover-guests.js';
import { receivingNode, stepOf, VMID, type ReceivingNode } from '../../../support/receiving-node.js';

let receiving: ReceivingNode;
beforeEach(async () => {
  receiving = await receivingNode();
});
afterEach(() => {
  receiving.remove();
});

const journalOf = async (): Promise<string | null> => (await receiving.node.volumes.read(VMID))?.migrationId ?? null;
const present = (volumes: readonly string[]): Promise<readonly boolean[]> => Promise.all(volumes.map((volume) => receiving.has(volume)));

/** The worker died between `owned` and the end of the journal, and nobody has repeated the go. */
async function takenOverWithJournal(generation: number, targetStorage = ''): Promise<readonly string[]> {
  const volumes = await receiving.prepare(generation, targetStorage);
  for (const volume of volumes) await receiving.fill(generation, volume);
  await receiving.publish(generation, volumes);
  const entry = await receiving.node.volumes.of(VMID, stepOf(generation).migrationId);
  await receiving.arm(generation);
  await receiving.go(generation);
  await receiving.node.volumes.write(VMID, entry);
  return volumes;
}

describe('a journal that stayed beside the guest that it was for', () => {
  test.each<[OwnershipRecord['state'], number]>([
    ['owned', 2],
    ['owned', 4],
    ['releasing', 2],
    ['released', 2],
    ['released', 4],
  ])('is removed by recovery when the guest is %s(%i), and its volumes stay', async (state, generation) => {
    const volumes = await takenOverWithJournal(2);
    await receiving.record(state, generation);
    await recoverGuests(receiving.node);
    expect([await journalOf(), await present(volumes)]).toEqual([null, [true, true]]);
  });

  test.each([
    ['on a storage of this node, where they were kept', ''],
    ['on a shared storage, where the guest uses them elsewhere', 'local:shared'],
  ])('costs no volume when the guest comes back: %s', async (_, targetStorage) => {
    const volumes = await takenOverWithJournal(2, targetStorage);
    await receiving.record('released', 2);
    const again = await receiving.prepare(4, targetStorage);
    expect([await present(volumes), await journalOf()]).toEqual([[true, true], stepOf(4).migrationId]);
    expect(again.filter((volume) => volumes.includes(volume))).toEqual([]);
    await receiving.revoke(4);
    expect(await present(volumes)).toEqual([true, true]);
  });

  test('costs no volume when a migration that never got to its preparation is undone', async () => {
    const volumes = await takenOverWithJournal(2);
    await receiving.record('released', 2);
    await receiving.revoke(4);
    expect([await receiving.state(), await present(volumes), await journalOf()]).toEqual(['revoked(4)', [true, true], null]);
  });

  test('goes with the guest when it is destroyed', async () => {
    await takenOverWithJournal(2);
    await manageGuest(receiving.node, { verb: 'destroy', vmid: VMID });
    expect(await journalOf()).toBeNull();
  });
});

describe('the journal of a copy that was never taken over', () => {
  test.each<[OwnershipRecord['state'], 'prepare' | 'revoke', string | null]>([
    ['incoming', 'prepare', stepOf(4).migrationId],
    ['incoming', 'revoke', null],
    ['armed', 'prepare', stepOf(4).migrationId],
    ['armed', 'revoke', null],
    ['revoked', 'prepare', stepOf(4).migrationId],
    ['revoked', 'revoke', null],
  ])('under the record %s costs its copies, published or not, when the next migration begins with %s', async (state, next, journal) => {
    const [first = '', second = ''] = await receiving.prepare(2);
    const copies = [await receiving.fill(2, first), await receiving.fill(2, second)];
    await receiving.publish(2, [first]);
    await receiving.record(state, 2);
    await receiving[next](4);
    expect([await present([first, second]), ...copies.map((copy) => existsSync(copy)), await journalOf()]).toEqual([[false, false], false, false, journal]);
  });

  test('is dealt with before a new guest of the number is created, which would take its copies for disks', async () => {
    const volumes = await receiving.prepare(2);
    const [first = ''] = volumes;
    await receiving.fill(2, first);
    await receiving.publish(2, volumes);
    await receiving.record('revoked', 2);
    await manageGuest(receiving.node, { verb: 'create', vmid: VMID, config: `virtio0: ${first},size=1M\n` });
    expect(await (await storageOf(receiving.node, first)).size(first)).toMatchObject({ virtualBytes: 2 ** 20 });
    expect([await journalOf(), await receiving.state()]).toEqual([null, 'owned(6)']);
  });

  test('takes no name that somebody else has made after a removal that was cut off', async () => {
    const [first = ''] = await receiving.prepare(2, 'local:shared');
    await receiving.fill(2, first);
    await receiving.publish(2, [first]);
    const entry = await receiving.node.volumes.of(VMID, stepOf(2).migrationId);
    await receiving.revoke(2);
    const { path } = (await storageOf(receiving.node, first)).path(first);
    for (const volumes of [entry.volumes.map((copy) => ({ ...copy, state: 'incoming' as const })), entry.volumes]) {
      // After the journal said so, and before it did: then the copy is still under its temporary name.
      await (await storageOf(receiving.node, first)).incoming.prepare({ volumeId: first, migrationId: stepOf(2).migrationId });
      await receiving.node.volumes.write(VMID, { ...entry, volumes });
      writeFileSync(path, 'of another node');
      await recoverGuests(receiving.node);
      expect([await receiving.has(first), await journalOf()]).toEqual([true, null]);
      await (await storageOf(receiving.node, first)).remove(first);
    }
  });
});
