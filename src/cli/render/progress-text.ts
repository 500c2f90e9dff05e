import type { MigrationView } from '../../client/migration-view.js';
import { formatBytes } from '../../domain/format-bytes.js';
import { formatDuration } from '../../domain/format-duration.js';
import type { CopyProgress } from '../../domain/migration.js';
import { repeatedCalls } from './repeated-calls.js';

/** One line on how far a migration is: phase, round, bytes, rates, expected blackout, time to the switchover. */
export function progressText(view: MigrationView): string {
  const { phase, progress, storyIsFresh } = view;
  const parts = [phase ?? 'starting', ...(progress === null ? [] : copyTexts(progress)), ...repeatedCalls(view)];
  if (!storyIsFresh) parts.push('no control worker answers');
  if (phase === 'needs-operator') parts.push(`see kedge migration show ${view.story?.id ?? String(view.ref.vmid)}`);
  return parts.join(' · ');
}

function copyTexts(progress: CopyProgress): readonly string[] {
  return [
    `round ${String(progress.round)}`,
    `${formatBytes(progress.bytesSent)} sent, ${formatBytes(progress.bytesLeft)} left of ${formatBytes(progress.bytesTotal)}`,
    `${formatBytes(progress.rate)}/s`,
    `dirty ${formatBytes(progress.dirtyRate)}/s`,
    `blackout ~${formatDuration(progress.expectedBlackoutMs)}`,
    `ETA ${progress.etaSeconds === null ? '?' : formatDuration(progress.etaSeconds * 1_000)}`,
    ...(progress.reattached > 0 ? [`re-attached ${String(progress.reattached)}×`] : []),
  ];
}
