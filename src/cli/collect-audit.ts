import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { MigrationView } from '../client/migration-view.js';
import { hasDoubtfulNotes } from '../domain/audit-notes.js';
import type { AuditInput, AuditedNode, RunningMigration } from '../domain/audit-types.js';
import type { NodeName } from '../domain/ids.js';
import { KedgeError } from '../domain/kedge-error.js';
import type { Cluster } from './cluster.js';

/** How long one node may take to say what it has; milliseconds. */
const NODE_PATIENCE_MS = 30_000;
/** More migrations than a cluster runs at a time. */
const RUNNING_LIMIT = 10_000;

type Answer = { readonly audited: AuditedNode } | { readonly unreached: AuditInput['unreached'][number] };

/**
 * Asks all nodes what they have, and Temporal which migrations run: everything that `findLeftovers` compares. Changes nothing.
 *
 * Where a note beside a guest's disks is doubtful, all is asked once more, and only what is as it was counts: between two nodes that are asked one after the
 * other a guest may have been handed over, and between marker and record of a take-over nobody has it.
 */
export async function collectAudit(cluster: Cluster): Promise<AuditInput> {
  const first = await lookOnce(cluster);
  if (!hasDoubtfulNotes(first)) return first;
  // Before the second look: a recovery that has ended since then has given its guests to somebody, who is seen.
  const recoveries = await cluster.readRecoveries();
  const second = await lookOnce(cluster);
  return { ...second, nodes: second.nodes.map((node) => ({ ...node, notes: unchanged(node, first) })), recoveries };
}

function unchanged({ node, notes = [] }: AuditedNode, before: AuditInput): NonNullable<AuditedNode['notes']> {
  const known = before.nodes.find((other) => other.node === node)?.notes ?? [];
  return notes.filter((note) => known.some((other) => isDeepStrictEqual(other, note)));
}

async function lookOnce(cluster: Cluster): Promise<AuditInput> {
  const before = await runningMigrations(cluster);
  const answers = await Promise.all(cluster.nodes.map((node) => askNode(cluster, node)));
  const nodes = answers.flatMap((answer) => ('audited' in answer ? [answer.audited] : []));
  return {
    nodes,
    unreached: answers.flatMap((answer) => ('unreached' in answer ? [answer.unreached] : [])),
    migrations: [...before, ...(await overlooked(cluster, { nodes, known: before }))],
    slots: await slotsUnlessSilent(cluster),
    schedules: await cluster.readSchedules(),
  };
}

async function askNode(cluster: Cluster, node: NodeName): Promise<Answer> {
  const patience = new AbortController();
  try {
    const late = sleep(NODE_PATIENCE_MS, null, { signal: patience.signal });
    // Aborted when the node was faster; nobody waits for it then.
    late.catch(() => null);
    const audited = await Promise.race([cluster.auditNode(node), late]);
    return audited === null ? { unreached: { node, reason: `no answer in ${String(NODE_PATIENCE_MS / 1_000)} s` } } : { audited };
  } catch (error) {
    return { unreached: { node, reason: error instanceof KedgeError ? error.message : String(error) } };
  } finally {
    patience.abort();
  }
}

/** Null when no control worker answers: a finding of its own, which must not hide the others. */
async function slotsUnlessSilent(cluster: Cluster): Promise<AuditInput['slots']> {
  try {
    return await cluster.readSlots();
  } catch (error) {
    if (error instanceof KedgeError) return null;
    throw error;
  }
}

async function runningMigrations(cluster: Cluster): Promise<readonly RunningMigration[]> {
  const views = await cluster.listMigrations({ running: true, limit: RUNNING_LIMIT });
  return views.filter((view) => view.status === 'running').map(asRunning);
}

/**
 * Migrations that the server's index of running workflows, which lags by a moment, has not shown: a node names them, and the
 * server's own state says whether they run.
 */
async function overlooked(
  cluster: Cluster,
  { nodes, known }: { nodes: readonly AuditedNode[]; known: readonly RunningMigration[] },
): Promise<readonly RunningMigration[]> {
  const named = nodes.flatMap((node) => [
    ...node.guests.filter((guest) => guest.migrationId !== null).map((guest): number => guest.vmid),
    ...node.journalOpen.map((entry) => entry.vmid),
    ...(node.volumes ?? []).map((volume) => volume.vmid),
    // Of a guest that is owned its owner names the migration.
    ...(node.notes ?? []).map((note) => note.vmid).filter((vmid) => !nodes.some(({ guests }) => guests.some((guest) => guest.vmid === vmid))),
  ]);
  const unknown = [...new Set(named)].filter((vmid) => !known.some((migration) => migration.vmid === vmid));
  const views = await Promise.all(unknown.map((vmid) => cluster.showMigration(String(vmid)).catch(notThere)));
  return views
    .filter((view) => view !== null)
    .filter((view) => view.status === 'running')
    .map(asRunning);
}

function notThere(error: unknown): null {
  if (error instanceof KedgeError && error.code === 'not-found') return null;
  throw error;
}

function asRunning(view: MigrationView): RunningMigration {
  return { vmid: view.ref.vmid, migrationId: view.story?.id ?? null, parked: view.phase === 'needs-operator', runId: view.ref.runId };
}
