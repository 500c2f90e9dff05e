import { arm, crashHits, removeCrashFolder } from '../../../support/crash-folder.js';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { takeOverGeneration } from '../../../../src/domain/guest-note.js';
import { migrationIdOf, parseGeneration, type NodeName } from '../../../../src/domain/ids.js';
import type { TakeOverRequest, TakeOverResult } from '../../../../src/domain/lost-guest.js';
import { listLostGuests } from '../../../../worker/node/lost/list-lost-guests.js';
import { takeOverLost } from '../../../../worker/node/lost/take-over-lost.js';
import type { NodeContext } from '../../../../worker/node/node-context.js';
import { keepNotes } from '../../../../worker/node/notes/watch-notes.js';
import { applyVoided } from '../../../../worker/node/recovery/apply-voided.js';
import { confirmBoot } from '../../../../worker/node/recovery/confirm-boot.js';
import { CONFIG, LOST, lostCluster, OTHER, TAKER, VMID, type LostCluster } from '../../../support/lost-cluster.js';

let cluster: LostCluster;
beforeEach(async () => {
  cluster = await lostCluster();
  await cluster.own(5);
  cluster.dead.add(LOST);
});
afterEach(() => cluster.remove());
afterAll(removeCrashFolder);

const request: TakeOverRequest = { vmid: VMID, lost: LOST, storage: 'shared', newest: { generation: parseGeneration(5), owner: LOST }, isLostOff: true };
const take = (by: NodeName, what = request): Promise<TakeOverResult> => takeOverLost(cluster.node(by), what);
const refused = (reason: RegExp) => ({ outcome: 'refused', reason: expect.stringMatching(reason) });
const TAKEN = { outcome: 'taken', started: false, problem: null } as const;

class Died extends Error {}
/** The worker of the taker dies at the first call of `method`: what it would have done does not happen, nor anything after it. */
async function dieAt(where: 'records' | 'guestConfigs' | 'starts', method: string): Promise<void> {
  const target: Record<string, () => Promise<never>> = Object(cluster.node(TAKER)[where]);
  const spy = vi.spyOn(target, method).mockRejectedValueOnce(new Died());
  await expect(take(TAKER)).rejects.toBeInstanceOf(Died);
  spy.mockRestore();
}

describe('a guest of a node that is off', () => {
  test('is found by each node that sees its storage, with what it needs', async () => {
    expect((await listLostGuests(cluster.node(TAKER), LOST)).guests).toEqual([
      expect.objectContaining({ vmid: VMID, name: 'lost', memoryBytes: 64 * 1_048_576, storage: 'shared', storages: ['shared'], newest: request.newest }),
    ]);
    expect((await listLostGuests(cluster.node(TAKER), OTHER)).guests).toEqual([]);
  });

  test('becomes the taker’s under a generation beyond all that its node can have written, and the storage says so', async () => {
    expect(await take(TAKER)).toEqual(TAKEN);
    expect(await cluster.state(TAKER)).toBe('owned(9)');
    expect(await cluster.node(TAKER).guestConfigs.read(VMID)).toBe(CONFIG);
    expect(await cluster.notes.newest(VMID)).toEqual({ generation: 9, owner: TAKER });
    expect(await cluster.notes.read(VMID)).toMatchObject({ owner: TAKER, generation: 9, config: CONFIG });
  });

  test('is taken by one of two that are told to, whoever comes first', async () => {
    const results = await Promise.all([take(TAKER), take(OTHER)]);
    expect(results.filter(({ outcome }) => outcome === 'taken')).toHaveLength(1);
    expect([await cluster.state(TAKER), await cluster.state(OTHER)].sort()).toEqual(['missing', 'owned(9)']);
  });

  test('is taken once by a taker that is told twice, also when each effect happens twice', async () => {
    for (const point of ['node.lost-marker', 'node.lost-config', 'node.lost-record'] as const) arm(point, 'repeat');
    expect([await take(TAKER), await take(TAKER)]).toEqual([TAKEN, TAKEN]);
    expect(await cluster.state(TAKER)).toBe('owned(9)');
    expect(crashHits().filter((hit) => /^node\.lost-\w+ repeat$/.test(hit))).toHaveLength(3);
  });
});

