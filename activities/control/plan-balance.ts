import { nextBalance, type BalanceQuestion, type BalanceSteps } from '../../src/domain/balance/next-balance.js';
import { travelsOf } from '../../src/domain/drain/travels-of.js';
import type { ClusterAccess } from './cluster-access.js';
import { findOpenBlackouts } from './find-open-blackouts.js';

/** Looks at the cluster and decides which moves of a balance come next. Changes nothing. */
export async function planBalance(cluster: Pick<ClusterAccess, 'takeSnapshot' | 'readMoves' | 'blackouts'>, question: BalanceQuestion): Promise<BalanceSteps> {
  // The moves first, as for a drain: who moves is then known, or seen where it has arrived.
  const moves = await cluster.readMoves();
  const blackouts = await findOpenBlackouts(cluster);
  return nextBalance(await cluster.takeSnapshot(), travelsOf(moves), { ...question, blackouts });
}
