import type { PreparedCopy, StepRef } from '../../../activities/interface.js';
import { mapId, parseIdMap } from '../../../src/domain/id-map.js';
import type { NodeName } from '../../../src/domain/ids.js';
import type { MovingVolume } from '../../../src/domain/moving-volume.js';
import type { GuestKind, Wanted } from '../../../src/domain/ownership.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { newGrantToken } from '../../../src/drivers/rsync/grant-store.js';
import { probeRsync } from '../../../src/drivers/rsync/probe-rsync.js';
import { diskName, diskNumber, parseVolumeId, printVolumeId } from '../../../src/drivers/storage/volume-id.js';
import { editGuestConfig, parseGuestConfig, printGuestConfig } from '../../../src/schema/guest-config.js';
import { renameVolumes } from '../../../src/schema/rename-volumes.js';
import type { NodeContext } from '../node-context.js';
import { writeIncoming } from '../steps/write-incoming.js';
import { storageOf } from './storage-of.js';
import type { IncomingCopy } from './volume-journal.js';

export interface PrepareCopyRequest {
  readonly step: StepRef;
  readonly source: NodeName;
  readonly kind: GuestKind;
  readonly config: string;
  readonly wanted: Wanted;
  readonly volumes: readonly MovingVolume[];
  /** Storage map in PVE's grammar. */
  readonly targetStorage: string;
}

/**
 * Prepares this node to receive a guest that is moved switched off: record `incoming(g+1)`, journal of the volumes to come, config copy
 * with their names. Nothing runs and no lease ends: what is here is files, removed by the roll-back of this migration or by the next one.
 * A repeated call finds the names that an earlier one has chosen.
 * @throws KedgeError `already-exists` when this node has another copy of the guest or a volume's name can't be freed, `bad-input`, `not-found`
 */
export async function prepareCopy(node: NodeContext, request: PrepareCopyRequest): Promise<PreparedCopy> {
  const { step, source, kind, wanted } = request;
  return node.locks.withLock(step.vmid, async () => {
    await writeIncoming(node, { step, source, kind, wanted, mode: 'offline' });
    const present = await node.volumes.read(step.vmid);
    const volumes = present?.migrationId === step.migrationId ? present.volumes : await chooseNames(node, request);
    // A kept disk that had one of these names was removed by somebody: the name is free.
    await node.kept.drop(
      step.vmid,
      volumes.map(({ to }) => to),
    );
    await crashPoint('target.volume-journal', () => node.volumes.write(step.vmid, { migrationId: step.migrationId, volumes }));
    await crashPoint('target.prepare-volumes', async () => {
      for (const { to } of volumes) await (await storageOf(node, to)).incoming.prepare({ volumeId: to, migrationId: step.migrationId });
    });
    const names = new Map(volumes.map(({ from, to }) => [from, to]));
    await crashPoint('target.config-copy', () => node.guestConfigs.write(step.vmid, kind, renameVolumes(asOff(request), names)));
    return {
      rsync: volumes.length === 0 ? null : await probeRsync(),
      volumes: volumes.map(({ from, to, kind: copyKind, allocatedBytes }) => ({ from, to, kind: copyKind, allocatedBytes })),
    };
  });
}

/**
 * A guest that was moved live has on record what it runs with, for the next stream. It is off when it comes here, and starts anew with what
 * its config asks for, as the checks have judged it.
 */
function asOff({ kind, config }: Pick<PrepareCopyRequest, 'kind' | 'config'>): string {
  if (kind === 'lxc') return config;
  const parsed = parseGuestConfig(config);
  if (parsed.runningMachine === null && parsed.runningCpu === null) return config;
  return printGuestConfig(editGuestConfig(parsed, { runningmachine: null, runningcpu: null }));
}

/** The same name where it is free; else, as PVE does, the next free number. */
async function chooseNames(node: NodeContext, { volumes, targetStorage }: PrepareCopyRequest): Promise<readonly IncomingCopy[]> {
  const map = parseIdMap('storage', targetStorage);
  const taken = new Set<string>();
  const chosen: IncomingCopy[] = [];
  for (const { volumeId, storage, format, allocatedBytes } of volumes) {
    const volume = { ...parseVolumeId(volumeId), storage: mapId(map, storage), base: null };
    const wanted = printVolumeId(volume);
    for (const existing of await (await storageOf(node, wanted)).list(volume.vmid)) taken.add(existing.volumeId);
    const to = freeName(wanted, taken);
    taken.add(to);
    chosen.push({ from: volumeId, to, kind: format === 'subvol' ? 'tree' : 'file', allocatedBytes, token: newGrantToken(), state: 'incoming' });
  }
  return chosen;
}

/** Names without a number (`cloudinit`, a snapshot's state) mean what they say: such a one is not renamed, and refused when it is made. */
function freeName(wanted: string, taken: ReadonlySet<string>): string {
  const volume = parseVolumeId(wanted);
  if (!taken.has(wanted) || diskNumber(volume.name) === null) return wanted;
  for (let index = 0; ; index += 1) {
    const name = printVolumeId({ ...volume, name: diskName(volume.vmid, { index, format: volume.format }) });
    if (!taken.has(name)) return name;
  }
}
