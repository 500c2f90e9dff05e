import type { KedgeClient } from '../src/client/kedge-client.js';
import { isSuspect } from '../src/domain/suspect-node.js';
import { crashPoint } from '../src/drivers/host/crash-point.js';
import type { Logger } from '../src/log/logger.js';
import type { ClusterConfig } from '../src/schema/cluster-config.js';

const LOOK_INTERVAL_MS = 5_000;

/**
 * Starts the recovery of nodes that are silent for too long, where that is wanted. It keeps nothing: since when a node is silent its entity knows,
 * and a recovery that runs is joined; so every control worker may look, and one that dies is missed by nobody. Answers how to stop.
 */
export function watchSuspects(
  kedge: Pick<KedgeClient, 'listNodes' | 'startRecovery'>,
  { recovery, log }: { recovery: ClusterConfig['recovery']; log: Logger },
): () => void {
  if (!recovery.enabled) return () => undefined;
  const look = async (): Promise<void> => {
    const limit = { nowMs: Date.now(), afterMs: recovery.suspectAfterSeconds * 1_000 };
    for (const status of await kedge.listNodes()) {
      if (!isSuspect(status, limit)) continue;
      const { node } = status;
      await crashPoint('control.start-recovery', () => kedge.startRecovery({ node }));
    }
  };
  const timer = setInterval(() => {
    look().catch((error: unknown) => log.warn({ error }, 'silent nodes could not be looked for, trying again'));
  }, LOOK_INTERVAL_MS);
  return () => clearInterval(timer);
}
