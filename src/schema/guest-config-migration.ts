import type { GuestConfig } from './guest-config.js';
import { fail, readInteger, type ConfigEntries } from './guest-config-values.js';

/** What a VM's config says of its own migration. */
export interface GuestMigrationLimits {
  /** Speed of its RAM stream, MB/s; 0: no limit. */
  readonly migrateSpeedMB: number;
  /** Longest pause, in milliseconds; null: the config does not say. */
  readonly maxDowntimeMs: number | null;
}

/** QEMU's own bounds of downtime-limit; milliseconds. */
const DOWNTIME = { least: 1, most: 2_000_000 };

/** Reads `migrate_speed` and `migrate_downtime` (seconds, fractions too). @throws KedgeError `bad-config` with line and column */
export function readMigrationLimits(config: GuestConfig): GuestMigrationLimits {
  const entries: ConfigEntries = new Map(config.text.entries.map((entry) => [entry.key, entry]));
  return {
    migrateSpeedMB: readInteger(entries, 'migrate_speed', { min: 0, max: 1_000_000_000, absent: 0 }),
    maxDowntimeMs: readDowntime(entries),
  };
}

function readDowntime(entries: ConfigEntries): number | null {
  const entry = entries.get('migrate_downtime');
  if (entry === undefined) return null;
  if (!/^\d+(?:\.\d+)?$/.test(entry.value)) fail(entry, `migrate_downtime is "${entry.value}", must be a number of seconds like 0.1`);
  return Math.min(DOWNTIME.most, Math.max(DOWNTIME.least, Math.round(Number(entry.value) * 1_000)));
}
