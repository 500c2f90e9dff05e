import type { NodeName } from '../ids.js';
import type { GuestFootprint, GuestSummary, NodeStatus } from '../node-facts.js';
import type { Placement } from './placement.js';
import type { SnapshotGuest } from './snapshot.js';

/** A guest as one node reports it. */
export interface Sighting {
  readonly status: NodeStatus;
  readonly guest: GuestSummary;
}

/** What else decides about a guest. */
export interface GuestCircumstances {
  readonly isMoving: boolean;
  readonly placement: Placement;
  /** Where a drain took it from. */
  readonly home: NodeName | null;
  readonly nodes: readonly NodeStatus[];
}

/** One guest for the planner, from all that nodes report of it, the likeliest holder first. */
export function guestFromNodes(seen: readonly [Sighting, ...Sighting[]], circumstances: GuestCircumstances): SnapshotGuest {
  const [{ status, guest }] = seen;
  const { placement, nodes, home } = circumstances;
  const said = placement.guests.get(guest.vmid) ?? { pinned: false, priority: 0, whenNotLive: placement.whenNotLive };
  const { footprint = null } = guest;
  const unmovable = whyUnmovable(seen, circumstances);
  const speed = placement.nodes.get(status.node)?.speed ?? status.inventory?.speed ?? 1;
  return {
    vmid: guest.vmid,
    kind: guest.kind,
    node: status.node,
    // One that should run is about to, or comes back with its node: its memory is wanted. What else runs takes memory, whatever its record says.
    running: seen.some((each) => each.guest.qemu !== 'gone') || guest.wanted === 'running' || guest.wanted === 'paused',
    memoryBytes: guest.memoryBytes,
    cores: guest.cores,
    cpuLoad: (footprint?.cpuLoad ?? 0) * speed,
    disks: disksOf(footprint, status),
    bridges: footprint?.bridges ?? [],
    cpuFlags: footprint?.hostCpu === true ? flagsThatDiffer(status, nodes) : [],
    machineType: footprint?.machineType ?? null,
    localDevices: footprint === null ? [] : [...footprint.localDevices, ...localMedia(footprint, status)],
    ...said,
    home: home === status.node ? null : home,
    ...(unmovable === null ? {} : { unmovable }),
  };
}

/** Null: it may be planned. */
function whyUnmovable(seen: readonly [Sighting, ...Sighting[]], { isMoving }: GuestCircumstances): string | null {
  const [{ status, guest }, ...others] = seen;
  const claims = others.filter(({ guest: there }) => ['owned', 'armed', 'releasing', 'incoming', 'unreadable'].includes(there.record));
  const strays = others.filter(({ guest: there }) => there.qemu !== 'gone');
  if (isMoving || guest.migrationId !== null) return 'it is being migrated';
  if (guest.record !== 'owned') return `${status.node} does not own it, its record is ${guest.record}: "kedge reconcile ${guest.vmid}" tells more`;
  const other = strays[0] ?? claims.find((claim) => claim.guest.generation === null || claim.guest.generation >= (guest.generation ?? 0));
  if (other !== undefined) return `${other.status.node} has something of it, too: "kedge reconcile ${guest.vmid}" tells more`;
  if (guest.footprint === undefined) return `Kedge on ${status.node} is too old to tell what it needs`;
  if (guest.footprint === null) return `its config on ${status.node} can't be read`;
  if (guest.footprint.lock !== null) return `it is locked (${guest.footprint.lock})`;
  const unknown = guest.footprint.disks.find(({ storage, bytes }) => bytes === null && !isShared(status, storage));
  return unknown === undefined ? null : `${status.node} can't tell yet how large its disks on ${unknown.storage} are`;
}

/** One entry a storage. A size that is not known matters only where it would be copied, and then the guest is not planned. */
function disksOf(footprint: GuestFootprint | null, status: NodeStatus): SnapshotGuest['disks'] {
  if (footprint === null) return [];
  // An image in a drive has to be there, and nothing of it is copied.
  const media = footprint.media.filter((storage) => isShared(status, storage)).map((storage) => ({ storage, bytes: 0 }));
  const sums = new Map<string, number>();
  for (const { storage, bytes } of [...footprint.disks, ...media]) sums.set(storage, (sums.get(storage) ?? 0) + (bytes ?? 0));
  return [...sums].map(([storage, bytes]) => ({ storage, bytes }));
}

function localMedia({ media }: GuestFootprint, status: NodeStatus): readonly string[] {
  return media.filter((storage) => !isShared(status, storage)).map((storage) => `a CD-ROM image on ${storage}`);
}

function isShared({ inventory }: NodeStatus, storage: string): boolean {
  return (inventory?.storages ?? []).some(({ id, shared, identity }) => id === storage && shared && identity !== null);
}

/**
 * Flags of its node that another node lacks: the others decide nothing, and a thousand guests with all of them would make the snapshot too large for one
 * answer of an activity. A guest that came from a node with fewer flags was shown fewer: rather too many here than too few, and as the checks have it.
 */
function flagsThatDiffer({ inventory }: NodeStatus, nodes: readonly NodeStatus[]): readonly string[] {
  // Emulated processors are the same everywhere.
  if (inventory === null || inventory.cpu.accelerator === 'tcg') return [];
  const others = nodes.flatMap(({ inventory: other }) => (other === null ? [] : [new Set(other.cpu.flags)]));
  return inventory.cpu.flags.filter((flag) => others.some((flags) => !flags.has(flag)));
}
