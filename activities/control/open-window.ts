import type { OpenedWindow } from '../interface-control.js';
import { SCHEDULED_AHEAD, type ScheduledWindow } from '../../src/domain/window/window.js';
import { nextOccurrences } from '../../src/schema/window-occurrences.js';
import { parseWindowFile } from '../../src/schema/window-file.js';
import type { ClusterAccess } from './cluster-access.js';

/**
 * Reads a window at its opening. A schedule that can't be brought up to date stops nothing: it knows many more occurrences, and the next opening
 * tries again. A node that the cluster has not any more is left to its drain to refuse. @throws KedgeError `bad-input` when this Kedge can't read the
 * window
 */
export async function openWindow(
  cluster: Pick<ClusterAccess, 'nodes' | 'scheduleWindow'>,
  { file, skipped, revision }: ScheduledWindow,
): Promise<OpenedWindow> {
  const definition = parseWindowFile(file);
  const now = new Date().toISOString();
  const occurrences = nextOccurrences(definition, { from: now, count: SCHEDULED_AHEAD, skipped });
  const openSince = occurrences.findLast(({ opensAt }) => opensAt <= now)?.opensAt ?? null;
  let warning: string | null = null;
  try {
    await cluster.scheduleWindow({ name: definition.name, revision, occurrences });
  } catch (error) {
    warning = `The next occurrences could not be scheduled: ${error instanceof Error ? error.message : String(error)}`;
  }
  return { definition, nodes: definition.nodes ?? cluster.nodes, openSince, warning };
}
