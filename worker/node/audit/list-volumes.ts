import type { NodeAudit } from '../../../activities/interface.js';
import { parseVmid, type Vmid } from '../../../src/domain/ids.js';
import type { RecordView } from '../../../src/domain/ownership.js';
import { isUsableOn, openStorage } from '../../../src/drivers/storage/open-storage.js';
import { parseVolumeId } from '../../../src/drivers/storage/volume-id.js';
import { readStorageConfig } from '../guests/launch-guest.js';
import type { NodeContext } from '../node-context.js';

type Volumes = Pick<Required<NodeAudit>, 'volumes' | 'storageIdentities'>;

/**
 * The disks on this node's own storages of guests that it neither has nor receives, and what was kept by choice; and which storages it
 * sees at all: one that another node sees as well is shared, whatever storage.cfg says of it. A storage that does not answer has none.
 */
export async function listVolumes(node: NodeContext): Promise<Volumes> {
  // What is wrong with storage.cfg, the inventory and the checks tell.
  const config = await readStorageConfig(node).catch(() => null);
  if (config === null) return { volumes: [], storageIdentities: [] };
  const seen = await Promise.all(
    config.storages
      .filter((storage) => isUsableOn(storage, node.node))
      .map(async ({ id, shared }) => {
        const storage = openStorage(config, { id, node: node.node });
        const identity = await storage.identity().catch(() => null);
        return { identity, names: shared || identity === null ? [] : await storage.names().catch(() => []) };
      }),
  );
  const found = seen.flatMap(({ identity, names }) => names.map((volumeId) => ({ vmid: parseVmid(parseVolumeId(volumeId).vmid), volumeId, identity })));
  const guests = new Map(await Promise.all([...new Set(found.map(({ vmid }) => vmid))].map(async (vmid) => [vmid, await lookAt(node, vmid)] as const)));
  return {
    storageIdentities: seen.flatMap(({ identity }) => identity ?? []),
    volumes: found.flatMap(({ vmid, volumeId, identity }) => {
      const guest = guests.get(vmid);
      const keptBy = guest?.kept.find((kept) => kept.volumeId === volumeId)?.migrationId ?? null;
      if (identity === null || (guest?.isHere === true && (keptBy === null || guest.config.includes(volumeId)))) return [];
      return [{ vmid, volumeId, identity, keptBy }];
    }),
  };
}

async function lookAt(node: NodeContext, vmid: Vmid) {
  const [view, kept, config] = await Promise.all([node.records.read(vmid), node.kept.read(vmid), node.guestConfigs.read(vmid).catch(() => '')]);
  return { isHere: isHere(view), kept, config };
}

/** A record that can't be read may be the owner's. */
function isHere(view: RecordView): boolean {
  return view.kind === 'unreadable' || (view.kind === 'record' && view.record.state !== 'released' && view.record.state !== 'revoked');
}
