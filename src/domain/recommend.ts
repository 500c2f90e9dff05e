/** Which node is better for a guest, why, and what the move would cost. Pure. */
import { asNow } from './balance/load-memory.js';
import { forecastMove } from './drain/expected-ms.js';
import type { Span } from './forecast.js';
import type { NodeName, Vmid } from './ids.js';
import { KedgeError } from './kedge-error.js';
import type { MigrationOptions } from './migration.js';
import { percent, type Choice } from './plan/choose-node.js';
import { ClusterState, copiedDisks, fullness, loadOf, memoryOf } from './plan/cluster-state.js';
import { movementOf } from './plan/movement.js';
import { place, type Placement } from './plan/place.js';
import type { MoveWay } from './plan/plan.js';
import type { ClusterSnapshot, SnapshotGuest, SnapshotNode } from './plan/snapshot.js';

export interface MoveCost {
  readonly way: MoveWay;
  /** To be sent. */
  readonly bytes: Span;
  readonly durationMs: Span;
  /** How long the guest does not run; null: it is off anyway. */
  readonly downtimeMs: Span | null;
}

export interface Recommendation extends Placement {
  readonly node: NodeName;
  /** `move`: to another node. `stay`: no other one is so much better that a move is worth while. `fixed`: it would not be moved at all. */
  readonly advice: 'move' | 'stay' | 'fixed';
  /** The best other node; null: there is none. */
  readonly best: NodeName | null;
  /** In words. */
  readonly reasons: readonly string[];
  /** Of the move to the best other node. */
  readonly cost: MoveCost | null;
}

/** Points that another node must be better by, and what an hour of copying adds to that. */
const WORTH_WHILE = 0.1;
const HOUR_POINTS = 0.1;
/** Pressure in percent that is worth a word. */
const TOLD_PRESSURE = 10;

/**
 * Weighs the other nodes against the guest's own one, as they are at this moment with pressure counted in.
 * @throws KedgeError `not-found` when the snapshot has no such guest
 */
export function recommend(snapshot: ClusterSnapshot, vmid: Vmid, options: Partial<MigrationOptions>): Recommendation {
  if (!snapshot.guests.some((guest) => guest.vmid === vmid)) {
    throw new KedgeError('not-found', `Cannot recommend a node for guest ${vmid}: no node that is heard has it`);
  }
  const view = asNow(snapshot);
  const state = new ClusterState(view);
  const guest = state.guest(vmid);
  const placement = place(view, vmid);
  const source = state.nodeState(guest.node).node;
  const [choice] = placement.choices;
  const common = { ...placement, node: guest.node };
  if (placement.stays !== null) return { ...common, advice: 'fixed', best: null, reasons: [placement.stays], cost: null };
  if (choice === undefined) return { ...common, advice: 'stay', best: null, reasons: ['no other node can take it'], cost: null };
  const cost = costOf(guest, { source, target: state.nodeState(choice.node).node, options });
  const hours = (cost.durationMs.most ?? cost.durationMs.least) / 3_600_000;
  const better = placement.now.points - choice.points;
  const isWorth = better >= WORTH_WHILE + HOUR_POINTS * hours;
  const reasons = isWorth ? whyBetter(state, guest, choice) : [whyNotWorth(better, choice)];
  return { ...common, advice: isWorth ? 'move' : 'stay', best: choice.node, reasons, cost };
}

function costOf(
  guest: SnapshotGuest,
  { source, target, options }: { source: SnapshotNode; target: SnapshotNode; options: Partial<MigrationOptions> },
): MoveCost {
  const movement = movementOf(guest, source);
  const way = 'way' in movement ? movement.way : 'offline';
  const copied = copiedDisks(guest, source, target).reduce((sum, { bytes }) => sum + bytes, 0);
  const { bytes, durationMs, downtimeMs } = forecastMove({ way, bytes: way === 'live' ? guest.memoryBytes : copied }, guest, options);
  return { way, bytes, durationMs, downtimeMs };
}

function whyNotWorth(better: number, { node }: Choice): string {
  return better <= 0 ? `${node}, the best of the others, is no better` : `${node}, the best of the others, is too little better for a move`;
}

function whyBetter(state: ClusterState, guest: SnapshotGuest, { node: name, reason }: Choice): readonly string[] {
  const [here, there] = [state.nodeState(guest.node), state.nodeState(name)];
  const [from, to] = [here.node, there.node];
  const faster = to.speed / from.speed;
  const then = fullness(there, { bytes: memoryOf(guest), load: loadOf(guest) });
  const words = [
    ...(faster > 1.01 ? [`its processors are ${Number(faster.toFixed(2))} times as fast as those of ${from.name}`] : []),
    ...(fullness(here) - then > 0.05 ? [`${from.name} is ${percent(fullness(here))} full, ${to.name} would be ${percent(then)} full with it`] : []),
    ...(['cpu', 'memory'] as const).flatMap((what) => {
      const [waited, there] = [from.pressure?.[what] ?? 0, to.pressure?.[what] ?? 0];
      if (waited < TOLD_PRESSURE || waited <= there) return [];
      return [
        `something waited for ${what === 'cpu' ? 'a processor' : 'memory'} ${Math.round(waited)} % of the last minute on ${from.name}, ${Math.round(there)} % on ${to.name}`,
      ];
    }),
  ];
  return words.length > 0 ? words : [reason];
}
