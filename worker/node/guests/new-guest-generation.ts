import { FURTHEST_RECORD } from '../../../src/domain/guest-note.js';
import { parseGeneration, type Generation, type Vmid } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { GuestView } from '../../../src/domain/ownership.js';
import { askOtherNodes } from '../audit/certain-owner.js';
import type { NodeContext } from '../node-context.js';
import { newestMarker } from '../notes/keep-note.js';

/**
 * The generation of a new guest, if its number is free. What an earlier guest of this number has left, here, on the other nodes and on the storages, is
 * outbid, so that its late messages stay refused, and so that a node which is off can't have a record beyond it.
 *
 * Who could still be running a guest of this number? A node that answers says so, and a storage names the owner of what lies on it: if that is silent, it
 * might. A node that is silent and had one with disks of its own is known to the control plane, which refuses before this is asked (src/client/manage-guest.ts).
 * @param own greatest generation that this node itself remembers; 0 for none
 * @throws KedgeError `already-exists`; `storage-failed` when a shared storage can't be asked
 */
export async function newGuestGeneration(node: NodeContext, vmid: Vmid, own: number): Promise<Generation> {
  const answers = await askOtherNodes(node, vmid);
  for (const { peer, view } of answers) {
    const holds = view === 'unreachable' ? null : whatItHas(view);
    if (holds !== null) throw taken(vmid, `${peer} ${holds}`);
  }
  const marker = await newestMarker(node, vmid);
  const owner = answers.find(({ peer }) => peer === marker?.owner);
  if (marker !== null && owner?.view === 'unreachable')
    throw taken(vmid, `its storage says that ${marker.owner} has it under generation ${marker.generation}, and ${marker.owner} does not answer`);
  const known = answers.map(({ view }) => (view === 'unreachable' || view.record.kind !== 'record' ? 0 : view.record.record.generation));
  const remembered = Math.max(own, marker?.generation ?? 0, ...known);
  return parseGeneration(remembered === 0 ? 1 : remembered + FURTHEST_RECORD + 1);
}

/** In words; null: nothing that is or could become a permission. */
function whatItHas({ qemu, record }: GuestView): string | null {
  if (qemu !== 'gone') return `has a process of it (${qemu})`;
  if (record.kind === 'unreadable') return 'has a record of it that can not be read';
  if (record.kind === 'missing' || record.record.state === 'released' || record.record.state === 'revoked') return null;
  return `has it: its record is ${record.record.state}(${record.record.generation})`;
}

function taken(vmid: Vmid, why: string): KedgeError {
  return new KedgeError('already-exists', `Cannot create guest ${vmid}: ${why}. Take another number, or settle that guest first: kedge reconcile ${vmid}`);
}
