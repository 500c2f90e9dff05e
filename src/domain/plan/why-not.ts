import { assertNever } from '../assert-never.js';
import { compareVersions } from '../compare-versions.js';
import { formatBytes } from '../format-bytes.js';
import type { NodeName, Vmid } from '../ids.js';
import { capacityOf, compareNames, copiedDisks, memoryOf, type ClusterState, type NodeState } from './cluster-state.js';
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
 * looked at. Where that does not hold even now, a move that makes it no worse is none of its business.
 */
export function whyNotSurvived(state: ClusterState, { guest }: Candidate, target: NodeState): string | null {
  const bytes = memoryOf(guest);
  if (!state.survivesOneNode || bytes === 0) return null;
  const place = state.placeOf(guest.vmid);
  const source = place === null ? null : state.nodeState(place);
  const then = reserve(state, (each) => each.usedBytes + (each === target ? bytes : each === source ? -bytes : 0));
  if (then.lacking <= 0 || then.lacking <= reserve(state, ({ usedBytes }) => usedBytes).lacking) return null;
  return `${formatBytes(then.free)} would be free on all nodes, too little for the guests of a node that fails`;
}

/** What is free on all nodes, and what lacks of it for the guests of the worst one, whose own free memory fails with it; none lacks below 0. */
function reserve(state: ClusterState, usedOf: (node: NodeState) => number): { readonly free: number; readonly lacking: number } {
  let free = 0;
  let largest = 0;
  for (const each of state.nodes()) {
    if (each.node.state !== 'online') continue;
    const [capacity, used] = [capacityOf(each.node), usedOf(each)];
    free += Math.max(0, capacity - used);
    if (used > 0) largest = Math.max(largest, capacity, used);
  }
  return { free, lacking: largest - free };
}

function whyNotEquipped(state: ClusterState, { guest, way }: Candidate, { node }: NodeState): string | null {
  const source = state.nodeState(state.placeOf(guest.vmid) ?? guest.node).node;
  return (
    firstReason(guest.bridges, (bridge) => (node.bridges.includes(bridge) ? null : `it has no bridge ${bridge}`)) ??
    firstReason(guest.disks, ({ storage }) => (node.storages.some(({ id }) => id === storage) ? null : `it has no storage ${storage}`)) ??
    whyNoSpace(state, { guest, source, target: node }) ??
    (guest.machineType === null || node.machineTypes.includes(guest.machineType) ? null : `its QEMU has no machine type ${guest.machineType}`) ??
    (way === 'live' ? whyNotLiveTo(guest, source, node) : null)
  );
}

interface Copy {
  readonly guest: SnapshotGuest;
  readonly source: SnapshotNode;
  readonly target: SnapshotNode;
}

function whyNoSpace(state: ClusterState, { guest, source, target }: Copy): string | null {
  const copied = copiedDisks(guest, source, target);
  return firstReason([...new Set(copied.map(({ storage }) => storage))], (id) => {
    const wanted = copied.filter(({ storage }) => storage === id).reduce((sum, { bytes }) => sum + bytes, 0);
    const free = (target.storages.find((storage) => storage.id === id)?.freeBytes ?? 0) - state.takenOf(target, id);
    return wanted <= free ? null : `${formatBytes(wanted)} of disks don't fit on ${id}, ${formatBytes(Math.max(0, free))} are free`;
  });
}

function whyNotLiveTo(guest: SnapshotGuest, source: SnapshotNode, target: SnapshotNode): string | null {
  if (source.accelerator !== target.accelerator) return `it runs guests with ${target.accelerator}, ${source.name} with ${source.accelerator}`;
  if (compareVersions(target.qemu, source.qemu) < 0) return `its QEMU ${target.qemu} is older than ${source.qemu} of ${source.name}`;
  // A storage of the same name that others see too: its source counts it as shared, and yet the disk is not there.
  const [other] = copiedDisks(guest, source, target);
  if (other !== undefined) return `its storage ${other.storage} is not the one of ${source.name}, and a guest that runs on takes no disks along`;
  const missing = guest.cpuFlags.filter((flag) => !target.cpuFlags.includes(flag));
  return missing.length === 0 ? null : `its processor lacks ${missing.join(', ')}`;
}

/** How a rule, required or not, is broken when the guest comes to this node; null: it is not. A rule that is broken already is not made worse. */
export function whyAgainstRule(rule: GuestRule, state: ClusterState, { guest, destinations, to }: Candidate & { readonly to: NodeName }): string | null {
  switch (rule.kind) {
    case 'nodes':
      return rule.nodes.includes(to) ? null : `rule ${rule.id} allows only ${rule.nodes.join(', ')}`;
    case 'apart': {
      const there = state.companionAt(rule, { vmid: guest.vmid, node: to });
      return there === null ? null : `rule ${rule.id} keeps it apart from guest ${there}, which is there`;
    }
    case 'together': {
      // Most often the first one is there: rules of thousands of guests are looked through only to say where they are.
      const placeOf = (vmid: Vmid): NodeName | null => (vmid === guest.vmid ? null : (destinations?.get(vmid) ?? state.placeOf(vmid)));
      if (rule.guests.some((vmid) => placeOf(vmid) === to)) return null;
      const places = new Set(rule.guests.map(placeOf).filter((place) => place !== null));
      return places.size === 0 ? null : `rule ${rule.id} keeps it together with guests of ${[...places].sort(compareNames).join(', ')}`;
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
