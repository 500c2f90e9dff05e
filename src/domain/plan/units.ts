import type { NodeName, Vmid } from '../ids.js';
import { memoryOf, type ClusterState, type NodeState } from './cluster-state.js';
import type { MoveWay } from './plan.js';
import type { GuestRule, SnapshotGuest } from './snapshot.js';
import { whyNotOn, type Candidate } from './why-not.js';

/** A guest that can move, and how. */
export interface Mover {
  readonly guest: SnapshotGuest;
  readonly way: MoveWay;
}

/** Guests that a required rule keeps together, and so go to one node; most often a single one. Never empty. */
export interface Unit {
  readonly movers: readonly [Mover, ...Mover[]];
  /** All of them as if they were one, for what is a matter of sums. */
  readonly whole: Mover;
}

/** Groups movers into units: those of high priority first, then the largest, which are the hardest to place. */
export function unitsOf(movers: readonly Mover[], state: ClusterState): readonly Unit[] {
  const moverOf = new Map(movers.map((mover) => [mover.guest.vmid, mover]));
  const done = new Set<Vmid>();
  const units: Unit[] = [];
  const followed = new Set<GuestRule>();
  for (const mover of movers) {
    if (done.has(mover.guest.vmid)) continue;
    const group: [Mover, ...Mover[]] = [mover];
    done.add(mover.guest.vmid);
    for (const { guest } of group) {
      for (const rule of state.rulesOf(guest.vmid)) {
        if (rule.kind !== 'together' || !rule.required || followed.has(rule)) continue;
        followed.add(rule);
        for (const vmid of rule.guests) {
          const other = moverOf.get(vmid);
          if (other === undefined || done.has(vmid)) continue;
          done.add(vmid);
          group.push(other);
        }
      }
    }
    units.push(unitOf(group));
  }
  return units.sort((left, right) => comparePlacing(left.whole.guest, right.whole.guest));
}

/** Why not all of the unit may come to this node now; null: they may. */
export function whyNotAllOn(state: ClusterState, { movers, whole }: Unit, target: NodeState): string | null {
  const candidates = movers.length === 1 ? movers : [...movers, whole];
  const destinations = destinationsOf(movers, target.node.name);
  for (const { guest, way } of candidates) {
    const reason = whyNotOn(state, { guest, way, destinations }, target);
    if (reason !== null) return movers.length === 1 ? reason : `${reason} (guest ${guest.vmid}, and those that belong with it)`;
  }
  return null;
}

export function candidateOf({ movers, whole }: Unit, to: NodeName): Candidate {
  return { ...whole, destinations: destinationsOf(movers, to) };
}

const NOBODY: ReadonlyMap<Vmid, NodeName> = new Map();

function destinationsOf(movers: readonly Mover[], to: NodeName): ReadonlyMap<Vmid, NodeName> {
  // Nobody is asked where it goes itself.
  return movers.length === 1 ? NOBODY : new Map(movers.map(({ guest }) => [guest.vmid, to]));
}

function unitOf(movers: readonly [Mover, ...Mover[]]): Unit {
  const [first] = movers;
  const guests = movers.map(({ guest }) => guest);
  const whole: SnapshotGuest = {
    ...first.guest,
    running: guests.some(({ running }) => running),
    memoryBytes: guests.reduce((sum, guest) => sum + memoryOf(guest), 0),
    cpuLoad: guests.reduce((sum, { running, cpuLoad }) => sum + (running ? cpuLoad : 0), 0),
    disks: guests.flatMap(({ disks }) => disks),
    priority: Math.max(...guests.map(({ priority }) => priority)),
  };
  // How each of them moves is looked at for each of them: the disks of one that is stopped are not those of one that runs on.
  return { movers, whole: { guest: whole, way: movers.length === 1 ? first.way : 'offline' } };
}

function comparePlacing(left: SnapshotGuest, right: SnapshotGuest): number {
  return right.priority - left.priority || memoryOf(right) - memoryOf(left) || left.vmid - right.vmid;
}
