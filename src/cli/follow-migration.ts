import type { MigrationRef, MigrationView } from '../client/migration-view.js';
import { formatBytes } from '../domain/format-bytes.js';
import { formatDuration } from '../domain/format-duration.js';
import type { MigrationStory } from '../domain/migration.js';
import type { CliContext } from './cli-context.js';
import type { Cluster } from './cluster.js';
import { EXIT_CODES } from './exit-codes.js';
import { endReport } from './render/error-report.js';
import { openLiveLine } from './render/live-line.js';
import { printError } from './render/print-error.js';
import { progressText } from './render/progress-text.js';
import { copiesDisks } from './render/story-text.js';

/** How often a migration is looked at: heartbeats come about once a second, but its end should be told at once. */
const LOOK_EVERY_MS = 500;

export interface FollowOptions {
  /** Starts the migration, or names one: a Ctrl-C in between must not leave the reader without a hint. */
  readonly begin: () => Promise<string | MigrationRef>;
  readonly json: boolean;
}

/**
 * Shows a migration until it ends, and sets the exit code by its end. Ctrl-C only lets go: the migration runs on, the text says
 * how to come back, the exit code is 130. With `json` every view that tells something new is a line on stdout, the last has the story.
 */
export async function followMigration(context: CliContext, cluster: Cluster, { begin, json }: FollowOptions): Promise<void> {
  const letGo = new AbortController();
  const stopListening = context.onInterrupt(() => {
    letGo.abort();
  });
  try {
    const migration = await begin();
    const views = cluster.watchMigration(migration, { signal: letGo.signal, intervalMs: LOOK_EVERY_MS });
    const last = await showUntilEnd(context, views, { json });
    if (last !== undefined && last.status !== 'running') tellEnd(context, last, { json });
    else tellDetached(context, { migration, view: last, json });
  } finally {
    stopListening();
  }
}

async function showUntilEnd(context: CliContext, views: AsyncIterable<MigrationView>, options: { json: boolean }): Promise<MigrationView | undefined> {
  const line = openLiveLine(context);
  let last: MigrationView | undefined;
  try {
    for await (const view of views) {
      if (options.json) tellProgram(context, view, last);
      // A story that is told to its end comes a moment before the workflow ends.
      else if (view.status === 'running' && view.phase !== 'done') line.update(progressText(view), { milestone: view.phase !== last?.phase });
      last = view;
    }
  } finally {
    line.end();
  }
  return last;
}

function tellProgram(context: CliContext, view: MigrationView, before: MigrationView | undefined): void {
  const base = { vmid: view.ref.vmid, id: view.story?.id ?? null, at: new Date(context.now()).toISOString() };
  if (view.phase !== before?.phase) context.out(`${JSON.stringify({ event: 'phase', ...base, phase: view.phase })}\n`);
  if (view.progress !== null && view.status === 'running' && JSON.stringify(view.progress) !== JSON.stringify(before?.progress)) {
    context.out(`${JSON.stringify({ event: 'progress', ...base, ...view.progress })}\n`);
  }
}

function tellEnd(context: CliContext, view: MigrationView, options: { json: boolean }): void {
  const report = endReport(view);
  if (options.json) context.out(`${JSON.stringify({ event: 'ended', vmid: view.ref.vmid, id: view.story?.id ?? null, story: view.story, error: report })}\n`);
  else if (report !== null) printError(context, report, { json: false });
  else context.err(`${summary(view)}\n`);
  context.setExitCode(report?.exitCode ?? (view.story?.outcome === 'migrated' ? EXIT_CODES.ok : EXIT_CODES.failed));
}

function summary({ ref, story }: MigrationView): string {
  if (story === null) return `Guest ${String(ref.vmid)}: the migration has ended`;
  const span = story.endedAt === null ? '' : ` in ${formatDuration(Date.parse(story.endedAt) - Date.parse(story.startedAt))}`;
  const blackout = story.blackout === null ? '' : `, blackout ${formatDuration(story.blackout.stopToResumeMs)}`;
  const timeOff = story.downtimeMs == null ? '' : `, off for ${formatDuration(story.downtimeMs)}`;
  const end = story.outcome === 'migrated' ? placeText(story) : (story.outcome ?? 'ended');
  const lines = [
    `Guest ${String(story.vmid)} ${end}: ${formatBytes(story.bytesSent)} sent${span}${blackout}${timeOff}`,
    ...story.warnings.map((warning) => `warning: ${warning}`),
  ];
  if (story.id !== null) lines.push(`The whole story: kedge migration show ${story.id}`);
  return lines.join('\n');
}

/** A guest that was off, or has switched itself off on the way, does not run where it is now. */
function placeText(story: MigrationStory): string {
  return copiesDisks(story) && story.downtimeMs === null ? `has moved to ${story.target}` : `runs on ${story.target}`;
}

function tellDetached(
  context: CliContext,
  { migration, view, json }: { migration: string | MigrationRef; view: MigrationView | undefined; json: boolean },
): void {
  const id = view?.story?.id ?? (typeof migration === 'string' ? migration : String(migration.vmid));
  if (json) context.out(`${JSON.stringify({ event: 'detached', id })}\n`);
  context.err(`Let go; the migration runs on. Come back: kedge migration watch ${id}\nTo stop it: kedge migration cancel ${id}\n`);
  context.setExitCode(EXIT_CODES.interrupted);
}
