import type { CliContext } from './cli-context.js';
import type { Cluster } from './cluster.js';

/** Runs `work` over an open connection and closes it, whatever happens. `config`: value of `--config`. */
export async function withCluster<Result>(
  context: CliContext,
  options: { config?: string | undefined },
  work: (cluster: Cluster) => Promise<Result>,
): Promise<Result> {
  const cluster = await context.openCluster(options.config === undefined ? {} : { config: options.config });
  try {
    return await work(cluster);
  } finally {
    await cluster.close();
  }
}
