/** Drains as they are, over migrations that only an activity of the test decides: what drains rely on is their end, not their steps. */
import { ApplicationFailure, condition, proxyActivities, proxyLocalActivities, setHandler } from '@temporalio/workflow';
import type { MigrateGuestInput } from '../../src/domain/migration.js';

import { stopWaitingSignal } from '../../workflows/messages.js';

export { admission } from '../../workflows/admission.js';
export { balanceCluster } from '../../workflows/balance-cluster.js';
export { balancer } from '../../workflows/balancer.js';
export { evacuateNode } from '../../workflows/evacuate-node.js';
export { nodePresence } from '../../workflows/node-presence.js';
export { restoreNode } from '../../workflows/restore-node.js';

export interface FakeMoves {
  /** Has it no slot yet? */
  waits(input: MigrateGuestInput): Promise<boolean>;
  move(input: MigrateGuestInput): Promise<{ id: string }>;
  power(input: { vmid: number; verb: string }): Promise<void>;
}

const { waits } = proxyLocalActivities<FakeMoves>({ startToCloseTimeout: '1 minute' });
const { move, power } = proxyActivities<FakeMoves>({ startToCloseTimeout: '1 minute', retry: { initialInterval: 20 } });

export async function migrateGuest(input: MigrateGuestInput): Promise<{ id: string }> {
  let isUnwanted = false;
  setHandler(stopWaitingSignal, () => {
    isUnwanted = true;
  });
  while (await waits(input)) {
    if (await condition(() => isUnwanted, 50)) throw ApplicationFailure.nonRetryable('not wanted any more', 'cancelled');
    if (input.notAfter !== undefined && Date.now() >= Date.parse(input.notAfter)) throw ApplicationFailure.nonRetryable('its turn had not come', 'too-late');
  }
  return move(input);
}

export async function manageGuest({ command }: { command: { vmid: number; verb: string } }): Promise<void> {
  await power(command);
}
