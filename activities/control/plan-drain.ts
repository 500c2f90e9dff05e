import type { ControlActivities } from '../interface-control.js';
import { nextSteps, type DrainQuestion } from '../../src/domain/drain/next-steps.js';
import type { Travel } from '../../src/domain/drain/plan-view.js';
import type { Vmid } from '../../src/domain/ids.js';
import type { ClusterSnapshot } from '../../src/domain/plan/snapshot.js';
import { vmidOfMigrationWorkflow } from '../../src/domain/workflow-names.js';
import type { ClusterAccess } from './cluster-access.js';
import { findOpenBlackouts } from './find-open-blackouts.js';

/** Looks at the cluster and decides what a drain does next. Changes nothing. */
export async function planDrain(
  cluster: Pick<ClusterAccess, 'takeSnapshot' | 'readSlots' | 'nodeStatus' | 'blackouts'>,
  question: DrainQuestion,
): ReturnType<ControlActivities['planDrain']> {
  // The slots first: a migration that ends in between is then counted as under way, not as gone before its guest is seen at the target.
  const slots = await cluster.readSlots();
  const snapshot = await cluster.takeSnapshot();
  const steps = nextSteps(snapshot, slots.flatMap(travelOf), { ...question, blackouts: await findOpenBlackouts(cluster) });
  return { steps, home: question.plan === 'restore' ? await atHome(cluster, { question, snapshot }) : [] };
}

/** Slots name source and target, in this order. */
export function travelOf({ holder, nodes: [from, to] }: Awaited<ReturnType<ClusterAccess['readSlots']>>[number]): readonly Travel[] {
  return holder.startsWith('migration-') && from !== undefined && to !== undefined ? [{ vmid: vmidOfMigrationWorkflow(holder), from, to }] : [];
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