describe('a taker that dies', () => {
  const wantedRunning = async (): Promise<void> => {
    const note = await cluster.notes.read(VMID);
    if (note !== null) await cluster.notes.write({ ...note, wanted: 'running' });
  };

  test('before the marker leaves the guest to any other', async () => {
    await dieAt('records', 'read');
    expect(await take(OTHER)).toEqual(TAKEN);
  });

  test.each([
    ['the marker', 'guestConfigs', 'write'],
    ['the config', 'starts', 'begin'],
    ['the mark of its start', 'records', 'write'],
  ] as const)('after %s is the only one who can go on, and does when it is asked again', async (_, where, method) => {
    await wantedRunning();
    await dieAt(where, method);
    expect(await cluster.state(TAKER)).toBe('missing');
    expect(await take(OTHER)).toEqual(refused(/node2 has it under generation 9/));
    expect(await take(TAKER)).toMatchObject({ outcome: 'taken' });
    expect([await cluster.state(TAKER), await cluster.state(OTHER)]).toEqual(['owned(9)', 'missing']);
  });

  test('for good after the marker is a lost node itself, whose guest this then is', async () => {
    await dieAt('guestConfigs', 'write');
    cluster.dead.add(TAKER);
    const [guest] = (await listLostGuests(cluster.node(OTHER), TAKER)).guests;
    expect(guest?.newest).toEqual({ generation: 9, owner: TAKER });
    cluster.dead.delete(LOST);
    await cluster.node(LOST).records.remove(VMID);
    expect(await take(OTHER, { ...request, lost: TAKER, newest: { generation: parseGeneration(9), owner: TAKER } })).toEqual(TAKEN);
    expect(await cluster.state(OTHER)).toBe('owned(13)');
  });
});

describe('nothing is taken', () => {
  test('while another node is silent: it could have the guest', async () => {
    cluster.dead.add(OTHER);
    expect(await take(TAKER)).toEqual(refused(/node3 does not answer/));
    expect(await cluster.notes.newest(VMID)).toEqual(request.newest);
  });

  test('while its node answers after all, and has not heard that its record is void', async () => {
    cluster.dead.delete(LOST);
    expect(await take(TAKER)).toEqual(refused(/the record of node1 is owned\(5\)/));
    expect(await cluster.notes.newest(VMID)).toEqual(request.newest);
  });

  test('of a node whose proved boot is not its last one while it is silent: it may have taken the guest itself', async () => {
    expect(await take(TAKER, { ...request, isLostOff: false })).toEqual(refused(/node1 does not answer/));
    expect(await cluster.notes.newest(VMID)).toEqual(request.newest);
  });

  test.each([
    ['another node has gone on owning it', OTHER, 6],
    ['its node has taken it itself', LOST, 9],
  ] as const)('when %s, and it is told who', async (_, owner, generation) => {
    cluster.dead.delete(LOST);
    await cluster.record(LOST, 'revoked', 5);
    await cluster.record(owner, 'owned', generation);
    expect(await take(TAKER)).toEqual({ outcome: 'owned', by: owner });
    expect([await cluster.state(TAKER), await cluster.notes.newest(VMID)]).toEqual(['missing', request.newest]);
  });

  test.each([
    ['owned', 4],
    ['incoming', 6],
    ['armed', 6],
    ['releasing', 5],
    ['released', 5],
    ['revoked', 9],
  ] as const)('while another node has %s(%i)', async (state, generation) => {
    await cluster.record(OTHER, state, generation);
    expect(await take(TAKER)).toMatchObject({ outcome: 'refused' });
    expect([await cluster.state(TAKER), await cluster.notes.newest(VMID)]).toEqual(['missing', request.newest]);
  });

  test.each([
    ['released', 4],
    ['revoked', 6],
    ['revoked', 3],
  ] as const)('but a tombstone %s(%i) of another node, or of the taker, stands in nobody’s way', async (state, generation) => {
    await cluster.record(OTHER, state, generation);
    await cluster.record(TAKER, state, generation);
    expect(await take(TAKER)).toEqual(TAKEN);
  });

  test('before this boot of the taker is registered', async () => {
    cluster.node(TAKER).boot.confirmed = false;
    await expect(take(TAKER)).rejects.toMatchObject({ code: 'outcome-unknown' });
  });

  test('over a config that somebody else has put there', async () => {
    await cluster.node(TAKER).guestConfigs.write(VMID, 'qemu', 'name: somebody\n');
    expect(await take(TAKER)).toEqual(refused(/a config of that number, and no record/));
  });

  test('once the guest has gone on, by a taker that was stopped meanwhile and that finds room for its marker again', async () => {
    await cluster.notes.mark(VMID, { generation: parseGeneration(10), owner: OTHER });
    await cluster.notes.dropOlder(VMID, { generation: parseGeneration(10), owner: OTHER });
    expect(await take(TAKER)).toEqual(refused(/node3 has it under generation 10/));
    expect(await cluster.state(TAKER)).toBe('missing');
  });
});

