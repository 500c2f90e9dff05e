import { judgeCluster, type BalancerState, type BalancerLook } from '../../src/domain/balance/judge-cluster.js';
import { openUntil } from '../../src/schema/balance-policy.js';
import { travelsOf } from '../../src/domain/drain/travels-of.js';
import type { ClusterAccess } from './cluster-access.js';
import { findOpenBlackouts } from './find-open-blackouts.js';

/** What a look of the balancer answers; `off`: it is not wanted any more. */
export type WatchedBalance = { readonly off: true } | ({ readonly off: false; readonly intervalMs: number } & BalancerLook);

/** Takes a sample of how busy nodes and guests are, and decides whether a round of moves begins. Changes nothing. */
export async function watchBalance(
  cluster: Pick<ClusterAccess, 'takeSnapshot' | 'readMoves' | 'blackouts' | 'balancePolicy' | 'readBalance'>,
  { state, now }: { state: BalancerState; now: string },
): Promise<WatchedBalance> {
  const policy = await cluster.balancePolicy();
  if (policy === null) return { off: true };
  const moves = await cluster.readMoves();
  const last = await cluster.readBalance();
  const snapshot = await cluster.takeSnapshot();
  const sight = {
    snapshot,
    nowMs: Date.parse(now),
    open: openUntil(policy.onlyIn, now),
    isRunning: last?.running ?? false,
    last,
    blackouts: await findOpenBlackouts(cluster),
    travels: travelsOf(moves).length,
  };
  return { off: false, intervalMs: policy.intervalMs, ...judgeCluster(state, sight, policy) };
}
