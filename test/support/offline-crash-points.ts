import type { CrashPoint } from '../../src/domain/crash-points.js';

/** Of the points that only a guest passes that is moved switched off, those where its disks hang on them: each alone in offline-crash-points.e2e.test.ts. */
export const OFFLINE_CRASH_POINTS = [
  'source.power-down',
  'target.volume-journal',
  'target.publish-volume',
  'target.discard-volumes',
] as const satisfies readonly CrashPoint[];
