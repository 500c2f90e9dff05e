import type { TargetInspection } from '../../../activities/interface.js';
import { checkLink } from '../../../src/domain/check-link.js';
import { checkTargetState } from '../../../src/domain/check-guest-state.js';
import type { NodeName, Vmid } from '../../../src/domain/ids.js';
import type { MigrationOptions } from '../../../src/domain/migration.js';
import { isUsableOn, openStorage } from '../../../src/drivers/storage/open-storage.js';
import { readStorageConfig } from '../guests/launch-guest.js';
import { hasForeignConfig } from '../guests/has-foreign-config.js';
import { lookAtGuest } from '../guests/look-at-guest.js';
import type { NodeContext } from '../node-context.js';
import { askPeer } from '../recovery/ask-peer.js';
import { readInventory } from '../presence/read-inventory.js';
import { checkCertificates } from './check-certificates.js';
import { inspectRecordSpace } from './inspect-record-space.js';
import { lookAtRsync } from './look-at-rsync.js';
import { measureLink } from './measure-link.js';

/** Facts and findings of the target side. Changes nothing. */
export async function inspectTarget(node: NodeContext, input: { vmid: Vmid; source: NodeName; options: MigrationOptions }): Promise<TargetInspection> {
  const [inventory, look, link, certificates, space, sourceView, volumes, foreignConfig, rsync] = await Promise.all([
    readInventory(node),
    lookAtGuest(node, input.vmid),
    input.source === node.node ? null : measureLink(node, { peer: input.source, network: input.options.network }),
    checkCertificates(node, { side: 'server', options: input.options }),
    inspectRecordSpace(node),
    input.source === node.node ? Promise.resolve('unreachable' as const) : askPeer(node, input.source, input.vmid),
    ownVolumes(node, input.vmid),
    hasForeignConfig(node, input.vmid),
    lookAtRsync(),
  ]);
  const sourceGeneration = sourceView === 'unreachable' || sourceView.record.kind !== 'record' ? null : sourceView.record.record.generation;
  return {
    findings: [
      ...checkTargetState({ vmid: input.vmid, view: look.view, sourceGeneration, pid: look.process?.pid ?? null, foreignConfig }),
      ...(link === null ? [] : checkLink(link)),
      ...certificates,
      ...space,
    ],
    inventory,
    view: look.view,
    volumes,
    rsync,
    ...(link === null ? {} : { link }),
  };
}

/** Volumes of this guest's number on the storages of this node alone: those on shared ones are the guest's own. */
async function ownVolumes(node: NodeContext, vmid: Vmid): Promise<readonly string[]> {
  const config = await readStorageConfig(node);
  const local = config.storages.filter((storage) => !storage.shared && isUsableOn(storage, node.node));
  const lists = await Promise.all(
    local.map(({ id }) =>
      openStorage(config, { id, node: node.node })
        .list(vmid)
        .catch(() => []),
    ),
  );
  return lists.flat().map(({ volumeId }) => volumeId);
}
