import { Context } from '@temporalio/activity';
import type { ControlActivities } from '../interface-control.js';
import type { ClusterAccess } from './cluster-access.js';
import { fenceLostNode } from './fence-lost-node.js';
import { voidLostGuest } from './void-lost-guest.js';
import { createSurveyCluster } from './survey-cluster.js';

const HEARTBEAT_INTERVAL_MS = 1_000;

/** The activities that run inside the control worker. */
export function createControlActivities(cluster: ClusterAccess): ControlActivities {
  return {
    surveyCluster: createSurveyCluster(cluster),
    findEndedHolders: async ({ workflowIds }) => {
      const ids = [...new Set(workflowIds)];
      const running = await Promise.all(ids.map((id) => cluster.isRunning(id)));
      return { ended: ids.filter((_, at) => running[at] === false) };
    },
    requestSlot: (request) => cluster.requestSlot(request),
    releaseSlot: (release) => cluster.releaseSlot(release),
    voidGuest: (input) => voidLostGuest(cluster, input),
    dropVoided: ({ node, vmid, migrationId }) => cluster.dropVoided({ node, guest: { vmid, migrationId } }),
    fenceNode: ({ node }) => withHeartbeat(() => fenceLostNode(cluster.fencing, { node, status: () => cluster.nodeStatus(node) })),
  };
}

/** A device may take minutes: the heartbeat tells a slow one from a control worker that died. */
async function withHeartbeat<Result>(work: () => Promise<Result>): Promise<Result> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), HEARTBEAT_INTERVAL_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
