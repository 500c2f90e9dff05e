import { crashPoint } from '../../src/drivers/host/crash-point.js';
import type { ControlActivities } from '../interface.js';
import type { ClusterAccess } from './cluster-access.js';
import { surveyCluster } from './survey-cluster.js';

/** The activities that run inside the control worker. */
export function createControlActivities(cluster: ClusterAccess): ControlActivities {
  return {
    surveyCluster: (question) => crashPoint('control.survey-cluster', () => surveyCluster(cluster, question)),
    findEndedHolders: ({ workflowIds }) => crashPoint('control.find-ended-holders', () => findEnded(cluster, workflowIds)),
    requestSlot: (request) => crashPoint('control.request-slot', () => cluster.requestSlot(request)),
    releaseSlot: (release) => crashPoint('control.release-slot', () => cluster.releaseSlot(release)),
  };
}

async function findEnded(cluster: ClusterAccess, workflowIds: readonly string[]): Promise<{ ended: readonly string[] }> {
  const ids = [...new Set(workflowIds)];
  const running = await Promise.all(ids.map((id) => cluster.isRunning(id)));
  return { ended: ids.filter((_, at) => running[at] === false) };
}
