import type { MigrationView } from '../../client/migration-view.js';
import { formatBytes } from '../../domain/format-bytes.js';
import { KedgeError } from '../../domain/kedge-error.js';
import type { Vmid } from '../../domain/ids.js';
import type { CliContext } from '../cli-context.js';
import type { Cluster } from '../cluster.js';
import { EXIT_CODES } from '../exit-codes.js';
import { guestPlaces } from '../guest-places.js';
import { parseArgument } from '../parse-arguments.js';
import { requestedBy } from '../requested-by.js';
import type { PveValues } from './pve-schema.js';
import { PveUsageError } from './pve-usage-error.js';

const LOOK_EVERY_MS = 1_000;
const KIB = 1024;

/** `qm migrate`: starts the migration and prints a log in the form of PVE's tasks. @throws KedgeError when the task ends in error */
export async function qmMigrate(context: CliContext, cluster: Cluster, { vmid, values }: { vmid: Vmid; values: PveValues }): Promise<number> {
  const target = values.positionals['target'] ?? '';
  const log = (text: string): void => {
    context.out(`${localTime(context.now())} ${text}\n`);
  };
  await demandOnline(cluster, { vmid, online: values.booleans['online'] === true });
  const type = values.strings['migration_type'];
  const bwlimit = values.integers['bwlimit'];
  const startedMs = context.now();
  const letGo = new AbortController();
  const stopListening = context.onInterrupt(() => {
    letGo.abort();
  });
  try {
    const migration = await cluster.startMigration({
      vmid,
      target: readNode(target),
      requestedBy: requestedBy(context.environment),
      options: {
        ...cluster.migrationDefaults,
        online: true,
        ...(type === 'secure' || type === 'insecure' ? { type } : {}),
        ...(bwlimit === undefined ? {} : { bandwidthLimit: bwlimit * KIB }),
      },
    });
    log(`starting migration of VM ${String(vmid)} to node '${target}'`);
    let last: MigrationView | undefined;
    for await (const view of cluster.watchMigration(migration, { signal: letGo.signal, intervalMs: LOOK_EVERY_MS })) {
      for (const line of newLines(view, last)) log(line);
      last = view;
    }
    if (last === undefined || last.status === 'running') {
      context.err(`Let go; the migration runs on. Come back: kedge migration watch ${String(vmid)}\n`);
      return EXIT_CODES.interrupted;
    }
    return tellEnd(last, { log, durationMs: context.now() - startedMs });
  } finally {
    stopListening();
  }
}

/** PVE's own refusal; the workflow would ask for a live migration in any case. */
async function demandOnline(cluster: Cluster, { vmid, online }: { vmid: Vmid; online: boolean }): Promise<void> {
  if (online) return;
  const runs = guestPlaces(await cluster.listNodes()).some(({ guest }) => guest.vmid === vmid && (guest.qemu === 'running' || guest.qemu === 'paused'));
  if (runs) throw new KedgeError('guest-state', "can't migrate running VM without --online");
  throw new KedgeError('unsupported', 'offline migration is not supported: start the VM and use --online');
}

function readNode(text: string): string {
  try {
    return parseArgument.node(text);
  } catch {
    throw new PveUsageError(`400 Parameter verification failed.\ntarget: invalid format - value does not look like a valid node name`);
  }
}

function* newLines(view: MigrationView, before: MigrationView | undefined): Iterable<string> {
  const { phase, progress, status } = view;
  if (phase !== null && phase !== before?.phase && status === 'running') yield `phase: ${phase}`;
  if (progress === null || progress.bytesSent === before?.progress?.bytesSent) return;
  yield `migration active, transferred ${formatBytes(progress.bytesSent)} of ${formatBytes(progress.bytesTotal)} VM-state, ${formatBytes(progress.rate)}/s`;
}

function tellEnd(view: MigrationView, { log, durationMs }: { log: (text: string) => void; durationMs: number }): number {
  const duration = `(duration ${hoursMinutesSeconds(durationMs)})`;
  const { story, failure } = view;
  for (const warning of story?.warnings ?? []) log(`WARN: ${warning}`);
  if (failure === null && story?.outcome === 'migrated') {
    const downtime = story.blackout === null ? '' : `, downtime ${String(Math.round(story.blackout.stopToResumeMs))} ms`;
    log(`migration status: completed${downtime}`);
    log(`migration finished successfully ${duration}`);
    return EXIT_CODES.ok;
  }
  log(`ERROR: migration aborted ${duration}: ${failure?.message ?? story?.outcome ?? 'unknown end'}`);
  throw new KedgeError('rolled-back', 'migration aborted', { details: failure?.details ?? {} });
}

function hoursMinutesSeconds(durationMs: number): string {
  const seconds = Math.floor(durationMs / 1_000);
  return [seconds / 3_600, (seconds / 60) % 60, seconds % 60].map((part) => String(Math.floor(part)).padStart(2, '0')).join(':');
}

/** `2026-03-01 13:00:10` in the zone of the reader, as PVE's task logs have it. */
function localTime(nowMs: number): string {
  const at = new Date(nowMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${String(at.getFullYear())}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}
