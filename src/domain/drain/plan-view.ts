import { parseVmid, type NodeName, type Vmid } from '../ids.js';
import type { ClusterSnapshot, GuestRule, NotLivePolicy, SnapshotGuest } from '../plan/snapshot.js';

/** A guest on its way, or one that has just arrived. */
export interface Travel {
  readonly vmid: Vmid;
  readonly from: NodeName;
  readonly to: NodeName;
}

export interface PlanViewInput {
  /** Migrations that run, whoever began them. */
  readonly travels: readonly Travel[];
  /** Have ended; the snapshot may not show it yet. */
  readonly arrived: readonly Travel[];
  /** A node that nobody may come to: what leaves it need not be kept in mind. */
  readonly closed: NodeName | null;
  /** Guests that must not be planned for. */
  readonly fixed: ReadonlySet<Vmid>;
  /** Nodes that a guest may not go to now. */
  readonly banned: ReadonlyMap<Vmid, ReadonlySet<NodeName>>;
  /** What becomes of guests that would wait; null: they wait. */
  readonly force: NotLivePolicy | null;
}

export interface PlanView {
  readonly snapshot: ClusterSnapshot;
  /** Stand-ins for guests on their way, on the node that they have not left yet. */
  readonly ghosts: ReadonlySet<Vmid>;
}

const LARGEST_VMID = 999_999_999;
const BAN = 'failed-before-';

/**
 * The cluster as the next plan has to see it. A guest on its way is where it goes to, and a stand-in of it holds memory and company where it comes from
 * until it has left: so a plan made meanwhile keeps the order of the plan that began the move, whatever that was.
 */
export function planView(snapshot: ClusterSnapshot, { travels, arrived, closed, fixed, banned, force }: PlanViewInput): PlanView {
  const places = new Map([...arrived, ...travels].map((travel) => [travel.vmid, travel]));
  const known = new Set(snapshot.nodes.map(({ name }) => name));
  const ghosts: SnapshotGuest[] = [];
  let free = LARGEST_VMID;
  const used = new Set(snapshot.guests.map(({ vmid }) => vmid));
  const company = new Map<Vmid, Vmid>();
  const guests = snapshot.guests.map((guest): SnapshotGuest => {
    const travel = places.get(guest.vmid);
    const travelling = travels.some(({ vmid }) => vmid === guest.vmid);
    const here = { ...guest, pinned: guest.pinned || fixed.has(guest.vmid) || travelling, whenNotLive: policyOf(guest, force) };
    if (travel === undefined || travel.from !== guest.node || !known.has(travel.to)) return here;
    if (travelling && guest.node !== closed) {
      while (used.has(parseVmid(free))) free -= 1;
      const ghost = parseVmid(free);
      free -= 1;
      company.set(guest.vmid, ghost);
      ghosts.push({ ...guest, vmid: ghost, pinned: true, home: null });
    }
    return { ...here, node: travel.to };
  });
  return {
    snapshot: {
      ...snapshot,
      guests: [...guests, ...ghosts],
      nodes: snapshot.nodes.map((node) => ({
        ...node,
        storages: node.storages.map((storage) => ({ ...storage, freeBytes: storage.freeBytes - arriving(node.name, storage) })),
      })),
      rules: [...snapshot.rules.map((rule) => withGhosts(rule, company)), ...bans(banned, known)],
    },
    ghosts: new Set(ghosts.map(({ vmid }) => vmid)),
  };

  /** Bytes that copies on their way will take of this storage; what of it is there already is counted twice, until they have arrived. */
  function arriving(node: NodeName, { id, identity }: { id: string; identity: string | null }): number {
    if (identity !== null) return 0;
    const coming = snapshot.guests.filter(({ vmid }) => travels.some((travel) => travel.vmid === vmid && travel.to === node));
    return coming.flatMap(({ disks }) => disks).reduce((sum, disk) => sum + (disk.storage === id ? disk.bytes : 0), 0);
  }
}

/** The cluster with the guests that would wait treated like that; null: they wait. */
export function withForce(snapshot: ClusterSnapshot, force: NotLivePolicy | null): ClusterSnapshot {
  return { ...snapshot, guests: snapshot.guests.map((guest) => ({ ...guest, whenNotLive: policyOf(guest, force) })) };
}

/** Is this reason of a plan that the guest is banned from the node? */
export const isBan = (reason: string, vmid: Vmid): boolean => reason.includes(`rule ${BAN}${vmid} `);

const policyOf = ({ whenNotLive }: SnapshotGuest, force: NotLivePolicy | null): NotLivePolicy => (whenNotLive === 'wait' ? (force ?? 'wait') : whenNotLive);

function withGhosts(rule: GuestRule, company: ReadonlyMap<Vmid, Vmid>): GuestRule {
  if (rule.kind !== 'apart') return rule;
  return { ...rule, guests: [...rule.guests, ...rule.guests.flatMap((vmid) => company.get(vmid) ?? [])] };
}

function bans(banned: PlanViewInput['banned'], known: ReadonlySet<NodeName>): readonly GuestRule[] {
  return [...banned].map(([vmid, nodes]) => ({
    kind: 'nodes',
    id: `${BAN}${vmid}`,
    guests: [vmid],
    nodes: [...known].filter((node) => !nodes.has(node)),
    required: true,
  }));
}
