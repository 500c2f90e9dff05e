import { formatBytes } from '../domain/format-bytes.js';
import { formatDuration } from '../domain/format-duration.js';
import type { CliContext } from './cli-context.js';
import type { Cluster, MigrationLook, MigrationRef } from './cluster.js';
import { EXIT_CODES } from './exit-codes.js';
import { failureReport } from './render/error-report.js';
import { openLiveLine } from './render/live-line.js';
import { printError } from './render/print-error.js';
import { progressText } from './render/progress-text.js';

/** How often a migration is looked at: heartbeats come about once a second, so faster looks show nothing new. */
const LOOK_EVERY_MS = 500;

/**
 * Shows a migration until it ends, and sets the exit code by its end. Ctrl-C only lets go: the migration runs on, the text says
 * how to come back, the exit code is 130. With `json` every look that tells something new is a line on stdout, the last has the story.
 */
export async function followMigration(context: CliContext, cluster: Cluster, options: { ref: MigrationRef; json: boolean }): Promise<void> {
  const letGo = new AbortController();
  const stopListening = context.onInterrupt(() => {
    letGo.abort();
  });
  try {
    const last = await showUntilEnd(context, cluster.watchMigration(options.ref, { signal: letGo.signal, everyMs: LOOK_EVERY_MS }), options);
    if (last?.state === 'ended') tellEnd(context, last, options);
    else tellDetached(context, { ref: options.ref, look: last, json: options.json });
  } finally {
    stopListening();
  }
}

async function showUntilEnd(context: CliContext, looks: AsyncIterable<MigrationLook>, options: { json: boolean }): Promise<MigrationLook | undefined> {
  const line = openLiveLine(context);
  let last: MigrationLook | undefined;
  try {
    for await (const look of looks) {
      if (options.json) tellProgram(context, look, last);
      else if (look.state === 'running') line.update(progressText(look), { milestone: phaseOf(look) !== phaseOf(last) });
      last = look;
    }
  } finally {
    line.end();
  }
  return last;
}

function tellProgram(context: CliContext, look: MigrationLook, before: MigrationLook | undefined): void {
  const base = { vmid: look.vmid, id: look.story?.id ?? null, at: new Date(context.now()).toISOString() };
  if (phaseOf(look) !== phaseOf(before)) context.out(`${JSON.stringify({ event: 'phase', ...base, phase: phaseOf(look) })}\n`);
  if (look.progress !== null && look.state === 'running' && JSON.stringify(look.progress) !== JSON.stringify(before?.progress)) {
    context.out(`${JSON.stringify({ event: 'progress', ...base, ...look.progress })}\n`);
  }
}

function tellEnd(context: CliContext, look: MigrationLook, options: { json: boolean }): void {
  const report = look.failure === null ? null : failureReport(look.failure);
  if (options.json) context.out(`${JSON.stringify({ event: 'ended', vmid: look.vmid, id: look.story?.id ?? null, story: look.story, error: report })}\n`);
  else if (report !== null) printError(context, report, { json: false });
  else context.err(`${summary(look)}\n`);
  context.setExitCode(report?.exitCode ?? (look.story?.outcome === 'migrated' ? EXIT_CODES.ok : EXIT_CODES.failed));
}

function summary(look: MigrationLook): string {
  const { story } = look;
  if (story === null) return `Guest ${String(look.vmid)}: the migration has ended`;
  const span = story.endedAt === null ? '' : ` in ${formatDuration(Date.parse(story.endedAt) - Date.parse(story.startedAt))}`;
  const blackout = story.blackout === null ? '' : `, blackout ${formatDuration(story.blackout.stopToResumeMs)}`;
  const end = story.outcome === 'migrated' ? `runs on ${story.target}` : (story.outcome ?? 'ended');
  const lines = [`Guest ${String(story.vmid)} ${end}: ${formatBytes(story.bytesSent)} sent${span}${blackout}`, ...story.warnings.map((warning) => `warning: ${warning}`)];
  if (story.id !== null) lines.push(`The whole story: kedge migration show ${story.id}`);
  return lines.join('\n');
}

function tellDetached(context: CliContext, { ref, look, json }: { ref: MigrationRef; look: MigrationLook | undefined; json: boolean }): void {
  const id = look?.story?.id ?? String(ref.vmid);
  if (json) context.out(`${JSON.stringify({ event: 'detached', vmid: ref.vmid, id })}\n`);
  context.err(`Let go; the migration runs on. Come back: kedge migration watch ${id}\nTo stop it: kedge migration cancel ${id}\n`);
  context.setExitCode(EXIT_CODES.interrupted);
}

const phaseOf = (look: MigrationLook | undefined): string | null => (look === undefined ? null : (look.progress?.phase ?? look.story?.phase ?? null));
