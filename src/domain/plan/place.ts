import type { Vmid } from '../ids.js';
import { rankNodes, weigh, type Choice } from './choose-node.js';
import { ClusterState } from './cluster-state.js';
import { movementOf } from './movement.js';
import type { Rejection } from './plan.js';
import type { ClusterSnapshot } from './snapshot.js';
import { unitsOf } from './units.js';

/** Where a guest could be: its present node for comparison, the others from best to worst, and those that are no choice. */
export interface Placement {
  readonly vmid: Vmid;
  readonly now: Choice;
  readonly choices: readonly Choice[];
  readonly rejected: readonly Rejection[];
  /** Why it would not be moved at all; null: it can be. */
  readonly stays: string | null;
}

/**
 * Weighs all nodes as a place for a guest.
 * @throws KedgeError `bad-input` when the snapshot has no such guest, or contradicts itself
 */
export function place(snapshot: ClusterSnapshot, vmid: Vmid): Placement {
  const state = new ClusterState(snapshot);
  const guest = state.guest(vmid);
  const source = state.nodeState(guest.node);
  const movement = movementOf(guest, source.node);
  const way = 'way' in movement ? movement.way : 'live';
  const [unit] = unitsOf([{ guest, way }], state);
  const { choices, rejected } = unit === undefined ? { choices: [], rejected: [] } : rankNodes(state, unit);
  return { vmid, now: weigh(state, { guest, way }, source), choices, rejected, stays: 'way' in movement ? null : movement.reason };
}
