import type { BalancePolicy, BalanceTimes } from '../domain/balance/judge-cluster.js';
import { KedgeError } from '../domain/kedge-error.js';
import type { BalanceConfig } from './balance.js';
import { nextOccurrences, whyNoRule } from './window-occurrences.js';

const MINUTE_MS = 60_000;

/** As the balancer has it; null: it is off. @throws KedgeError `bad-config` for a start or a rule that no calendar has */
export function balancePolicyOf(config: BalanceConfig): BalancePolicy | null {
  config.onlyIn.forEach(refuseBadTimes);
  if (!config.enabled) return null;
  return {
    intervalMs: config.intervalMinutes * MINUTE_MS,
    historyMs: config.historyMinutes * MINUTE_MS,
    beginAbove: config.beginAbovePercent / 100,
    stopBelow: config.stopBelowPercent / 100,
    cooldownMs: config.cooldownMinutes * MINUTE_MS,
    maxMoves: config.maxMoves,
    parallel: config.atOnce,
    onlyIn: config.onlyIn.map(({ zone, start, rule, duration }) => ({ zone, start, rule: rule ?? null, durationMs: duration })),
  };
}

/** Until when the times last that `now` is in, the longest of them; without times there is no end. */
export function openUntil(times: readonly BalanceTimes[], now: string): { readonly until: string | null } | 'closed' {
  if (times.length === 0) return { until: null };
  const ends = times
    .flatMap((each) => nextOccurrences(each, { from: now, count: 1, skipped: [] }))
    .filter(({ opensAt }) => Date.parse(opensAt) <= Date.parse(now));
  const [last] = ends
    .map(({ closesAt }) => closesAt)
    .sort()
    .reverse();
  return last === undefined ? 'closed' : { until: last };
}

function refuseBadTimes({ zone, start, rule }: BalanceConfig['onlyIn'][number], at: number): void {
  const why = whyNoRule({ zone, start, rule: rule ?? null });
  if (why === null) return;
  const field = `balance.onlyIn.${at}.${why.field}`;
  const value = (why.field === 'start' ? start : rule) ?? null;
  const remedy = `Correct ${field} of kedge.yaml: ${why.reason}`;
  throw new KedgeError('bad-config', `Cannot read kedge.yaml: ${field}: current value is ${JSON.stringify(value)}, ${why.reason}`, {
    details: { field, value, remedy },
  });
}
