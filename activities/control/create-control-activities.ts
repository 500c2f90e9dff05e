import type { ControlActivities } from '../interface.js';
import type { ClusterAccess } from './cluster-access.js';
import { createSurveyCluster } from './survey-cluster.js';

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
  };
}
