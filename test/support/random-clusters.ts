import fc from 'fast-check';
import { randomCluster } from '../../bench/plan/random-cluster.js';

/** Small clusters of all kinds, for what must hold for every one of them. */
export const randomClusters = fc
  .record({
    seed: fc.nat(),
    nodes: fc.integer({ min: 2, max: 7 }),
    guests: fc.integer({ min: 1, max: 40 }),
    rules: fc.integer({ min: 0, max: 4 }),
    full: fc.double({ min: 0.3, max: 0.95, noNaN: true }),
    survivesOneNode: fc.boolean(),
  })
  .map(randomCluster);
