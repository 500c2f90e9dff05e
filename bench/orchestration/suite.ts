import { parseNodeName } from '../../src/domain/ids.js';
import { rowOf, type Row, type SuiteOptions } from '../report.js';
import { startBenchCluster, type BenchCluster } from './bench-cluster.js';
import { BENCH_VMID } from './empty-activities.js';

const WARM_UP_RUNS = 5;

/** All steps of a live migration with empty activities on the embedded server: time from the start call to the result, and events. */
export async function orchestrationSuite({ runs: count }: SuiteOptions): Promise<readonly Row[]> {
  const cluster = await startBenchCluster();
  try {
    for (let run = 0; run < WARM_UP_RUNS; run += 1) await migrateOnce(cluster);
    const runs: { elapsedMs: number; events: number }[] = [];
    for (let run = 0; run < count; run += 1) runs.push(await migrateOnce(cluster));
    return [rowOf('orchestration p50', 'ms', { ours: runs.map((run) => run.elapsedMs) }), rowOf('events', 'events', { ours: runs.map((run) => run.events) })];
  } finally {
    await cluster.stop();
  }
}

async function migrateOnce({ kedge, client }: BenchCluster): Promise<{ elapsedMs: number; events: number }> {
  const started = performance.now();
  const { workflowId, runId } = await kedge.startMigration({ vmid: BENCH_VMID, target: parseNodeName('node2'), requestedBy: 'bench' });
  const handle = client.workflow.getHandle(workflowId, runId);
  await handle.result();
  const elapsedMs = performance.now() - started;
  return { elapsedMs, events: (await handle.describe()).historyLength };
}
