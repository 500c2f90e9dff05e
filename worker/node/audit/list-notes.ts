import type { NodeAudit } from '../../../activities/interface.js';
import type { AuditedNote } from '../../../src/domain/audit-types.js';
import type { GuestMarker } from '../../../src/domain/guest-note.js';
import type { Vmid } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { StorageDriver } from '../../../src/drivers/storage/driver.js';
import type { NodeContext } from '../node-context.js';
import { noteHasDisks } from '../notes/note-disks.js';
import { sharedStorages } from '../notes/note-home.js';

type Notes = Pick<Required<NodeAudit>, 'notes' | 'notesUnread'>;

/** What lies beside the disks of guests on the shared storages of this node, but for what says the same as its own records. Changes nothing. */
export async function listNotes(node: NodeContext): Promise<Notes> {
  // What is wrong with storage.cfg, the inventory and the checks tell.
  const shared = await sharedStorages(node).catch(() => []);
  const found = await Promise.all(shared.map((storage) => listOn(node, { storage, shared })));
  return { notes: found.flatMap(({ notes }) => notes), notesUnread: found.flatMap(({ notesUnread }) => notesUnread) };
}

async function listOn(node: NodeContext, { storage, shared }: { storage: StorageDriver; shared: readonly StorageDriver[] }): Promise<Notes> {
  try {
    // The notes first: only a storage that answers is asked for its marker, which is waited for.
    const surveyed = await storage.notes.survey(async (vmid, newest) => !(await isInOrder(node, vmid, newest)));
    const identity = surveyed.length === 0 ? null : await storage.identity().catch(() => null);
    const notes: AuditedNote[] = [];
    for (const { vmid, newest, note, unreadable } of surveyed) {
      const hasDisks = unreadable === null ? await noteHasDisks(shared, { vmid, home: storage, note }) : null;
      notes.push({ vmid, storage: storage.id, identity, newest, kind: note?.kind ?? null, hasDisks, unreadable });
    }
    return { notes, notesUnread: [] };
  } catch (error) {
    if (!(error instanceof KedgeError)) throw error;
    return { notes: [], notesUnread: [{ storage: storage.id, reason: error.message }] };
  }
}

async function isInOrder(node: NodeContext, vmid: Vmid, newest: GuestMarker | null): Promise<boolean> {
  const view = await node.records.read(vmid);
  return view.kind === 'record' && view.record.state === 'owned' && newest?.owner === node.node && newest.generation === view.record.generation;
}
