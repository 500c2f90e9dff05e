import type { Vmid } from '../../../src/domain/ids.js';
import type { GuestView } from '../../../src/domain/ownership.js';
import type { NodeRepair, RepairResult } from '../../../src/domain/repair.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { lookAtGuest } from '../guests/look-at-guest.js';
import type { NodeContext } from '../node-context.js';
import { noteHasDisks } from '../notes/note-disks.js';
import { sharedStorages } from '../notes/note-home.js';
import { askForOwner, askOtherNodes } from './certain-owner.js';
import { gone, refuse, repaired } from './repair-result.js';

type RemoveNote = NodeRepair & { readonly do: 'remove-note' };

/**
 * Removes what lies beside the disks of a guest on one storage, where nobody could take the guest over from it, or nobody may.
 *
 * Who could still need it? Every node is asked, and must answer: none is off, so no guest is anybody's to take over now.
 * - The owner, if there is one: it surely has the guest under a later generation than this note has. Its own note, should it be on this storage, it writes
 *   anew within ten seconds, and the guest is not started elsewhere until then. A claim in between finds none, which is as safe.
 * - Without an owner: who wants the guest back. So only where no disk is left of it, or no config.
 *
 * Who could run the guest twice because it is gone?
 * 1. A taker that was stopped between its questions and its marker finds room for that again. Markers go from the oldest on (`GuestNotes.remove`), that of
 *    the lost node before any taker's. So it finds the marker of the other taker, or misses that of the lost node, and takes nothing (section 8, race 5).
 * 2. A taker that has made its marker, and has not written its record. If it reads its marker again after this, it takes nothing. If it has read it before, it
 *    goes on to own the guest, alone, and writes its note anew.
 * 3. A node that was given up, comes back, and looks here whether it may start the guest (`assertNotTaken`). It has answered: either it owns the guest, or
 *    it has nothing to start. Two owners are no certain one.
 * 4. The owner, or a taker, writes at the same time. What is left of both is a config without a marker, a marker without a config, or nothing; or all of
 *    the new ones. From none of these an older owner can be taken for the present one.
 * 5. A new guest of the number: what is beyond its predecessors it learns from the records of all nodes too, and none that has answered has one that is more than a tombstone.
 */
export async function removeNote(node: NodeContext, vmid: Vmid, { storage, generation }: RemoveNote): Promise<RepairResult> {
  return node.locks.withLock(vmid, async () => {
    const shared = await sharedStorages(node);
    const home = shared.find(({ id }) => id === storage);
    if (home === undefined) return gone(`this node has no shared storage ${storage} any more`);
    if (!(await home.notes.guests()).includes(vmid)) return gone('the note is gone');
    const why = await whyNeeded(node, vmid, generation ?? 0);
    if (why === 'no-owner') {
      const note = await home.notes.read(vmid);
      if (note !== null && (await noteHasDisks(shared, { vmid, home, note })) !== false)
        return refuse('a disk of the guest may be there still, and no node has the guest: it can be had back from its note');
    } else if (why !== null) return refuse(why);
    // After the questions: what was made since is not what they were about.
    if (((await home.notes.newest(vmid))?.generation ?? null) !== generation) return gone('the note was written anew');
    await crashPoint('node.stray-note-removal', () => home.notes.remove(vmid));
    return repaired;
  });
}

/** Why the note stays, in words; `no-owner`: no node has anything of the guest; null: a node surely owns it beyond the note. */
async function whyNeeded(node: NodeContext, vmid: Vmid, generation: number): Promise<string | null> {
  const { view: own } = await lookAtGuest(node, vmid);
  const others = await askOtherNodes(node, vmid);
  const silent = others.find(({ view }) => view === 'unreachable');
  if (silent !== undefined) return `${silent.peer} does not answer`;
  const views = [own, ...others.flatMap(({ view }) => (view === 'unreachable' ? [] : [view]))];
  if (views.every(hasNothing)) return 'no-owner';
  const evidence = await askForOwner(node, vmid);
  if (!evidence.certain) return `the owner is not certain: ${evidence.because}`;
  if (evidence.record.generation <= generation) return `${evidence.view.node} owns the guest under ${evidence.record.generation}, which the note may be of`;
  return null;
}

function hasNothing({ qemu, record }: GuestView): boolean {
  return (
    qemu === 'gone' && (record.kind === 'missing' || (record.kind === 'record' && (record.record.state === 'released' || record.record.state === 'revoked')))
  );
}
