/**
 * One node that receives guest 901 switched off, without QEMU, sshd and rsync: a test writes into the copies itself. Its storage `local` is
 * its own, `shared` another node's as well.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StepRef } from '../../activities/interface.js';
import { migrationIdOf, parseGeneration, parseNodeName, parseVmid } from '../../src/domain/ids.js';
import type { MovingVolume } from '../../src/domain/moving-volume.js';
import type { OwnershipRecord } from '../../src/domain/ownership.js';
import { arm, go, revoke, type HandOverRef } from '../../worker/node/handover/target-session.js';
import type { NodeContext } from '../../worker/node/node-context.js';
import { prepareCopy } from '../../worker/node/offline/prepare-copy.js';
import { digestCopy, publishCopy } from '../../worker/node/offline/receive-volume.js';
import { storageOf } from '../../worker/node/offline/storage-of.js';
import { configuredNode } from './configured-node.js';

export const VMID = parseVmid(901);
const SOURCE = parseNodeName('node2');
const VOLUMES: readonly MovingVolume[] = [
  { volumeId: 'local:901/vm-901-disk-0.raw', storage: 'local', format: 'raw', virtualBytes: 4, allocatedBytes: 4 },
  { volumeId: 'local:901/subvol-901-disk-1.subvol', storage: 'local', format: 'subvol', virtualBytes: 0, allocatedBytes: 4 },
];
const CONFIG = `virtio0: ${VOLUMES[0]?.volumeId}\nunused0: ${VOLUMES[1]?.volumeId}\n`;

export interface ReceivingNode {
  readonly node: NodeContext;
  /** The steps of the migration that issues `generation`, as the source asks for them. */
  prepare(generation: number, targetStorage?: string): Promise<readonly string[]>;
  /** Writes to a copy; where it is. */
  fill(generation: number, volume: string): Promise<string>;
  digest(generation: number, volume: string): Promise<string>;
  publish(generation: number, volumes: readonly string[]): Promise<void>;
  arm(generation: number): Promise<void>;
  go(generation: number): Promise<void>;
  revoke(generation: number): ReturnType<typeof revoke>;
  /** All of them up to `go`; answers the volumes. */
  takeOver(generation: number, targetStorage?: string): Promise<readonly string[]>;
  /** Writes a record of the guest, as a later migration may have left it. */
  record(state: OwnershipRecord['state'], generation: number): Promise<void>;
  state(): Promise<string>;
  /** Is the volume there under its final name? */
  has(volume: string): Promise<boolean>;
  remove(): void;
}

export function stepOf(generation: number): StepRef {
  return { vmid: VMID, generation: parseGeneration(generation), migrationId: migrationIdOf(VMID, parseGeneration(generation)), sequence: 1 };
}

export async function receivingNode(): Promise<ReceivingNode> {
  const root = mkdtempSync(join(tmpdir(), 'kedge-receiving-'));
  for (const name of ['local', 'shared']) mkdirSync(join(root, name));
  const { node, remove } = await configuredNode({
    'storage.cfg': `dir: local\n\tpath ${join(root, 'local')}\n\tcontent images\n\ndir: shared\n\tpath ${join(root, 'shared')}\n\tcontent images\n\tshared 1\n`,
  });
  const ref = (generation: number): HandOverRef => ({ ...stepOf(generation), from: SOURCE, mode: 'offline' });
  const receiving: ReceivingNode = {
    node,
    async prepare(generation, targetStorage = '') {
      const request = { source: SOURCE, kind: 'qemu', config: CONFIG, wanted: 'stopped', volumes: VOLUMES, targetStorage } as const;
      return (await prepareCopy(node, { ...request, step: stepOf(generation) })).volumes.map(({ to }) => to);
    },
    async fill(generation, volume) {
      const { path, kind } = (await storageOf(node, volume)).incoming.path({ volumeId: volume, migrationId: ref(generation).migrationId });
      writeFileSync(kind === 'tree' ? join(path, 'hostname') : path, 'data');
      return path;
    },
    digest: async (generation, volume) => (await digestCopy(node, { ...ref(generation), volume }, new AbortController().signal)).digest,
    async publish(generation, volumes) {
      for (const volume of volumes) await publishCopy(node, { ...ref(generation), volume });
    },
    arm: (generation) => arm(node, ref(generation)),
    async go(generation) {
      await go(node, ref(generation));
    },
    revoke: (generation) => revoke(node, ref(generation)),
    async takeOver(generation, targetStorage) {
      const volumes = await receiving.prepare(generation, targetStorage);
      for (const volume of volumes) await receiving.fill(generation, volume);
      await receiving.publish(generation, volumes);
      await receiving.arm(generation);
      await receiving.go(generation);
      return volumes;
    },
    async record(state, generation) {
      const base = { vmid: VMID, kind: 'qemu', generation: parseGeneration(generation), wanted: 'stopped', bootId: node.bootId } as const;
      const { migrationId } = stepOf(state === 'releasing' || state === 'released' ? generation + 1 : generation);
      const claimed = { ...base, migrationId, peer: SOURCE, mode: 'offline' } as const;
      if (state === 'owned') await node.records.write({ ...base, state });
      else if (state === 'revoked') await node.records.write({ ...claimed, state, ran: 'no' });
      else await node.records.write({ ...claimed, state });
    },
    async state() {
      const view = await node.records.read(VMID);
      return view.kind === 'record' ? `${view.record.state}(${view.record.generation})` : view.kind;
    },
    has: async (volume) => existsSync((await storageOf(node, volume)).path(volume).path),
    remove() {
      remove();
      rmSync(root, { recursive: true });
    },
  };
  return receiving;
}
