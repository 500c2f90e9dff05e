import type { CrashPoint } from '../../src/domain/crash-points.js';

/** Points that only a guest passes that is moved switched off: offline-crash-points.e2e.test.ts has them, crash-points.e2e.test.ts all others. */
export const OFFLINE_CRASH_POINTS = [
  'source.power-down',
  'target.volume-journal',
  'target.publish-volume',
  'target.discard-volumes',
] as const satisfies readonly CrashPoint[];

export function isOfflineCrashPoint(point: CrashPoint): boolean {
  return OFFLINE_CRASH_POINTS.some((known) => known === point);
}
