import { forecastMigration, type Forecast } from '../forecast.js';
import { DEFAULT_MIGRATION_OPTIONS, DEFAULT_MAX_DOWNTIME_MS, type MigrationOptions } from '../migration.js';
import type { PlannedMove } from '../plan/plan.js';
import type { SnapshotGuest } from '../plan/snapshot.js';

/** How long a move is expected to take at most, milliseconds: that of a busy machine. */
export function expectedMs(move: Pick<PlannedMove, 'way' | 'bytes'>, guest: SnapshotGuest, typed: Partial<MigrationOptions>): number {
  const { durationMs } = forecastMove(move, guest, typed);
  return durationMs.most ?? durationMs.least;
}

/** The migration's own forecast, from what a snapshot knows. Nobody has measured the link. */
export function forecastMove(move: Pick<PlannedMove, 'way' | 'bytes'>, guest: SnapshotGuest, typed: Partial<MigrationOptions>): Forecast {
  const options: MigrationOptions = { ...DEFAULT_MIGRATION_OPTIONS, ...typed };
  return forecastMigration({
    kind: move.way,
    memoryBytes: guest.memoryBytes,
    touchedBytes: null,
    volumes: [{ volumeId: '', storage: '', format: 'raw', virtualBytes: move.bytes, allocatedBytes: move.way === 'live' ? 0 : move.bytes }],
    link: null,
    options,
    limits: { bandwidthLimit: options.bandwidthLimit ?? 0, maxDowntimeMs: options.maxDowntimeMs ?? DEFAULT_MAX_DOWNTIME_MS },
  });
}
