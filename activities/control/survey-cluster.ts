import type { ClusterSurvey, ControlActivities } from '../interface-control.js';
import type { GuestSummary, NodeStatus } from '../../src/domain/node-facts.js';
import { findOpenBlackouts } from './find-open-blackouts.js';
import type { ClusterAccess } from './cluster-access.js';

/** How likely a node with this record is the one that has the guest; the others are no holders. */
const RANKS: Readonly<Partial<Record<GuestSummary['record'], number>>> = { owned: 3, armed: 2, releasing: 1 };

/** Looks only at the nodes that the question is about. */
export async function surveyCluster(
  cluster: ClusterAccess,
  { vmid, source, target }: Parameters<ControlActivities['surveyCluster']>[0],
): Promise<ClusterSurvey> {
  const asked = source === null ? cluster.nodes : [source, ...(target === null ? [] : [target])];
  const [blackouts, ...statuses] = await Promise.all([findOpenBlackouts(cluster), ...[...new Set(asked)].map((node) => cluster.nodeStatus(node))]);
  const known = statuses.filter((status) => status !== null);
  return {
    holders: source === null ? holdersOf(vmid, known) : [],
    source: known.find((status) => status.node === source) ?? null,
    target: known.find((status) => status.node === target) ?? null,
    nodes: cluster.nodes,
    blackouts,
  };
}

function holdersOf(vmid: number, statuses: readonly NodeStatus[]): ClusterSurvey['holders'] {
  return statuses
    .flatMap(({ node, inventory }) => (inventory?.guests ?? []).filter((guest) => guest.vmid === vmid).map((guest) => ({ node, guest })))
    .filter(({ guest }) => RANKS[guest.record] !== undefined)
    .sort((one, other) => rankOf(other.guest) - rankOf(one.guest));
}

/** A newer generation beats any state of an older one. */
function rankOf(guest: GuestSummary): number {
  return (guest.generation ?? 0) * 10 + (RANKS[guest.record] ?? 0);
}
