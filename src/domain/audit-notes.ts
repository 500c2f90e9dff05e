import { certainOwner, isMigrating, recordOn } from './audit-owner.js';
import type { AuditedNode, AuditedNote, AuditFinding, AuditInput } from './audit-types.js';
import { FURTHEST_RECORD } from './guest-note.js';
import type { Repair } from './repair.js';

/** A note, and the first node by name that sees it. */
interface Seen {
  readonly node: AuditedNode;
  readonly note: AuditedNote;
}

/**
 * What lies beside the disks of guests, against what the nodes say of them. A note may be behind by one move, for ten seconds or for as long as its guest
 * is claimed; so behind is not wrong. Wrong is one that names an owner where there is none any more, one that no owner will bring up to date, and one that is
 * ahead of its owner.
 *
 * Not judged, since what is seen may be in the middle of something, or somebody may know better:
 * - while any node is silent, or does not tell its tombstones: it may own the guest, and a note is what others would take it over from
 * - while a migration of the guest runs, or a recovery that may have it: that of the node which the note names, or one that owes it
 * - what was not there unchanged at two looks (src/cli/collect-audit.ts): a take-over makes its marker before its record, and a hand-over passes from one
 *   node to the other while these are looked at one after the other
 */
export function auditNotes(input: AuditInput): readonly AuditFinding[] {
  return [...unreadStorages(input), ...seenNotes(input).flatMap((seen) => auditNote(seen, input))];
}

/** Is there a note that is to be looked at twice? */
export function hasDoubtfulNotes(input: AuditInput): boolean {
  return seenNotes(input).some((seen) => seen.note.unreadable === null && auditNote(seen, input).length > 0);
}

function auditNote(seen: Seen, input: AuditInput): readonly AuditFinding[] {
  const { note } = seen;
  if (note.unreadable !== null) return [unreadable(seen, note.unreadable)];
  if (input.unreached.length > 0 || input.nodes.some(({ views }) => views === undefined)) return [];
  if (isMigrating(input, note.vmid) || isRecovering(note, input)) return [];
  if (isNobodys(note.vmid, input)) return [lostNote(seen, input)];
  const owner = certainOwner(input, note.vmid);
  const generation = owner?.guest.generation ?? null;
  if (owner === null || generation === null) return [];
  const marked = note.newest?.generation ?? 0;
  if (marked > generation || (marked === generation && note.newest?.owner !== owner.node.node)) return [noteAhead(seen, { owner: owner.node, generation })];
  return isStale(seen, { owner: owner.node, generation, input }) ? [staleNote(seen, { owner: owner.node, generation })] : [];
}

/** Each note once, however many nodes see its storage. */
function seenNotes({ nodes }: AuditInput): readonly Seen[] {
  const found = new Map<string, Seen>();
  for (const node of [...nodes].sort((one, other) => one.node.localeCompare(other.node))) {
    for (const note of node.notes ?? []) {
      const key = `${String(note.vmid)} ${note.identity ?? `${note.storage} of ${node.node}`}`;
      if (!found.has(key)) found.set(key, { node, note });
    }
  }
  return [...found.values()];
}

function isRecovering({ vmid, newest }: AuditedNote, { recoveries = [] }: AuditInput): boolean {
  return recoveries.some(({ node, owed }) => owed === null || owed.includes(vmid) || node === newest?.owner);
}

/** No node has a process of it, or a record that is or could become a permission. */
function isNobodys(vmid: number, { nodes }: AuditInput): boolean {
  return nodes.every((node) => {
    const record = recordOn(node, vmid);
    const isTombstone = record === 'missing' || record === 'released' || record === 'revoked';
    return isTombstone && !node.processes.some((process) => process.vmid === vmid);
  });
}

/**
 * Will its owner never bring it up to date? It does not see the storage; or it has made a newer one elsewhere; or it has gone on further than a claim
 * lets it go on with an older one, so that what it should have done was not done.
 */
function isStale({ note }: Seen, { owner, generation, input }: { owner: AuditedNode; generation: number; input: AuditInput }): boolean {
  const marked = note.newest?.generation ?? 0;
  if (marked === generation) return false;
  if (marked + FURTHEST_RECORD < generation) return true;
  if (note.identity === null || owner.storageIdentities === undefined) return false;
  if (!owner.storageIdentities.includes(note.identity)) return true;
  return seenNotes(input).some(
    (other) => other.note.vmid === note.vmid && other.note.identity !== note.identity && (other.note.newest?.generation ?? 0) > marked,
  );
}

