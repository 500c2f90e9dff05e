import { describe, expect, it } from 'vitest';
import type { ChaosOptions } from '../../chaos/options.js';
import { resultText, summarize } from '../../chaos/report.js';
import { hasFailed } from '../../chaos/judge/round-result.js';
import { describeRound } from '../../chaos/plan/describe-round.js';
import { runChaos } from '../../chaos/run/run-chaos.js';

/** Bounded in kills and in time: on a busy machine the sample is smaller, never longer. */
const SAMPLE: ChaosOptions = { kills: 8, seed: 20, round: null, minutes: 1, sabotage: null, name: `t-chaos-${process.pid}` };

describe('npm run chaos', () => {
  it('no guest runs twice, is lost, or leaves anything behind in a sample of kills', async () => {
    const results = await runChaos(SAMPLE, () => undefined);
    expect(results.filter(hasFailed).map((result) => `#${result.plan.round} ${describeRound(result.plan)}: ${resultText(result)}`)).toEqual([]);
    expect(summarize(SAMPLE.seed, results).kills).toBeGreaterThan(0);
  });

  it('finds two runners when a source takes its guest back without asking the target', async () => {
    const results = await runChaos({ ...SAMPLE, kills: 3, sabotage: 'no-revoke' }, () => undefined);
    expect(summarize(SAMPLE.seed, results).doubleRunners).toBeGreaterThan(0);
  });
});
