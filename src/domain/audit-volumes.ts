import { hasConfigOn } from './audit-owner.js';
import type { AuditedNode, AuditFinding, AuditInput, KeptCopy } from './audit-types.js';

/**
 * Disks on a node's own storages of guests that another node owns, and that nobody asked to keep; and disks of guests that no node knows.
 *
 * The first only where all of it is certain: an owner that was looked at, which does not see the same storage (one that is shared without being
 * declared so shows the owner's disks), and no migration under way. The remedy is a removal.
 *
 * No disk is removed by a repair. Of a guest that nobody owns it may be the only copy. Of one that is owned elsewhere nothing on any node
 * says whether this very disk was copied and compared, nor whether its migration was asked to keep it: both are known to that
 * migration's workflow alone, and it removes them itself in its release.
 */
export function auditVolumes(input: AuditInput): readonly AuditFinding[] {
  return input.nodes.flatMap((node) =>
    (node.volumes ?? []).flatMap((volume) => {
      if (isLeft(node, volume, input)) return [leftVolume(node, volume)];
      return isOrphan(volume, input) ? [orphanVolume(node, volume)] : [];
    }),
  );
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

/** No node has a record (but tombstones) or a config of its guest, and all nodes were asked. */
function isOrphan({ vmid, keptBy }: AuditedVolume, { nodes, unreached, migrations }: AuditInput): boolean {
  if (keptBy !== null || unreached.length > 0 || migrations.some((migration) => migration.vmid === vmid)) return false;
  return !nodes.some((node) => recordOn(node, vmid) !== null || hasConfigOn(node, vmid));
}

const recordOn = (node: AuditedNode, vmid: number) => node.guests.find((guest) => guest.vmid === vmid)?.record ?? null;

function leftVolume({ node }: AuditedNode, { vmid, volumeId }: AuditedVolume): AuditFinding {
  return {
    node,
    vmid,
    kind: 'volume-left',
    key: volumeId,
    what: volumeId,
    meaning: 'A disk of a guest that another node owns; no migration was asked to keep it here (--keep-source)',
    remedy: `Make sure that guest ${String(vmid)} has its disks where it is ("kedge guest show ${String(vmid)}"), then remove this one`,
  };
}

function orphanVolume({ node }: AuditedNode, { vmid, volumeId }: AuditedVolume): AuditFinding {
  return {
    node,
    vmid,
    kind: 'volume-orphan',
    key: volumeId,
    what: volumeId,
    meaning: 'A disk of a guest that no node knows: it may be all that is left of it',
    remedy: 'Find out whose it is; keep it or remove it by hand. Kedge never removes it',
  };
}
