import { readFile } from 'node:fs/promises';
import type { Command } from '@commander-js/extra-typings';
import { KedgeError } from '../../../domain/kedge-error.js';
import type { ClusterSnapshot } from '../../../domain/plan/snapshot.js';
import { parseClusterSnapshot } from '../../../schema/cluster-snapshot.js';
import type { CliContext } from '../../cli-context.js';
import { withCluster } from '../../with-cluster.js';

/** The options of every plan. */
export function withPlanOptions(command: Command) {
  return command
    .option('--snapshot <file>', 'the cluster as JSON, see docs/snapshot.schema.json; left out: this cluster, as it is now')
    .option('--json', 'JSON with all reasons');
}

/** The cluster that the plan is for. @throws KedgeError `bad-input` for a file that can't be read, or is no snapshot */
export async function readSnapshot(
  context: CliContext,
  options: { readonly snapshot?: string | undefined; readonly config?: string | undefined },
): Promise<ClusterSnapshot> {
  const { snapshot: file, config } = options;
  if (file === undefined) return withCluster(context, { config }, (cluster) => cluster.takeSnapshot());
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new KedgeError('bad-input', `Cannot read --snapshot: current value is ${JSON.stringify(file)}, must be a file that can be read`, {
      cause,
      details: { field: '--snapshot', value: file, remedy: 'Give a file as "kedge node list --snapshot" prints it' },
    });
  });
  return parseClusterSnapshot(text);
}