test('a taker that is stopped before its marker, while the guest is taken, goes on, and what lay beside its disks is removed, takes nothing', async () => {
  const { guestConfigs } = cluster.node(TAKER);
  // The last that it looks at before its marker.
  const stopped = vi.spyOn(guestConfigs, 'list').mockImplementationOnce(async () => {
    // All of this is another node's work: a take-over, then a claim on a storage that is full.
    await cluster.notes.mark(VMID, { generation: takeOverGeneration(request.newest), owner: OTHER });
    await cluster.notes.remove(VMID);
    return [];
  });
  arm('node.lost-marker-removal', 'repeat');
  expect(await take(TAKER)).toEqual(refused(/the marker of node1 is gone/));
  expect(crashHits()).toContain('node.lost-marker-removal repeat');
  expect(stopped).toHaveBeenCalled();
  expect(await cluster.notes.newest(VMID)).toBeNull();
  expect(await cluster.state(TAKER)).toBe('missing');
});

describe('the lost node, when it is back', () => {
  const rebooted = (): NodeContext => ({ ...cluster.node(LOST), bootId: 'next', boot: { confirmed: false } });
  const voided = () => ({
    vmid: VMID,
    migrationId: migrationIdOf(VMID, takeOverGeneration(request.newest)),
    below: takeOverGeneration(request.newest),
    takenBy: TAKER,
    at: '2026-01-01T00:00:00Z',
    statedBy: 'fence_lab',
    basis: 'fenced' as const,
  });

  test.each([5, 6, 7, 8])('finds its record void, which it may have written up to generation %i since', async (generation) => {
    await take(TAKER);
    await cluster.record(LOST, 'owned', generation);
    cluster.dead.delete(LOST);
    expect(await applyVoided(rebooted(), [voided()])).toHaveLength(1);
    expect(await cluster.state(LOST)).toBe(`revoked(${generation})`);
    expect(await cluster.node(LOST).guestConfigs.list()).toEqual([]);
    await confirmBoot({ ...rebooted(), boot: { confirmed: true } });
    expect([await cluster.state(LOST), await cluster.state(TAKER)]).toEqual([`revoked(${generation})`, 'owned(9)']);
  });

  test('may be the one who takes the guest, when nobody else has and it has heard that its record is void', async () => {
    cluster.dead.delete(LOST);
    expect(await applyVoided(rebooted(), [voided()])).toHaveLength(1);
    expect(await take(LOST)).toEqual(TAKEN);
    expect([await cluster.state(LOST), await cluster.notes.newest(VMID)]).toEqual(['owned(9)', { generation: 9, owner: LOST }]);
  });

  test('does not start the guest even if nobody tells it, because the storage does', async () => {
    await take(TAKER);
    await confirmBoot({ ...rebooted(), boot: { confirmed: true } });
    const view = await cluster.node(LOST).records.read(VMID);
    expect(view).toMatchObject({ record: { state: 'owned', bootId: cluster.node(LOST).bootId } });
  });

  test('leaves what the taker has written beside the disks alone', async () => {
    await take(TAKER);
    await keepNotes(cluster.node(LOST));
    expect(await cluster.notes.read(VMID)).toMatchObject({ owner: TAKER, generation: 9 });
  });
});
