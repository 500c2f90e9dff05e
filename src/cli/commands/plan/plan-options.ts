import { readFile } from 'node:fs/promises';
import type { Command } from '@commander-js/extra-typings';
import { KedgeError } from '../../../domain/kedge-error.js';
import type { ClusterSnapshot } from '../../../domain/plan/snapshot.js';
import { parseClusterSnapshot } from '../../../schema/cluster-snapshot.js';

/** The options of every plan. */
export function withPlanOptions(command: Command) {
  return command.requiredOption('--snapshot <file>', 'the cluster as JSON, see docs/snapshot.schema.json').option('--json', 'JSON with all reasons');
}

/** Reads `--snapshot`. @throws KedgeError `bad-input` for a file that can't be read, or is no snapshot */
export async function readSnapshot(file: string): Promise<ClusterSnapshot> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new KedgeError('bad-input', `Cannot read --snapshot: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  });
  return parseClusterSnapshot(text);
}
