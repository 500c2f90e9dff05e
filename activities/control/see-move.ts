import type { MoveSight } from '../interface-control.js';
import type { SlotRequest } from '../../src/domain/admission.js';
import type { ClusterAccess } from './cluster-access.js';
import { findOpenBlackouts } from './find-open-blackouts.js';

/** What may have changed since the checks of a migration that asks for a slot. */
export async function seeMove(cluster: Pick<ClusterAccess, 'nodeStatus' | 'blackouts'>, { nodes: [, target] }: SlotRequest): Promise<MoveSight> {
  const [status, blackouts] = await Promise.all([target === undefined ? null : cluster.nodeStatus(target), findOpenBlackouts(cluster)]);
  return { targetStatus: status === null ? null : { cordoned: status.cordoned }, blackouts };
}
