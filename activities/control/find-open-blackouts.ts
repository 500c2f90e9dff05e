import type { OpenBlackout } from '../../src/domain/window/blackout.js';
import type { ClusterAccess } from './cluster-access.js';

/** The blackouts that are on now, by the clock of this control worker. The library of rules is loaded only where there are any. */
export async function findOpenBlackouts(cluster: Pick<ClusterAccess, 'blackouts'>): Promise<readonly OpenBlackout[]> {
  const blackouts = await cluster.blackouts();
  if (blackouts.length === 0) return [];
  const { openBlackouts } = await import('../../src/schema/blackout-times.js');
  return openBlackouts(blackouts, new Date().toISOString());
}
