import { expect, test } from 'vitest';
import { presenceIntervalMs } from '../../activities/beating.js';
import { DEFAULT_TIMINGS } from '../../src/domain/workflow-timings.js';

test('a node tells of itself once a second in a cluster of up to 50 nodes, less often in a larger one, and three times before it counts as silent', () => {
  expect([1, 3, 50, 51, 100, 101, 1_000].map(presenceIntervalMs)).toEqual([1_000, 1_000, 1_000, 2_000, 2_000, 3_000, 3_000]);
  expect(3 * presenceIntervalMs(1_000)).toBeLessThan(DEFAULT_TIMINGS.heartbeatTimeoutMs);
});
