/** What the control plane finds out about a node that it does not hear: by the heartbeats of all nodes, and by those that knock at its addresses. */
import type { ClusterLook } from '../activities/interface-control.js';
import type { NodeName } from '../src/domain/ids.js';
import { observersOf, type NodeProbe, type SuspectEvidence } from '../src/domain/suspect-node.js';
import type { WorkflowTimings } from '../src/domain/workflow-timings.js';
import { onNode, type ControlCalls } from './on-node.js';

/** One look at the whole cluster. */
export interface SuspectLook {
  readonly evidence: SuspectEvidence;
  /** The boot that it registered last; null: none. */
  readonly bootId: string | null;
  readonly cluster: ClusterLook;
}

/** Changes nothing. */
export async function lookAtSuspect(
  node: NodeName,
  { timings, control }: { readonly timings: WorkflowTimings; readonly control: ControlCalls },
): Promise<SuspectLook> {
  const cluster = await control.lookAtCluster({ node });
  const { nodes } = cluster;
  const suspect = nodes.find((one) => one.node === node);
  const heard = heardNodes(cluster);
  const bootId = suspect?.bootId ?? null;
  const silentSince = bootId === null ? null : (suspect?.silentSince ?? null);
  /** A node that can't look says nothing of the suspect. */
  const probe = (from: NodeName): Promise<NodeProbe | null> =>
    onNode(from, timings)
      .ping.probeNode({ node })
      .catch(() => null);
  const probes = silentSince === null ? [] : await Promise.all(observersOf({ node, heard }).map(probe));
  const evidence = { node, silentSince, configured: nodes.map((one) => one.node), heard, probes: probes.flatMap((found) => (found === null ? [] : [found])) };
  return { evidence, bootId, cluster };
}

/** Those that the control plane hears now. */
export function heardNodes({ nodes }: ClusterLook): readonly NodeName[] {
  return nodes.filter(({ bootId, silentSince }) => bootId !== null && silentSince === null).map(({ node }) => node);
}
