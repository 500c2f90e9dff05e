import { assertNever } from '../assert-never.js';
import { compareVersions } from '../compare-versions.js';
import { formatBytes } from '../format-bytes.js';
import type { NodeName, Vmid } from '../ids.js';
import { capacityOf, copiedDisks, memoryOf, type ClusterState, type NodeState } from './cluster-state.js';
import type { MoveWay } from './plan.js';
import type { GuestRule, SnapshotGuest, SnapshotNode } from './snapshot.js';

/** A move that is thought of. */
export interface Candidate {
  readonly guest: SnapshotGuest;
  readonly way: MoveWay;
  /** Where others go in the same plan: those that belong together arrive one after the other. */
  readonly destinations?: ReadonlyMap<Vmid, NodeName>;
}

/** Why the guest may not come to this node now, in words; null: it may. What comes first is cheapest to find out. */
export function whyNotOn(state: ClusterState, candidate: Candidate, target: NodeState): string | null {
  const { guest } = candidate;
  const { node } = target;
  if (target.guests.has(guest.vmid)) return 'it is there';
  if (node.state !== 'online') return node.state === 'cordoned' ? 'it takes no new guests' : 'it gives no answer';
  return (
    whyNoRoom(guest, target) ??
    whyNotSurvived(state, candidate, target) ??
    whyNotEquipped(state, candidate, target) ??
    firstReason(state.rulesOf(guest.vmid), (rule) => (rule.required ? whyAgainstRule(rule, state, { ...candidate, to: node.name }) : null))
  );
}

function whyNoRoom(guest: SnapshotGuest, { node, usedBytes }: NodeState): string | null {
  const wanted = memoryOf(guest);
  const free = capacityOf(node) - usedBytes;
  return wanted <= free || wanted === 0 ? null : `${formatBytes(wanted)} of memory don't fit, ${formatBytes(Math.max(0, free))} are free`;
}

/**
 * Would the rest still hold the guests of any one node? By the sum of what is free, so it is a necessary condition: how large single guests are is not
 * looked at. The guests of a node fit into the others exactly if all that is free is at least what that node can hold.
 */
export function whyNotSurvived(state: ClusterState, { guest }: Candidate, target: NodeState): string | null {
  if (!state.survivesOneNode || memoryOf(guest) === 0) return null;
  const place = state.placeOf(guest.vmid);
  let free = 0;
  let largest = 0;
  for (const each of state.nodes()) {
    if (each.node.state !== 'online') continue;
    const capacity = capacityOf(each.node);
    free += Math.max(0, capacity - each.usedBytes);
    if (each.usedBytes > 0 || each === target) largest = Math.max(largest, capacity);
  }
  const comesFromOutside = place === null || state.nodeState(place).node.state !== 'online';
  const left = free - (comesFromOutside ? memoryOf(guest) : 0);
  return left >= largest ? null : `${formatBytes(left)} would be free on all nodes, too little for the guests of a node that fails`;
}

function whyNotEquipped(state: ClusterState, { guest, way }: Candidate, { node, takenBytes }: NodeState): string | null {
  const source = state.nodeState(state.placeOf(guest.vmid) ?? guest.node).node;
  return (
    firstReason(guest.bridges, (bridge) => (node.bridges.includes(bridge) ? null : `it has no bridge ${bridge}`)) ??
    firstReason(guest.disks, ({ storage }) => (node.storages.some(({ id }) => id === storage) ? null : `it has no storage ${storage}`)) ??
    whyNoSpace({ guest, source, target: node, takenBytes }) ??
    (guest.machineType === null || node.machineTypes.includes(guest.machineType) ? null : `its QEMU has no machine type ${guest.machineType}`) ??
    (way === 'live' ? whyNotLiveTo(guest, source, node) : null)
  );
}

function whyNoSpace(copy: { guest: SnapshotGuest; source: SnapshotNode; target: SnapshotNode; takenBytes: ReadonlyMap<string, number> }): string | null {
  const { guest, source, target, takenBytes } = copy;
  const copied = copiedDisks(guest, source, target);
  return firstReason([...new Set(copied.map(({ storage }) => storage))], (id) => {
    const wanted = copied.filter(({ storage }) => storage === id).reduce((sum, { bytes }) => sum + bytes, 0);
    const free = (target.storages.find((storage) => storage.id === id)?.freeBytes ?? 0) - (takenBytes.get(id) ?? 0);
    return wanted <= free ? null : `${formatBytes(wanted)} of disks don't fit on ${id}, ${formatBytes(Math.max(0, free))} are free`;
  });
}

function whyNotLiveTo(guest: SnapshotGuest, source: SnapshotNode, target: SnapshotNode): string | null {
  if (source.accelerator !== target.accelerator) return `it runs guests with ${target.accelerator}, ${source.name} with ${source.accelerator}`;
  if (compareVersions(target.qemu, source.qemu) < 0) return `its QEMU ${target.qemu} is older than ${source.qemu} of ${source.name}`;
  const missing = guest.cpuFlags.filter((flag) => !target.cpuFlags.includes(flag));
  return missing.length === 0 ? null : `its processor lacks ${missing.join(', ')}`;
}

/** How a rule, required or not, is broken when the guest comes to this node; null: it is not. A rule that is broken already is not made worse. */
export function whyAgainstRule(rule: GuestRule, state: ClusterState, { guest, destinations, to }: Candidate & { readonly to: NodeName }): string | null {
  const others = rule.guests.filter((vmid) => vmid !== guest.vmid);
  switch (rule.kind) {
    case 'nodes':
      return rule.nodes.includes(to) ? null : `rule ${rule.id} allows only ${rule.nodes.join(', ')}`;
    case 'apart': {
      const there = others.find((vmid) => state.placeOf(vmid) === to);
      return there === undefined ? null : `rule ${rule.id} keeps it apart from guest ${there}, which is there`;
    }
    case 'together': {
      const places = new Set(others.map((vmid) => destinations?.get(vmid) ?? state.placeOf(vmid)).filter((place) => place !== null));
      if (places.size === 0 || places.has(to)) return null;
      return `rule ${rule.id} keeps it together with guests of ${[...places].join(', ')}`;
    }
    default:
      return assertNever(rule);
  }
}

/** Is there a rule that is not required, that is kept where the guest is, and would not be where it goes to? */
export function breaksKeptWish(state: ClusterState, candidate: Candidate, { from, to }: { readonly from: NodeName; readonly to: NodeName }): boolean {
  const isKept = (rule: GuestRule, node: NodeName): boolean => whyAgainstRule(rule, state, { ...candidate, to: node }) === null;
  return state.rulesOf(candidate.guest.vmid).some((rule) => !rule.required && isKept(rule, from) && !isKept(rule, to));
}

function firstReason<Item>(items: readonly Item[], reasonOf: (item: Item) => string | null): string | null {
  for (const item of items) {
    const reason = reasonOf(item);
    if (reason !== null) return reason;
  }
  return null;
}
