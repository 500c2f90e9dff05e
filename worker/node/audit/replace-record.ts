import { migrationIdOf, type Vmid } from '../../../src/domain/ids.js';
import type { OwnershipRecord, RecordView } from '../../../src/domain/ownership.js';
import type { RepairResult } from '../../../src/domain/repair.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { scanQemu } from '../../../src/drivers/qemu/scan-qemu.js';
import { lookAtGuest } from '../guests/look-at-guest.js';
import type { NodeContext } from '../node-context.js';
import { askForOwner } from './certain-owner.js';
import { gone, refuse, repaired } from './repair-result.js';

/**
 * Puts a tombstone in the place of a record that can't be true: one that can't be read, or an older "owned" of a node that has nothing of the
 * guest. The file itself is kept beside it.
 *
 * Who could still need what it said? Not this node: no process of the guest is here, and none is started without the lock that we hold. Not a
 * migration: the owner is claimed by none, by its own word of this moment, so no revocation of ours lets anybody run anything. Not a
 * late message: the tombstone has the owner's generation, so that it refuses at least what the true record refused. `released`
 * of a source that may take back is never replaced: then the owner would be claimed, or not certain.
 */
export async function replaceRecord(node: NodeContext, vmid: Vmid): Promise<RepairResult> {
  return node.locks.withLock(vmid, async () => {
    const view = await node.records.read(vmid);
    if (view.kind !== 'unreadable' && !(view.kind === 'record' && view.record.state === 'owned')) return gone('its record can be read, and is not owned');
    const { view: now, process } = await lookAtGuest(node, vmid);
    if (process !== null || now.qemu !== 'gone' || scanQemu({ vmid }).length > 0) return refuse('a process of the guest is on this node');
    const evidence = await askForOwner(node, vmid, { without: 'own-record' });
    if (!evidence.certain) return refuse(`the owner is not certain: ${evidence.because}`);
    const isFree = view.kind === 'unreadable' || (await isEmptyClaim(node, vmid, view));
    if (!isFree || (view.kind === 'record' && view.record.generation >= evidence.record.generation) || isUnproven(view, evidence.view.qemu)) {
      return refuse('nobody can tell which of the two records was altered');
    }
    const { generation, kind } = evidence.record;
    const tombstone: OwnershipRecord = {
      vmid,
      kind,
      generation,
      wanted: 'stopped',
      bootId: node.bootId,
      migrationId: migrationIdOf(vmid, generation),
      peer: evidence.view.node,
      state: 'revoked',
      ran: 'no',
    };
    const copy = await node.records.keepCopy(vmid);
    await crashPoint('node.tombstone-record', () => node.records.write(tombstone));
    return { ...repaired, because: `the old record is kept as ${copy}` };
  });
}

/** No config, so that this node could not start the guest, and no claim of a migration. */
async function isEmptyClaim(node: NodeContext, vmid: Vmid, view: RecordView): Promise<boolean> {
  return view.kind === 'record' && view.record.migrationId === undefined && !(await node.guestConfigs.list()).includes(vmid);
}

/** Between two that can be read, the one that is taken for true must show it by running the guest. */
const isUnproven = (view: RecordView, qemuOfOwner: string): boolean => view.kind === 'record' && qemuOfOwner !== 'running';
