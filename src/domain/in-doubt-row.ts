/** One row of the in-doubt table, and the sets of states that its columns are made of. */
import type { Action } from './decide.js';
import type { AttemptState, SourceRecordState, StreamState, TargetRecordState } from './in-doubt.js';
import type { QemuState, Wanted } from './ownership.js';

/** A column that is left out is "any". `because` is what people read in the story of a migration. */
export interface InDoubtRow {
  readonly id: string;
  readonly because: string;
  readonly sourceQemu?: readonly QemuState[];
  readonly sourceRecord?: readonly SourceRecordState[];
  readonly targetRecord?: readonly TargetRecordState[];
  readonly targetQemu?: readonly QemuState[];
  readonly wanted?: readonly Wanted[];
  readonly attempt?: readonly AttemptState[];
  readonly stream?: readonly StreamState[];
  readonly frozen?: boolean;
  readonly sharedDisks?: boolean;
  readonly action: Action;
}

export const ANY_BUT_RUNNING = ['gone', 'unreachable', 'paused', 'pre-switchover', 'device', 'postmigrate', 'inmigrate', 'loaded'] as const;

/** The target's QEMU is certainly not running: states that an unfinished or finished load leaves behind, or none. */
export const NOT_STARTED = ['gone', 'paused', 'inmigrate', 'loaded'] as const;

/** As above, or the monitor is silent while the node answers: its record shows that go never arrived. */
export const NOT_STARTED_OR_SILENT = [...NOT_STARTED, 'unreachable'] as const;

export const NOT_OWNED = [
  'none',
  'incoming',
  'armed',
  'armed-old-boot',
  'revoked-ran-no',
  'revoked-ran-maybe',
  'foreign',
  'unreadable',
  'unknown',
  'fenced',
] as const;
export const REVOKED = ['revoked-ran-no', 'revoked-ran-maybe'] as const;
export const ARMED = ['armed', 'armed-old-boot'] as const;
export const UNDECIDED = ['incoming', ...ARMED] as const;

/** Before `released` no go was ever sent. */
export const BEFORE_GO = ['owned-claimed', 'releasing'] as const;
