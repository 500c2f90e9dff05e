import type { TargetInspection } from '../../../activities/interface.js';
import { checkLink } from '../../../src/domain/check-link.js';
import { finding, type CheckId, type Finding } from '../../../src/domain/checks.js';
import type { NodeName, Vmid } from '../../../src/domain/ids.js';
import type { MigrationOptions } from '../../../src/domain/migration.js';
import { isUsableOn, openStorage } from '../../../src/drivers/storage/open-storage.js';
import { readStorageConfig } from '../guests/launch-guest.js';
import { lookAtGuest, type GuestLook } from '../guests/look-at-guest.js';
import type { NodeContext } from '../node-context.js';
import { askPeer } from '../recovery/ask-peer.js';
import { readInventory } from '../presence/read-inventory.js';
import { checkCertificates } from './check-certificates.js';
import { checkRecordSpace } from './check-record-space.js';
import { measureLink } from './measure-link.js';

/** Facts and findings of the target side. Changes nothing. */
export async function inspectTarget(node: NodeContext, input: { vmid: Vmid; source: NodeName; options: MigrationOptions }): Promise<TargetInspection> {
  const [inventory, look, link, certificates, space, sourceView, volumes] = await Promise.all([
    readInventory(node),
    lookAtGuest(node, input.vmid),
    input.source === node.node ? null : measureLink(node, input.source),
    checkCertificates(node, { side: 'server', options: input.options }),
    checkRecordSpace(node),
    input.source === node.node ? Promise.resolve('unreachable' as const) : askPeer(node, input.source, input.vmid),
    ownVolumes(node, input.vmid),
  ]);
  const sourceGeneration = sourceView === 'unreachable' || sourceView.record.kind !== 'record' ? null : sourceView.record.record.generation;
  return {
    findings: [...copyFindings(node, look, { vmid: input.vmid, sourceGeneration }), ...(link === null ? [] : checkLink(link)), ...certificates, ...space],
    inventory,
    view: look.view,
    volumes,
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

function copyFindings(node: NodeContext, look: GuestLook, guest: { vmid: Vmid; sourceGeneration: number | null }): readonly Finding[] {
  const { vmid, sourceGeneration } = guest;
  const { record } = look.view;
  const blocker = (id: CheckId, text: string): readonly Finding[] => [finding(id, text, 'Look at both nodes with "kedge audit" before anything is removed')];
  if (record.kind === 'unreadable') return blocker('record-unsettled', `${node.node} has a record of guest ${vmid} that can't be read: ${record.reason}`);
  if (record.kind === 'record' && (record.record.state === 'owned' || record.record.state === 'releasing')) {
    return blocker('guest-exists-on-target', `${node.node} has ${record.record.state}(${record.record.generation}) of guest ${vmid}`);
  }
  if (record.kind === 'record' && sourceGeneration !== null && record.record.generation > sourceGeneration + 1) {
    return blocker(
      'guest-exists-on-target',
      `${node.node} knows guest ${vmid} under generation ${record.record.generation}, later than ${sourceGeneration} of its source`,
    );
  }
  // What an attempt of an older generation left gives way when this node is prepared.
  const expected = record.kind === 'record';
  if (look.process !== null && !expected)
    return blocker('guest-running-elsewhere', `A QEMU of guest ${vmid} runs on ${node.node} (process ${look.process.pid})`);
  return [];
}
