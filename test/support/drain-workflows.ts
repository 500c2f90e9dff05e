/** Drains as they are, over migrations that only an activity of the test decides: what drains rely on is their end, not their steps. */
import { proxyActivities } from '@temporalio/workflow';
import type { MigrateGuestInput } from '../../src/domain/migration.js';

export { admission } from '../../workflows/admission.js';
export { balanceCluster } from '../../workflows/balance-cluster.js';
export { balancer } from '../../workflows/balancer.js';
export { evacuateNode } from '../../workflows/evacuate-node.js';
export { nodePresence } from '../../workflows/node-presence.js';
export { restoreNode } from '../../workflows/restore-node.js';

export interface FakeMoves {
  move(input: MigrateGuestInput): Promise<{ id: string }>;
  power(input: { vmid: number; verb: string }): Promise<void>;
}

const { move, power } = proxyActivities<FakeMoves>({ startToCloseTimeout: '1 minute', retry: { initialInterval: 20 } });

export async function migrateGuest(input: MigrateGuestInput): Promise<{ id: string }> {
  return move(input);
}

export async function manageGuest({ command }: { command: { vmid: number; verb: string } }): Promise<void> {
  await power(command);
}
