import { parseGeneration, type Vmid } from '../../../src/domain/ids.js';
import { ownedFree, type GuestView } from '../../../src/domain/ownership.js';
import type { RepairResult } from '../../../src/domain/repair.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { lookAtGuest } from '../guests/look-at-guest.js';
import type { NodeContext } from '../node-context.js';
import { forgetStrayNote, newestMarker } from '../notes/keep-note.js';
import { askOtherNodes } from './certain-owner.js';
import { gone, refuse, repaired } from './repair-result.js';

/**
 * Makes this node the owner of a guest that runs here while its record is lost or can't be read. It runs already; what is written is that nobody
 * else may.
 *
 * Who else could run it, now or later? Every node is asked, and says that it has no process of it and no record that could become a permission: no
 * `owned`, and no `incoming`, `armed` or `releasing` whose migration might go on. A `released` may be taken back only after our revocation,
 * which an owner refuses. One that is silent, or whose record can't be read either, might: then nothing is written.
 *
 * The generation is beyond all that was ever issued: what the others remember, what the steps of this node have claimed under, and two more.
 */
export async function adoptGuest(node: NodeContext, vmid: Vmid): Promise<RepairResult> {
  return node.locks.withLock(vmid, async () => {
    const { view } = await lookAtGuest(node, vmid);
    if (view.record.kind === 'record') return gone('this node has a record of the guest by now');
    if (view.qemu !== 'running') return refuse(`the guest does not run here (${view.qemu}): an owner that is off is found by hand`);
    const kind = node.guestConfigs.kindOf(vmid);
    if (kind === null) return refuse('this node has no config of the guest');
    if (!node.boot.confirmed) return refuse('this boot of the node is not registered yet');
    const answers = await askOtherNodes(node, vmid);
    for (const { peer, view: other } of answers) {
      const why = other === 'unreachable' ? `${peer} does not answer` : whyItCouldRunOn(other);
      if (why !== null) return refuse(why);
    }
    const remembered = answers.map(({ view: other }) => (other === 'unreachable' || other.record.kind !== 'record' ? 0 : other.record.record.generation));
    // What lies beside its disks may say less: it goes first, and comes back with the new generation.
    const marked = (await newestMarker(node, vmid))?.generation ?? 0;
    await forgetStrayNote(node, vmid);
    const generation = parseGeneration(Math.max(...remembered, (await node.steps.seen(vmid))?.generation ?? 0, marked) + 2);
    const kept = view.record.kind === 'unreadable' ? await node.records.keepCopy(vmid) : null;
    const record = ownedFree({ vmid, kind, wanted: 'running' }, { generation, bootId: node.bootId });
    await crashPoint('node.adopt-record', () => node.records.write(record));
    return kept === null ? repaired : { ...repaired, because: `the old record is kept as ${kept}` };
  });
}

function whyItCouldRunOn({ node, qemu, record }: GuestView): string | null {
  if (qemu !== 'gone') return `${node} has a process of the guest (${qemu})`;
  if (record.kind === 'unreadable') return `the record of ${node} can't be read`;
  if (record.kind === 'missing' || record.record.state === 'released' || record.record.state === 'revoked') return null;
  return `the record of ${node} is ${record.record.state}(${record.record.generation})`;
}
