import { formatBytes } from '../../domain/format-bytes.js';
import { formatDuration } from '../../domain/format-duration.js';
import type { MigrationLook } from '../cluster.js';

/** One line on how far a migration is: phase, round, bytes, rates, expected blackout, time to the switchover. */
export function progressText(look: MigrationLook): string {
  const { progress, story } = look;
  const phase = progress?.phase ?? story?.phase ?? 'waiting for a control worker';
  if (progress === null || look.state === 'ended') return phase;
  return [
    phase,
    `round ${String(progress.round)}`,
    `${formatBytes(progress.bytesSent)} sent, ${formatBytes(progress.bytesLeft)} left of ${formatBytes(progress.bytesTotal)}`,
    `${formatBytes(progress.rate)}/s`,
    `dirty ${formatBytes(progress.dirtyRate)}/s`,
    `blackout ~${formatDuration(progress.expectedBlackoutMs)}`,
    `ETA ${progress.etaSeconds === null ? '?' : formatDuration(progress.etaSeconds * 1_000)}`,
    ...(progress.reattached > 0 ? [`re-attached ${String(progress.reattached)}×`] : []),
  ].join(' · ');
}
