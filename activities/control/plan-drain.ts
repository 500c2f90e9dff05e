import { setTimeout as delay } from 'node:timers/promises';
import type { ControlActivities } from '../interface-control.js';
import { nextSteps, type DrainQuestion, type NextSteps } from '../../src/domain/drain/next-steps.js';
import { travelsOf } from '../../src/domain/drain/travels-of.js';
import type { NodeName, Vmid } from '../../src/domain/ids.js';
import type { ClusterSnapshot } from '../../src/domain/plan/snapshot.js';
import type { ClusterAccess } from './cluster-access.js';
import { findOpenBlackouts } from './find-open-blackouts.js';

/** Looks at the cluster and decides what a drain does next. Changes nothing. */
export async function planDrain(
  cluster: Pick<ClusterAccess, 'takeSnapshot' | 'readMoves' | 'nodeStatus' | 'blackouts'>,
  question: DrainQuestion,
): ReturnType<ControlActivities['planDrain']> {
  const asked = { ...question, blackouts: await findOpenBlackouts(cluster) };
  // The moves first: a migration that ends in between is then counted as under way, not as gone before its guest is seen at the target.
  const moves = travelsOf(await cluster.readMoves());
  let snapshot = await cluster.takeSnapshot();
  let steps = nextSteps(snapshot, moves, asked);
  if (question.plan === 'evacuate' && isOver(steps, question)) {
    // One that has ended just before has brought its guest here, and the inventory may be older than that.
    await awaitInventory(cluster, question.node);
    snapshot = await cluster.takeSnapshot();
    steps = nextSteps(snapshot, moves, asked);
  }
  return { steps, home: question.plan === 'restore' ? await atHome(cluster, { question, snapshot }) : [] };
}

/** Nothing is left, or on its way. */
function isOver({ moves, shutDowns, later, waiting, stuck, stays, late }: NextSteps, { state: { underWay, shuttingDown } }: DrainQuestion): boolean {
  return [underWay, shuttingDown, moves, shutDowns, later, waiting, stuck, stays, late].every((some) => some.length === 0);
}

const INVENTORY_EVERY_MS = 200;
/** A node that says nothing new for so long is as good as silent. */
const LONGEST_INVENTORY_MS = 10_000;

/** Waits for what the node says from now on: for the second inventory after this moment, since the first one may have been on its way. */
async function awaitInventory(cluster: Pick<ClusterAccess, 'nodeStatus'>, node: NodeName): Promise<void> {
  const endMs = Date.now() + LONGEST_INVENTORY_MS;
  const seen = new Set<string>();
  while (Date.now() < endMs) {
    const status = await cluster.nodeStatus(node);
    if (status?.inventory == null || status.silentSince !== null) return;
    seen.add(status.inventory.at);
    if (seen.size > 2) return;
    await delay(INVENTORY_EVERY_MS);
  }
}

/** A guest that no node shows exists no more only if all nodes are heard and it is not on its way. */
async function atHome(
  cluster: Pick<ClusterAccess, 'nodeStatus'>,
  { question: { node, state }, snapshot }: { question: DrainQuestion; snapshot: ClusterSnapshot },
): Promise<readonly Vmid[]> {
  const away = (await cluster.nodeStatus(node))?.away ?? [];
  const allHeard = snapshot.nodes.every((each) => each.state !== 'silent');
  const places = new Map(snapshot.guests.map((guest) => [guest.vmid, guest.node]));
  const moving = new Set(state.underWay.map(({ vmid }) => vmid));
  // Between two nodes' heartbeats a guest that has just moved may be seen on neither.
  const moved = new Set(state.settling.map(({ vmid }) => vmid));
  return away.flatMap(({ vmid }) => {
    const place = places.get(vmid);
    return !moving.has(vmid) && (place === node || (place === undefined && allHeard && !moved.has(vmid))) ? [vmid] : [];
  });
}
