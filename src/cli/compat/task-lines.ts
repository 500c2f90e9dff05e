/** What a migration tells, as lines of a task log: PVE's where PVE has one for it. */
import type { MigrationView } from '../../client/migration-view.js';
import { formatBytes } from '../../domain/format-bytes.js';
import { isRecord } from '../../domain/is-record.js';
import type { CopyProgress } from '../../domain/migration.js';
import { endReport } from '../render/error-report.js';
import { isOfDisks } from '../render/progress-text.js';
import { pveRefusal } from './pve-refusal.js';

/** What PVE calls the guest. */
export type TaskNoun = 'VM' | 'CT';

/** The lines for what `view` has that the view before it had not. */
export function* newLines(view: MigrationView, { before, noun }: { before: MigrationView | undefined; noun: TaskNoun }): Iterable<string> {
  const { phase, progress, status } = view;
  const line = phase === before?.phase || status !== 'running' ? null : phaseLine(view, noun);
  if (line !== null) yield line;
  if (progress === null || progress.bytesSent === before?.progress?.bytesSent) return;
  yield progressLine(progress);
}

function progressLine({ phase, bytesSent, bytesTotal, rate, files }: CopyProgress): string {
  const amount = `${formatBytes(bytesSent)} of ${formatBytes(bytesTotal)}`;
  const ofFiles = files === undefined ? '' : `, ${String(files.done)} of ${String(files.total)} files`;
  return isOfDisks(phase)
    ? `${phase === 'verify' ? 'compared' : 'copied'} ${amount}${ofFiles}, ${formatBytes(rate)}/s`
    : `migration active, transferred ${amount} VM-state, ${formatBytes(rate)}/s`;
}

/** The lines before the last one. */
export function* endLines({ story, failure }: MigrationView): Iterable<string> {
  for (const warning of story?.warnings ?? []) yield `WARN: ${warning}`;
  if (failure !== null || story === null || story.kind !== 'live' || story.blackout === null) return;
  const copiedMs = story.steps.find(({ step }) => step === 'pre-copy')?.durationMs ?? 0;
  const speed = copiedMs > 0 ? (story.bytesSent / copiedMs) * 1_000 : story.bytesSent;
  yield `average migration speed: ${formatBytes(speed)}/s - downtime ${String(Math.round(story.blackout.stopToResumeMs))} ms`;
  yield `migration completed, transferred ${formatBytes(story.bytesSent)} VM-state`;
}

/** Why it was aborted, and the lines before that: PVE's where it has words for it, else ours. */
export function abortion(view: MigrationView, noun: TaskNoun): { readonly lines: readonly string[]; readonly reason: string } {
  const { story, failure, status } = view;
  if (failure === null) return { lines: [], reason: story?.outcome ?? `ended from outside (${status})` };
  const { lines, reason } = pveRefusal(endReport(view)?.findings ?? [], { noun, vmid: view.ref.vmid });
  return { lines, reason: reason ?? stopReason(failure, noun) ?? failure.message };
}

function stopReason({ code, details }: NonNullable<MigrationView['failure']>, noun: TaskNoun): string | null {
  const cause = details['cause'];
  const first = isRecord(cause) ? cause['code'] : code;
  return first === 'shutdown-timeout' ? `${noun === 'CT' ? 'container' : 'VM'} did not stop` : null;
}

/** Null for a step that passes a guest by which is off anyway. */
function phaseLine({ phase, story, ref }: MigrationView, noun: TaskNoun): string | null {
  const isOff = story?.kind === 'offline';
  switch (phase) {
    case null:
    // The story may be told to its end a moment before the task ends.
    case 'done':
      return null;
    case 'pre-copy':
      return 'starting online/live migration';
    case 'pre-sync':
      return isOff ? null : 'copying local disk images while the guest runs';
    case 'shutdown':
      return isOff ? null : `shutdown ${noun} ${String(ref.vmid)}`;
    case 'final-sync':
      return 'copying local disk images';
    case 'start':
      return isOff ? null : `start ${noun === 'CT' ? 'container' : 'VM'} on target node`;
    default:
      return `phase: ${phase}`;
  }
}
