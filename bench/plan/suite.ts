import { planBalance } from '../../src/domain/plan/plan-balance.js';
import { planEvacuation } from '../../src/domain/plan/plan-evacuation.js';
import { planRestore } from '../../src/domain/plan/plan-restore.js';
import type { Plan } from '../../src/domain/plan/plan.js';
import type { ClusterSnapshot } from '../../src/domain/plan/snapshot.js';
import { rowOf, type Row, type SuiteOptions } from '../report.js';
import { randomCluster } from './random-cluster.js';

const NODES = 100;
const GUESTS = 5_000;
/** Nodes that are emptied at once. */
const LEAVING = 20;

/** How long plans for a large cluster take; the plan of most work, the evacuation of a fifth of it, is the one with a limit. */
export function planSuite({ runs }: SuiteOptions): readonly Row[] {
  const clusters = Array.from({ length: runs }, (_, seed) => randomCluster({ seed: seed + 1, nodes: NODES, guests: GUESTS, rules: 50, full: 0.6 }));
  const names = (snapshot: ClusterSnapshot) => snapshot.nodes.slice(0, LEAVING).map(({ name }) => name);
  return [
    timed(`plan ${NODES}x${GUESTS}`, clusters, (snapshot) => planEvacuation(snapshot, names(snapshot))),
    timed('plan restore', clusters, (snapshot) => planRestore(snapshot, names(snapshot))),
    timed('plan balance', clusters, (snapshot) => planBalance(snapshot, { maxMoves: 100, tolerance: 0.02, minGain: 0.001 })),
  ];
}

function timed(name: string, clusters: readonly ClusterSnapshot[], plan: (snapshot: ClusterSnapshot) => Plan): Row {
  const ours = clusters.map((snapshot) => {
    const started = performance.now();
    plan(snapshot);
    return performance.now() - started;
  });
  return rowOf(name, 'ms', { ours });
}
