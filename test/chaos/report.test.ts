import { describe, expect, it } from 'vitest';
import type { RoundResult } from '../../chaos/judge/round-result.js';
import { planRound } from '../../chaos/plan/plan-round.js';
import { percentile, summarize, tableText } from '../../chaos/report.js';
import { CRASH_POINTS } from '../../src/domain/crash-points.js';

const result = (round: number, changes: Partial<RoundResult> = {}): RoundResult => ({
  plan: planRound({ seed: 1, sabotage: null }, round),
  struck: true,
  passed: null,
  outcome: 'migrated',
  recoveryMs: round * 100,
  doubles: [],
  leftovers: [],
  lost: [],
  needsOperator: false,
  ...changes,
});

describe('the report of a run', () => {
  it('counts kills that struck, rounds that failed, and crash points once each', () => {
    const results = [
      result(1, { passed: 'source.claim-record' }),
      result(2, { passed: 'source.claim-record', doubles: ['one', 'two'] }),
      result(3, { leftovers: ['a file'], lost: ['a guest'] }),
      result(4, { struck: false, needsOperator: true }),
    ];
    expect(summarize(9, results)).toEqual({
      kills: 3,
      seed: 9,
      rounds: 4,
      doubleRunners: 1,
      leftovers: 1,
      lostGuests: 1,
      needsOperator: 1,
      recoveryMs: { p50: 200, p99: 300 },
      points: { hit: 1, of: CRASH_POINTS.length },
    });
    expect(tableText(results).split('\n').at(-1)).toMatch(/^all +3 /);
  });

  it('takes percentiles by the nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect([percentile(values, 50), percentile(values, 99), percentile([7], 99), percentile([], 50)]).toEqual([50, 99, 7, null]);
  });
});
