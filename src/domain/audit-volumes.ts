import type { AuditInput, AuditedNode, KeptCopy, Leftover } from './audit-types.js';

/**
 * Disks on a node's own storages of guests that another node owns, and that nobody asked to keep.
 *
 * Only where all of it is certain: an owner that was looked at, which does not see the same storage (one that is shared without being
 * declared so shows the owner's disks), and no migration under way. The remedy is a removal.
 */
export function auditVolumes(input: AuditInput): readonly Leftover[] {
  return input.nodes.flatMap((node) => (node.volumes ?? []).filter((volume) => isLeft(node, volume, input)).map((volume) => leftVolume(node, volume)));
}

/** Disks that a migration was asked to leave: known, and no leftovers. */
export function findKeptCopies({ nodes }: Pick<AuditInput, 'nodes'>): readonly KeptCopy[] {
  return nodes.flatMap(({ node, volumes = [] }) =>
    volumes.flatMap(({ vmid, volumeId, keptBy }) => (keptBy === null ? [] : [{ node, vmid, volumeId, migrationId: keptBy }])),
  );
}

type AuditedVolume = NonNullable<AuditedNode['volumes']>[number];

function isLeft(node: AuditedNode, { vmid, keptBy, identity }: AuditedVolume, { nodes, migrations }: AuditInput): boolean {
  if (keptBy !== null || migrations.some((migration) => migration.vmid === vmid)) return false;
  // Of a config without a record, which is reported by itself, the disks may be another guest's.
  const here = recordOn(node, vmid);
  if (here !== null && here !== 'released' && here !== 'revoked') return false;
  const others = nodes.filter((other) => other !== node);
  const owner = others.find((other) => recordOn(other, vmid) === 'owned');
  return owner?.storageIdentities !== undefined && !others.some(({ storageIdentities = [] }) => storageIdentities.includes(identity));
}

const recordOn = (node: AuditedNode, vmid: number) => node.guests.find((guest) => guest.vmid === vmid)?.record ?? null;

function leftVolume({ node }: AuditedNode, { vmid, volumeId }: AuditedVolume): Leftover {
  return {
    node,
    vmid,
    kind: 'volume-left',
    what: volumeId,
    meaning: 'A disk of a guest that another node owns; no migration was asked to keep it here (--keep-source)',
    remedy: `Make sure that guest ${String(vmid)} has its disks where it is ("kedge guest show ${String(vmid)}"), then remove this one`,
  };
}
