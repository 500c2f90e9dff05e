import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { repositoryFolder } from '../../lab/lab-folder.js';
import { BENCH_NODES, startBenchCluster } from '../orchestration/bench-cluster.js';
import { rowOf, type Row, type SuiteOptions } from '../report.js';
import { timeCommand } from '../time-command.js';

/** Wall time of short commands, as a person at the prompt feels it; `guest list` asks a cluster on this machine. */
export async function cliSuite({ runs }: SuiteOptions): Promise<readonly Row[]> {
  const kedge = join(repositoryFolder(), 'bin/kedge');
  const help = await repeat(runs, () => timeCommand([kedge, '--help']));
  const folder = mkdtempSync(join(tmpdir(), 'kedge-bench-'));
  const cluster = await startBenchCluster();
  try {
    const config = join(folder, 'kedge.yaml');
    const nodes = Object.fromEntries(BENCH_NODES.map((node) => [node, { address: '127.0.0.1' }]));
    writeFileSync(config, stringify({ cluster: 'bench', temporal: { address: cluster.address, namespace: 'default' }, nodes }));
    const list = await repeat(runs, () => timeCommand([kedge, 'guest', 'list'], { KEDGE_CONFIG: config }));
    return [rowOf('cli help', 'ms', { ours: help }), rowOf('cli guest list', 'ms', { ours: list })];
  } finally {
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One run to warm the file cache, then the measured ones. */
async function repeat(runs: number, measure: () => Promise<number>): Promise<readonly number[]> {
  await measure();
  const samples: number[] = [];
  for (let run = 0; run < runs; run += 1) samples.push(await measure());
  return samples;
}