function finding({ node, note }: Seen, described: Pick<AuditFinding, 'kind' | 'meaning' | 'remedy'> & { what: string; repair: Repair | null }): AuditFinding {
  const { what, ...rest } = described;
  const says = note.newest === null ? 'without a marker' : `of ${note.newest.owner}, generation ${String(note.newest.generation)}`;
  return { node: node.node, vmid: note.vmid, key: note.storage, what: `note on storage ${note.storage} ${says}${what}`, ...rest };
}

const removal = ({ note }: Seen): Repair => ({ do: 'remove-note', storage: note.storage, generation: note.newest?.generation ?? null });

/**
 * A guest that no node has any more. With a disk it can be had back, so that nothing of it is removed; without one, or without a config, nobody can
 * start anything from it.
 */
function lostNote(seen: Seen, input: AuditInput): AuditFinding {
  const { vmid, storage, newest, kind, hasDisks } = seen.note;
  const isUseless = kind === null || hasDisks === false;
  const named = newest !== null && input.nodes.some(({ node }) => node === newest.owner) ? newest.owner : seen.node.node;
  const copy = `sed 1d <path of ${storage}>/.kedge/${String(vmid)}.conf > ${String(vmid)}.conf`;
  const create = `kedge guest create ${String(vmid)} --node ${named} --from ${String(vmid)}.conf${kind === 'lxc' ? ' --kind lxc' : ''}`;
  return finding(seen, {
    kind: 'note-lost',
    what: ', and no node has the guest',
    meaning: isUseless
      ? 'What a guest that is gone has left: nobody can start anything from it'
      : 'The guest is lost: a recovery was ended by hand, or its owner has lost its record. Its config is in the note, its disks may be whole',
    remedy: isUseless
      ? `Nothing has to be done; the number ${String(vmid)} stays usable`
      : `To have it back: "${copy}" on ${seen.node.node}, then "${create}", which keeps the disks that are there, and "kedge guest start"`,
    repair: isUseless ? removal(seen) : null,
  });
}

interface Owner {
  readonly owner: AuditedNode;
  readonly generation: number;
}

function staleNote(seen: Seen, { owner, generation }: Owner): AuditFinding {
  return finding(seen, {
    kind: 'note-stale',
    what: `; ${owner.node} owns the guest under ${String(generation)}, and does not keep this note`,
    meaning: 'An older note: should the node that it names die, the guest could be started from it a second time',
    remedy: `Remove ${String(seen.note.vmid)}.conf and all ${String(seen.note.vmid)}.<number> from the folder .kedge of storage ${seen.note.storage}, the lowest number first`,
    repair: removal(seen),
  });
}

function noteAhead(seen: Seen, { owner, generation }: Owner): AuditFinding {
  return finding(seen, {
    kind: 'note-ahead',
    what: `; ${owner.node} owns the guest under ${String(generation)}`,
    meaning: `The storage says that another node has taken the guest over, or had begun to: ${owner.node} neither moves it nor keeps its note, and does not start it after a reboot`,
    remedy: `Read "kedge reconcile ${String(seen.note.vmid)}" and "kedge node recovery ${owner.node}". Only if it runs on ${owner.node} and surely nowhere else, remove the newest ${String(seen.note.vmid)}.<number> from the folder .kedge of storage ${seen.note.storage}`,
    repair: null,
  });
}

function unreadable({ node, note }: Seen, reason: string): AuditFinding {
  return {
    node: node.node,
    vmid: note.vmid,
    kind: 'note-unreadable',
    key: note.storage,
    what: `note on storage ${note.storage}: ${reason}`,
    meaning: 'The guest can not be taken over from it, and its owner may not be able to move it',
    remedy: `Look at the file in the folder .kedge; if a node owns the guest ("kedge reconcile ${String(note.vmid)}") it can be removed there, and is written anew`,
  };
}

function unreadStorages({ nodes }: AuditInput): readonly AuditFinding[] {
  return nodes.flatMap(({ node, notesUnread = [] }) =>
    notesUnread.map(({ storage, reason }) => ({
      node,
      vmid: null,
      kind: 'notes-not-audited' as const,
      key: storage,
      what: `storage ${storage}: ${reason}`,
      meaning: 'A shared storage gives no answer: guests can not be taken over from dead nodes, and some not be moved',
      remedy: `Mend it, or give it "disable" in storage.cfg of all nodes until it is mended: docs/operating.md, "When a node fails"`,
    })),
  );
}
