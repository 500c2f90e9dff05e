import type { MigrationView } from '../../client/migration-view.js';
import { KedgeError } from '../../domain/kedge-error.js';
import type { MigrateGuestInput } from '../../domain/migration.js';
import type { CliContext } from '../cli-context.js';
import type { Cluster } from '../cluster.js';
import { EXIT_CODES } from '../exit-codes.js';
import { abortion, endLines, newLines, type TaskNoun } from './task-lines.js';

const LOOK_EVERY_MS = 1_000;

/** A task of PVE that migrates one guest. */
export interface MigrationTask {
  readonly noun: TaskNoun;
  readonly input: MigrateGuestInput;
  /** Where the copy goes to, for the log. */
  readonly address: string;
}

/**
 * Starts the migration, prints a log in the form of PVE's tasks until it ends, and answers the exit code. Ctrl-C only lets go.
 * @throws KedgeError when the task ends in error: "migration aborted" or "migration problems", with the findings of a refusal
 */
export async function runMigrationTask(context: CliContext, cluster: Cluster, { noun, input, address }: MigrationTask): Promise<number> {
  const log = taskLog(context);
  const startedMs = context.now();
  const letGo = new AbortController();
  const stopListening = context.onInterrupt(() => {
    letGo.abort();
  });
  try {
    const migration = await cluster.startMigration(input);
    log(`starting migration of ${noun} ${String(input.vmid)} to node '${input.target}' (${address})`);
    let last: MigrationView | undefined;
    for await (const view of cluster.watchMigration(migration, { signal: letGo.signal, intervalMs: LOOK_EVERY_MS })) {
      for (const line of newLines(view, { before: last, noun })) log(line);
      last = view;
    }
    if (last === undefined || last.status === 'running') {
      context.err(`Let go; the migration runs on. Come back: kedge migration watch ${String(input.vmid)}\n`);
      return EXIT_CODES.interrupted;
    }
    return tellEnd(last, { log, noun, durationMs: context.now() - startedMs });
  } finally {
    stopListening();
  }
}

/** A task that ended before anything was done. @throws KedgeError `guest-state`, "migration aborted" */
export function abortTask(context: CliContext, reason: string): never {
  taskLog(context)(`ERROR: migration aborted ${durationText(0)}: ${reason}`);
  throw new KedgeError('guest-state', 'migration aborted');
}

function tellEnd(view: MigrationView, { log, noun, durationMs }: { log: (text: string) => void; noun: TaskNoun; durationMs: number }): number {
  const duration = durationText(durationMs);
  for (const line of endLines(view)) log(line);
  const outcome = view.failure === null ? view.story?.outcome : null;
  if (outcome === 'migrated') {
    log(`migration finished successfully ${duration}`);
    return EXIT_CODES.ok;
  }
  if (outcome === 'guest-lost-memory') {
    log('ERROR: the memory of the guest was lost, it was started from its disks');
    log(`migration finished with problems ${duration}`);
    throw new KedgeError('rolled-back', 'migration problems');
  }
  const { lines, reason } = abortion(view, noun);
  for (const line of lines) log(line);
  log(`ERROR: migration aborted ${duration}: ${reason}`);
  throw new KedgeError('rolled-back', 'migration aborted', { details: view.failure?.details ?? {} });
}

/** Lines that begin with the time in the zone of the reader, as in PVE's task logs; each line of a text that has several. */
function taskLog(context: CliContext): (text: string) => void {
  return (text) => {
    for (const line of text.split('\n')) context.out(`${localTime(context.now())} ${line}\n`);
  };
}

function durationText(durationMs: number): string {
  const seconds = Math.floor(durationMs / 1_000);
  const parts = [seconds / 3_600, (seconds / 60) % 60, seconds % 60].map((part) => String(Math.floor(part)).padStart(2, '0'));
  return `(duration ${parts.join(':')})`;
}

/** `2026-03-01 13:00:10`. */
function localTime(nowMs: number): string {
  const at = new Date(nowMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${String(at.getFullYear())}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}
