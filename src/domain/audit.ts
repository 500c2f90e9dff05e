/**
 * What `kedge audit` concludes from what all nodes have and what runs: pure, so that every fault can be planted in a test.
 *
 * The rule behind all of them: outside a running migration, each guest has exactly one `owned` record, the owner alone has
 * its config, process, disks, sockets and tap devices, and nothing carries the name of a migration that has ended.
 * `released` and `revoked` records stay as tombstones: they fence old generations and are no leftovers. Disks that a migration was asked to
 * keep are none either (audit-volumes.ts).
 *
 * Each finding carries its safe repair, if there is one (repair.ts); nothing here decides alone: whoever repairs looks again.
 */
import { auditGuestAcrossNodes } from './audit-guest.js';
import { auditOneNode } from './audit-node.js';
import { auditNotes } from './audit-notes.js';
import { auditSlots } from './audit-slots.js';
import type { AuditFinding, AuditInput, Leftover } from './audit-types.js';
import { auditVolumes } from './audit-volumes.js';
import { auditWorkflows } from './audit-workflows.js';

/** Everything that is where it should not be, nodes in order of their names. An empty list is a clean cluster. */
export function findLeftovers(input: AuditInput): readonly Leftover[] {
  const findings = [
    ...input.unreached.map(unreachedNode),
    ...input.nodes.flatMap((node) => auditOneNode(node, input)),
    ...auditVolumes(input),
    ...auditNotes(input),
    ...vmidsOf(input).flatMap((vmid) => auditGuestAcrossNodes(vmid, input)),
    ...input.migrations.filter((migration) => migration.parked).map(parkedMigration),
    ...auditSlots(input),
    ...auditWorkflows(input),
  ];
  return findings.map(leftoverOf).sort((a, b) => (a.node ?? '').localeCompare(b.node ?? '') || (a.vmid ?? 0) - (b.vmid ?? 0));
}

function leftoverOf({ key, repair = null, ...finding }: AuditFinding): Leftover {
  const { kind, node, vmid } = finding;
  const id = [kind, node ?? 'cluster', ...(vmid === null ? [] : [vmid]), ...(key === undefined ? [] : [key])].map(String).join('/');
  return { id, ...finding, repair };
}

function vmidsOf(input: AuditInput): readonly number[] {
  return [...new Set(input.nodes.flatMap((node) => node.guests.map((guest): number => guest.vmid)))].sort((a, b) => a - b);
}

function unreachedNode(unreached: AuditInput['unreached'][number]): AuditFinding {
  return {
    node: unreached.node,
    vmid: null,
    kind: 'node-not-audited',
    what: unreached.reason,
    meaning: 'Nobody looked at this node: it may hold anything',
    remedy: `Bring the node back (see "kedge node show ${unreached.node}"), then audit again`,
  };
}

function parkedMigration(migration: AuditInput['migrations'][number]): AuditFinding {
  const id = migration.migrationId ?? String(migration.vmid);
  return {
    node: null,
    vmid: migration.vmid,
    kind: 'migration-parked',
    what: `migration ${id} waits for a decision`,
    meaning: 'The migration could not settle by itself; its records and files stay as they are',
    remedy: `Read "kedge migration show ${id}", then "kedge migration decide ${id} retry|skip|abandon"`,
  };
}
