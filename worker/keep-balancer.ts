import type { KedgeClient } from '../src/client/kedge-client.js';
import type { BalancePolicy } from '../src/domain/balance/judge-cluster.js';
import { crashPoint } from '../src/drivers/host/crash-point.js';
import type { Logger } from '../src/log/logger.js';

const LOOK_INTERVAL_MS = 30_000;

/**
 * Starts the balancer where kedge.yaml wants it; it ends by itself when that changes. Keeps nothing, and one that runs is left to run: so every control worker
 * may look. Answers how to stop.
 */
export function keepBalancer(
  { balance }: Pick<KedgeClient, 'balance'>,
  { policy, log }: { policy: () => Promise<BalancePolicy | null>; log: Logger },
): () => void {
  const look = async (): Promise<void> => {
    if ((await policy()) !== null) await crashPoint('control.start-balancer', () => balance.ensureBalancer());
  };
  const tryLook = (): void => {
    look().catch((error: unknown) => log.warn({ error }, 'the balancer could not be looked after, trying again'));
  };
  tryLook();
  const timer = setInterval(tryLook, LOOK_INTERVAL_MS);
  return () => clearInterval(timer);
}
