import { hasTakenOver, type GuestView, type OwnershipRecord } from '../../../src/domain/ownership.js';
import { judgeVoided, type VoidedGuest } from '../../../src/domain/voided-guest.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { askOtherNodes } from '../audit/certain-owner.js';
import { isGuestOn } from '../guests/guest-power.js';
import { endIncoming } from '../handover/end-incoming.js';
import type { NodeContext } from '../node-context.js';
import { askPeer } from './ask-peer.js';

/**
 * Makes this node's records void of guests that were given up to another node while this one was off; answers which of them are done with.
 * To be called before the boot counts as registered: nothing of an earlier boot may start before.
 *
 * Who could still be running such a guest? Here nobody, if this is another boot than the one that was given up: its processes ended with that.
 * In the same boot the statement was wrong, and the guest may run. Only one that surely has another owner is killed here, since this node is
 * then a certain non-owner; while that is not known, all is left as it is and looked at again.
 * @throws KedgeError those of the disk: then nothing may be confirmed
 */
export async function applyVoided(node: NodeContext, voided: readonly VoidedGuest[]): Promise<readonly VoidedGuest[]> {
  const done: VoidedGuest[] = [];
  for (const guest of voided) if (await node.locks.withLock(guest.vmid, () => applyOne(node, guest))) done.push(guest);
  return done;
}

async function applyOne(node: NodeContext, guest: VoidedGuest): Promise<boolean> {
  const { vmid, migrationId, takenBy } = guest;
  const view = await node.records.read(vmid);
  // Neither allows anything to be run; what can't be read stays as evidence, and the decision with it.
  if (view.kind !== 'record') return view.kind === 'missing';
  const { record } = view;
  const verdict = judgeVoided(record, guest, node.bootId);
  if (verdict.do === 'nothing') return true;
  const isThisBoot = record.bootId === node.bootId || isGuestOn(node, record);
  if (isThisBoot && !(await surelyRunsElsewhere(node, guest))) {
    node.log.error({ ...guest }, 'ALARM: this node was stated to be off while it was not; its guest may be started elsewhere');
    return false;
  }
  node.log.warn({ ...guest, record: `${record.state}(${record.generation})` }, 'a guest was taken over while this node was off: its record here is void');
  // Its disks, not a copy: nothing may take them back. They stay, "kedge audit" lists those that no other node uses.
  if (verdict.wasOwner) await node.volumes.remove(vmid);
  await node.starts.end(vmid);
  await node.shutdowns.end(vmid);
  const { kind, generation, wanted } = record;
  const revoked: OwnershipRecord = { vmid, kind, generation, wanted, bootId: node.bootId, migrationId, peer: takenBy, state: 'revoked', ran: verdict.ran };
  await crashPoint('target.revoked-record', () => node.records.write(revoked));
  await endIncoming(node, vmid);
  await node.streams.remove(vmid);
  return true;
}

/** Does any node say that it has taken the guest over, or had? Who was told to may not be the one who did. */
async function surelyRunsElsewhere(node: NodeContext, { vmid, takenBy, below }: VoidedGuest): Promise<boolean> {
  const hasIt = (view: GuestView | 'unreachable'): boolean =>
    view !== 'unreachable' && view.record.kind === 'record' && hasTakenOver(view.record.record, below);
  return hasIt(await askPeer(node, takenBy, vmid)) || (await askOtherNodes(node, vmid)).some(({ view }) => hasIt(view));
}
