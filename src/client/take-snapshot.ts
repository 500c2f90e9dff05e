import { NO_PLACEMENT, type Placement } from '../domain/plan/placement.js';
import { snapshotFromNodes } from '../domain/plan/snapshot-from-nodes.js';
import type { ClusterSnapshot } from '../domain/plan/snapshot.js';
import type { ClientContext } from './kedge-client.js';
import { listRunningMoves } from './list-migrations.js';
import { readNodeStatus } from './node-status.js';

/**
 * The cluster as the planner sees it now. Migrations are read after the inventories: one that starts in between is counted at its target. One that was
 * started this moment may be missing from the server's index, one that ends in between from both; each move is checked again before it begins.
 */
export async function takeSnapshot(context: ClientContext, placement: Placement = NO_PLACEMENT): Promise<ClusterSnapshot> {
  const nodes = await Promise.all(context.nodes.map((node) => readNodeStatus(context, node)));
  const moves = await listRunningMoves(context);
  return snapshotFromNodes({ takenAt: new Date().toISOString(), nodes, moves }, placement);
}
