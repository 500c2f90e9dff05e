import type { AuditInput, AuditedNode } from './audit-types.js';
import type { Generation } from './ids.js';
import type { GuestSummary } from './node-facts.js';
import type { OwnershipRecord } from './ownership.js';

/** The node that surely owns a guest, and what it says of it. */
export interface CertainOwner {
  readonly node: AuditedNode;
  readonly guest: GuestSummary;
}

/**
 * The one node that may run the guest, if all evidence agrees: every node of the cluster has answered, one alone has `owned`, no migration
 * has claimed it there or runs, and no node knows a later generation (that one would have been issued after it). Null otherwise.
 *
 * This is what the audit plans by; the node that acts asks all nodes again, under the guest's lock (worker/node/audit/certain-owner.ts).
 */
export function certainOwner(input: AuditInput, vmid: number): CertainOwner | null {
  if (input.unreached.length > 0 || isMigrating(input, vmid)) return null;
  const owners = input.nodes.flatMap((node) =>
    node.guests.filter((guest) => guest.vmid === vmid && guest.record === 'owned').map((guest) => ({ node, guest })),
  );
  const [owner] = owners;
  if (owner === undefined || owners.length > 1 || owner.guest.migrationId !== null || owner.guest.generation === null) return null;
  const newest = Math.max(...generationsOf(input, vmid));
  return owner.guest.generation >= newest ? owner : null;
}

/** Every generation of the guest that any record names. */
export function generationsOf({ nodes }: Pick<AuditInput, 'nodes'>, vmid: number): readonly Generation[] {
  return nodes.flatMap((node) => [
    ...node.guests.filter((guest) => guest.vmid === vmid).flatMap(({ generation }) => generation ?? []),
    ...[fullRecordOn(node, vmid)?.generation ?? []].flat(),
  ]);
}

/** A migration of the guest runs or waits for an operator: then the guest is that one's matter. */
export function isMigrating({ migrations }: Pick<AuditInput, 'migrations'>, vmid: number | null): boolean {
  return migrations.some((migration) => migration.vmid === vmid);
}

/** The record on one node: as its worker last summed the guest up, else the record itself, since of a tombstone there is no summary. */
export function recordOn(node: Pick<AuditedNode, 'guests' | 'views'>, vmid: number | null): GuestSummary['record'] {
  const summary = node.guests.find((guest) => guest.vmid === vmid);
  return summary?.record ?? fullRecordOn(node, vmid)?.state ?? 'missing';
}

/** The record on one node in full; null where it has none that can be read, or the node does not tell. */
export function fullRecordOn({ views = [] }: Pick<AuditedNode, 'views'>, vmid: number | null): OwnershipRecord | null {
  return views.flatMap(({ record }) => (record.kind === 'record' ? [record.record] : [])).find((record) => record.vmid === vmid) ?? null;
}

/** Has the node a config of the guest? */
export function hasConfigOn({ files }: Pick<AuditedNode, 'files'>, vmid: number): boolean {
  return files.some((file) => file.endsWith(`/${String(vmid)}.conf`));
}
