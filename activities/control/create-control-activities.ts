import { crashPoint } from '../../src/drivers/host/crash-point.js';
import type { ControlActivities, HookActivities, WorkActivities } from '../interface-control.js';
import { beating } from '../beating.js';
import type { ClusterAccess } from './cluster-access.js';
import { awaitBoot, examineNode } from './examine-node.js';
import { planBalance } from './plan-balance.js';
import { planDrain } from './plan-drain.js';
import { fenceLostNode } from './fence-lost-node.js';
import { lookAtCluster, placeLost } from './look-at-cluster.js';
import { openWindow } from './open-window.js';
import { runOnNode } from './run-on-node.js';
import { seeMove } from './see-move.js';
import { surveyCluster } from './survey-cluster.js';
import { testFencing } from './test-fencing.js';
import { voidLostGuest } from './void-lost-guest.js';
import { watchBalance } from './watch-balance.js';

/**
 * The activities that run inside the control worker. Those that may be asked through its queue have heartbeats, which tell a slow one from a control
 * worker that died; `beat` gives them to a call, and is left out where no worker calls.
 */
export function createControlActivities(cluster: ClusterAccess, beat: typeof beating = beating): ControlActivities & HookActivities & WorkActivities {
  return {
    surveyCluster: (question) => crashPoint('control.survey-cluster', () => beat(() => surveyCluster(cluster, question))),
    findEndedHolders: (input) => crashPoint('control.find-ended-holders', () => beat(() => findEnded(cluster, input))),
    requestSlot: async (request) => {
      await crashPoint('control.request-slot', () => cluster.requestSlot(request));
      return seeMove(cluster, request);
    },
    releaseSlot: (release) => crashPoint('control.release-slot', () => cluster.releaseSlot(release)),
    lookAtCluster: ({ node }) => crashPoint('control.look-at-cluster', () => beat(() => lookAtCluster(cluster, node))),
    placeLost: (question) => crashPoint('control.place-lost', () => beat(() => placeLost(cluster, question))),
    voidGuest: (input) => crashPoint('control.void-guest', () => beat(() => voidLostGuest(cluster, input))),
    dropVoided: ({ node, vmid, migrationId }) =>
      crashPoint('control.drop-voided', () => beat(() => cluster.dropVoided({ node, guest: { vmid, migrationId } }))),
    cordonNode: ({ node, cordoned }) => crashPoint('control.cordon-node', () => beat(() => cluster.cordonNode(node, cordoned))),
    changeAway: (change) => crashPoint('control.change-away', () => beat(() => cluster.changeAway(change))),
    planDrain: (question) => crashPoint('control.plan-drain', () => beat(() => planDrain(cluster, question))),
    planBalance: (question) => crashPoint('control.plan-balance', () => beat(() => planBalance(cluster, question))),
    watchBalance: (input) => crashPoint('control.watch-balance', () => watchBalance(cluster, input)),
    // A device may take minutes.
    fenceNode: ({ node }) =>
      crashPoint('control.fence-activity', () => beat(() => fenceLostNode(cluster.fencing, { node, status: () => cluster.nodeStatus(node) }))),
    testFencing: (question) => crashPoint('control.test-fencing', () => beat(() => testFencing(cluster, question))),
    openWindow: (input) => crashPoint('control.open-window', () => openWindow(cluster, input)),
    examineNode: ({ node }) => crashPoint('control.examine-node', () => examineNode(cluster, node)),
    runOnNode: (input) => crashPoint('control.run-on-node', () => runOnNode(cluster.runOnNode, input)),
    tellHook: (call) => crashPoint('control.tell-hook', () => beat(async () => ({ answer: await cluster.tellHook(call) }))),
    awaitBoot: (input) => crashPoint('control.await-boot', () => beat(() => awaitBoot(cluster, input))),
  };
}

async function findEnded(
  cluster: ClusterAccess,
  { workflowIds, runs = [] }: Parameters<ControlActivities['findEndedHolders']>[0],
): ReturnType<ControlActivities['findEndedHolders']> {
  const ids = [...new Set(workflowIds)];
  const running = await Promise.all(ids.map((id) => cluster.isRunning(id)));
  const runsRunning = await Promise.all(runs.map(({ holder, runId }) => cluster.isRunning(holder, runId)));
  return { ended: ids.filter((_, at) => running[at] === false), endedRuns: runs.filter((_, at) => runsRunning[at] === false) };
}
