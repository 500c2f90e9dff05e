import type { MigrationView } from '../../client/migration-view.js';
import { formatBytes } from '../../domain/format-bytes.js';
import { formatDuration } from '../../domain/format-duration.js';
import type { CopyProgress, MigrationPhase } from '../../domain/migration.js';
import { repeatedCalls } from './repeated-calls.js';

/** Is what is counted in this phase a copy of disks? Else it is RAM. */
export function isOfDisks(phase: MigrationPhase): boolean {
  return phase === 'pre-sync' || phase === 'final-sync' || phase === 'verify';
}

/** One line on how far a migration is: phase, round or pass, bytes, rates; of RAM also the expected blackout and the time to it. */
export function progressText(view: MigrationView): string {
  const { phase, progress, storyIsFresh } = view;
  const parts = [phase ?? 'starting', ...(progress === null ? [] : copyTexts(progress)), ...repeatedCalls(view)];
  if (!storyIsFresh) parts.push('no control worker answers');
  if (phase === 'needs-operator') parts.push(`see kedge migration show ${view.story?.id ?? String(view.ref.vmid)}`);
  return parts.join(' · ');
}

/** How far the copy itself is. */
export function copyTexts(progress: CopyProgress): readonly string[] {
  if (isOfDisks(progress.phase)) return diskTexts(progress);
  return [
    `round ${String(progress.round)}`,
    `${formatBytes(progress.bytesSent)} sent, ${formatBytes(progress.bytesLeft)} left of ${formatBytes(progress.bytesTotal)}`,
    `${formatBytes(progress.rate)}/s`,
    `dirty ${formatBytes(progress.dirtyRate)}/s`,
    `blackout ~${formatDuration(progress.expectedBlackoutMs)}`,
    etaText(progress),
    ...(progress.reattached > 0 ? [`re-attached ${String(progress.reattached)}×`] : []),
  ];
}

/** rsync counts what it has looked at, sent or not; a comparison what it has read on the source. */
function diskTexts(progress: CopyProgress): readonly string[] {
  const compares = progress.phase === 'verify';
  const done = `${formatBytes(progress.bytesSent)} ${compares ? 'compared' : 'done'}, ${formatBytes(progress.bytesLeft)} left of ${formatBytes(progress.bytesTotal)}`;
  const files = progress.files === undefined ? [] : [`${String(progress.files.done)} of ${String(progress.files.total)} files`];
  return [...(compares ? [] : [`pass ${String(progress.round)}`]), done, ...files, `${formatBytes(progress.rate)}/s`, etaText(progress)];
}

function etaText({ etaSeconds }: CopyProgress): string {
  return `ETA ${etaSeconds === null ? '?' : formatDuration(etaSeconds * 1_000)}`;
}
