import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { migrationIdOf, parseGeneration, parseNodeName, parseVmid } from '../../../../src/domain/ids.js';
import type { CopiedVolume } from '../../../../src/domain/moving-volume.js';
import type { OwnershipRecord } from '../../../../src/domain/ownership.js';
import { listVolumes } from '../../../../worker/node/audit/list-volumes.js';
import type { NodeContext } from '../../../../worker/node/node-context.js';
import { prepareCopy } from '../../../../worker/node/offline/prepare-copy.js';
import { askPeer } from '../../../../worker/node/recovery/ask-peer.js';
import { releaseSource } from '../../../../worker/node/steps/release-source.js';
import { configuredNode } from '../../../support/configured-node.js';

vi.mock('../../../../worker/node/recovery/ask-peer.js', () => ({ askPeer: vi.fn() }));

const VMID = parseVmid(901);
const PEER = parseNodeName('node2');
const DISKS = [`local:${VMID}/vm-${VMID}-disk-0.raw`, `local:${VMID}/vm-${VMID}-disk-1.raw`] as const;
const copyOf = (volume: string): CopiedVolume => ({ from: volume, to: volume, kind: 'file', allocatedBytes: 1 });
const copies = DISKS.map(copyOf);

let node: NodeContext;
let remove: () => void;
let local: string;
beforeEach(async () => {
  local = mkdtempSync(join(tmpdir(), 'kedge-local-'));
  const storages = `dir: local\n\tpath ${local}\n\tcontent images\n\ndir: away\n\tpath ${local}/away\n\tcontent images\n`;
  const made = await configuredNode({ 'storage.cfg': storages, [`qemu-server/${VMID}.conf`]: `name: moved\nvirtio0: ${DISKS[0]}\nvirtio1: ${DISKS[1]}\n` });
  node = made.node;
  remove = made.remove;
  for (const volume of DISKS) make(volume);
});
afterEach(() => {
  remove();
  rmSync(local, { recursive: true });
});

const fileOf = (volume: string): string => join(local, 'images', volume.slice('local:'.length));

function make(volume: string): void {
  mkdirSync(dirname(fileOf(volume)), { recursive: true });
  writeFileSync(fileOf(volume), 'data');
}

const stepOf = (generation: number) => {
  const issued = parseGeneration(generation);
  return { vmid: VMID, migrationId: migrationIdOf(VMID, issued), generation: issued, sequence: 9 };
};

/** The guest has gone to the peer under `generation`, and this node still has everything. */
async function movedAway(generation: number) {
  const { migrationId } = stepOf(generation);
  const base = { vmid: VMID, kind: 'qemu', wanted: 'stopped', bootId: node.bootId } as const;
  await node.records.write({ ...base, generation: parseGeneration(generation - 1), migrationId, peer: PEER, mode: 'offline', state: 'released' });
  const record: OwnershipRecord = { ...base, generation: parseGeneration(generation), state: 'owned' };
  vi.mocked(askPeer).mockResolvedValue({ node: PEER, bootId: 'b', qemu: 'gone', record: { kind: 'record', record } });
  return stepOf(generation);
}

const seen = async (): Promise<readonly (readonly [string, string | null])[]> =>
  (await listVolumes(node)).volumes.map(({ volumeId, keptBy }) => [volumeId, keptBy] as const);

describe('the disks of a guest that has moved away', () => {
  test('are kept where a migration was asked to, and known as such', async () => {
    const step = await movedAway(2);
    await releaseSource(node, { step, target: PEER, volumes: [], kept: copies });
    await releaseSource(node, { step, target: PEER, volumes: [], kept: copies });
    expect(await seen()).toEqual(DISKS.map((volume) => [volume, '901-2']));
  });

  test('are gone where it was not, with what was noted of their names', async () => {
    await node.kept.add(VMID, [DISKS[0]], stepOf(2).migrationId);
    await releaseSource(node, { step: await movedAway(4), target: PEER, volumes: copies, kept: [] });
    expect(await seen()).toEqual([]);
    expect(await node.kept.read(VMID)).toEqual([]);
  });

  test('are not taken for kept when their removal did not end', async () => {
    await node.kept.add(VMID, DISKS, stepOf(2).migrationId);
    // The storage of the second one is gone.
    const volumes = [copyOf(DISKS[0]), copyOf(`nowhere:${VMID}/vm-${VMID}-disk-1.raw`), copyOf(DISKS[1])];
    await expect(releaseSource(node, { step: await movedAway(4), target: PEER, volumes, kept: [] })).rejects.toMatchObject({ code: 'not-found' });
    expect([existsSync(fileOf(DISKS[0])), await seen()]).toEqual([false, [[DISKS[1], null]]]);
  });

  test('are not taken for kept before the target owns the guest', async () => {
    const step = await movedAway(2);
    vi.mocked(askPeer).mockResolvedValue('unreachable');
    await expect(releaseSource(node, { step, target: PEER, volumes: [], kept: copies })).rejects.toMatchObject({ code: 'peer-unreachable' });
    expect(await seen()).toEqual(DISKS.map((volume) => [volume, null]));
  });
});

describe('a node that has the guest', () => {
  const owned = (): Promise<void> =>
    node.records.write({ vmid: VMID, kind: 'qemu', generation: parseGeneration(3), wanted: 'stopped', bootId: node.bootId, state: 'owned' });

  test('tells of none of its disks, used or not', async () => {
    await owned();
    make(`local:${VMID}/vm-${VMID}-disk-7.raw`);
    expect(await seen()).toEqual([]);
  });

  test('still tells of what was kept before it came back, but not of what it uses', async () => {
    await owned();
    const earlier = `local:${VMID}/vm-${VMID}-disk-7.raw`;
    make(earlier);
    await node.kept.add(VMID, [earlier, DISKS[0]], stepOf(2).migrationId);
    expect(await seen()).toEqual([[earlier, '901-2']]);
  });

  test('takes a name that a kept disk had, when that is gone, for free', async () => {
    await node.kept.add(VMID, DISKS, stepOf(2).migrationId);
    rmSync(fileOf(DISKS[0]));
    const { migrationId } = stepOf(2);
    const base = { vmid: VMID, kind: 'qemu', wanted: 'stopped', bootId: node.bootId, migrationId, peer: PEER } as const;
    await node.records.write({ ...base, generation: parseGeneration(1), state: 'released' });
    const volume = { volumeId: DISKS[0], storage: 'local', format: 'raw', virtualBytes: 4, allocatedBytes: 4 } as const;
    const request = { step: stepOf(3), source: PEER, kind: 'qemu', config: `virtio0: ${DISKS[0]}\n`, wanted: 'stopped', targetStorage: '' } as const;
    const { volumes } = await prepareCopy(node, { ...request, volumes: [volume] });
    expect(volumes.map(({ to }) => to)).toEqual([DISKS[0]]);
    expect((await node.kept.read(VMID)).map(({ volumeId }) => volumeId)).toEqual([DISKS[1]]);
  });
});

test('a storage that does not answer has no disks, and no identity', async () => {
  expect((await listVolumes(node)).storageIdentities).toHaveLength(1);
});
