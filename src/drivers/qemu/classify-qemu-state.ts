import type { QemuState } from '../../domain/ownership.js';
import type { MigrationStatus } from './migration-info.js';

/** RunState of QEMU's schema (7.2 to 10); `other`: a newer QEMU's word. */
export const RUN_STATES = [
  'debug',
  'inmigrate',
  'internal-error',
  'io-error',
  'paused',
  'postmigrate',
  'prelaunch',
  'finish-migrate',
  'restore-vm',
  'running',
  'save-vm',
  'shutdown',
  'suspended',
  'watchdog',
  'guest-panicked',
  'colo',
  'other',
] as const;
export type RunState = (typeof RUN_STATES)[number];

/** Which end of a migration the process is: `target` until its record is `owned`, else `source`. */
export type MigrationSide = 'source' | 'target';

export interface QemuLook {
  readonly runState: RunState;
  readonly status: MigrationStatus;
  readonly side: MigrationSide;
}

/**
 * Puts runstate, migration status and side together into the state that the in-doubt table knows.
 * Total: what QEMU may report in no known situation becomes the state that allows least.
 */
export function classifyQemuState(look: QemuLook): Exclude<QemuState, 'gone' | 'unreachable'> {
  switch (look.runState) {
    case 'running':
    // A guest in S3 wakes up by itself; a word that we don't know may mean a running vCPU.
    case 'suspended':
    case 'colo':
    case 'other':
      return 'running';
    case 'inmigrate':
      return 'inmigrate';
    case 'finish-migrate':
      // Between the stop and `pre-switchover`, and after a cancel, the status is another for a moment: `device` means "wait, look again".
      return look.status === 'pre-switchover' ? 'pre-switchover' : 'device';
    case 'postmigrate':
      // A paused guest whose migration failed ends here too (migration_iteration_finish): it was not handed over.
      return look.status === 'completed' ? 'postmigrate' : 'paused';
    // QEMU carries the reason of a stop over to the target: a guest that stood with an I/O error arrives with it.
    case 'paused':
    case 'debug':
    case 'internal-error':
    case 'io-error':
    case 'prelaunch':
    case 'restore-vm':
    case 'save-vm':
    case 'shutdown':
    case 'watchdog':
    case 'guest-panicked':
      return look.side === 'target' && look.status === 'completed' ? 'loaded' : 'paused';
  }
}
