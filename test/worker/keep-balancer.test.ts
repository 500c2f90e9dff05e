import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BalancePolicy } from '../../src/domain/balance/judge-cluster.js';
import { createLogger } from '../../src/log/logger.js';
import { balanceSchema } from '../../src/schema/balance.js';
import { balancePolicyOf } from '../../src/schema/balance-policy.js';
import { keepBalancer } from '../../worker/keep-balancer.js';

const refuse = () => Promise.reject(new Error('The test does not expect this'));

describe('a control worker', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  async function startsIn(policies: (BalancePolicy | null)[]): Promise<number> {
    let starts = 0;
    const ensureBalancer = () => Promise.resolve(void (starts += 1));
    const balance = { start: refuse, read: refuse, cancel: refuse, readBalancer: refuse, ensureBalancer };
    const stop = keepBalancer({ balance }, { policy: () => Promise.resolve(policies.shift() ?? null), log: createLogger() });
    await vi.advanceTimersByTimeAsync(61_000);
    stop();
    return starts;
  }

  it('starts the balancer as soon as kedge.yaml wants it, and leaves it alone else', async () => {
    const on = balancePolicyOf(balanceSchema.parse({ enabled: true }));
    expect([await startsIn([]), await startsIn([null, on, on]), await startsIn([on])]).toEqual([0, 2, 1]);
  });
});
