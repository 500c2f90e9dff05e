/**
 * What is known of one migration when its end is in doubt, in the words of DESIGN's in-doubt table.
 *
 * `g` is the generation under which the source owned the guest; the migration's own generation is g+1 and goes to the
 * target on success; a roll-back writes g+2, a take-over by the target g+3. The classification of raw records is in `in-doubt-from.ts`,
 * the decisions are in `in-doubt-table.ts`.
 */
import { QEMU_STATES, WANTED_STATES, type QemuState, type Wanted } from './ownership.js';

/**
 * The source's record, seen from this migration:
 * - `owned-unclaimed`, `owned-claimed`: `owned(g)`; claimed by this migration
 * - `releasing`, `released`: `(g)`, written by this migration
 * - `taken-back`: `owned(g+2)`
 * - `later`: the guest went on under a greater generation or another migration; this one is history
 * - `foreign`: a record that this migration cannot have met
 * - `unknown`: the node does not answer; `fenced`: the node is proven off, its record cannot be read
 */
export const SOURCE_RECORD_STATES = [
  'owned-unclaimed',
  'owned-claimed',
  'releasing',
  'released',
  'taken-back',
  'later',
  'foreign',
  'missing',
  'unreadable',
  'unknown',
  'fenced',
] as const;
export type SourceRecordState = (typeof SOURCE_RECORD_STATES)[number];

/**
 * The target's record, seen from this migration:
 * - `none`: no record, or the tombstone of an older generation
 * - `armed-old-boot`: `armed(g+1)` written in another boot: it may have been `owned` and the rename lost with the power
 * - `owned`: `owned(g+1)`, or `owned(g+3)` of a take-over
 * - the rest as for the source
 */
export const TARGET_RECORD_STATES = [
  'none',
  'incoming',
  'armed',
  'armed-old-boot',
  'owned',
  'revoked-ran-no',
  'revoked-ran-maybe',
  'later',
  'foreign',
  'unreadable',
  'unknown',
  'fenced',
] as const;
export type TargetRecordState = (typeof TARGET_RECORD_STATES)[number];

/** May the attempt still go on? `over`: its deadline passed, a cancel was accepted, or its workflow rolls back. */
export const ATTEMPT_STATES = ['open', 'over'] as const;
export type AttemptState = (typeof ATTEMPT_STATES)[number];

/** The source's outgoing RAM stream of this attempt (never judged by a sticky status of an older one). */
export const STREAM_STATES = ['none', 'active', 'ended'] as const;
export type StreamState = (typeof STREAM_STATES)[number];

/** What the two records cannot tell, and the caller must. */
export interface Circumstances {
  readonly attempt: AttemptState;
  readonly stream: StreamState;
  /** The source stands in `device` without progress for longer than the configured patience. */
  readonly frozen: boolean;
  /** Both nodes reach the same disks; false: each has copies of its own. */
  readonly sharedDisks: boolean;
}

/** One moment of one migration, complete enough to decide. */
export interface InDoubt extends Circumstances {
  readonly sourceQemu: QemuState;
  readonly sourceRecord: SourceRecordState;
  readonly targetRecord: TargetRecordState;
  readonly targetQemu: QemuState;
  readonly wanted: Wanted;
}

/** Every value of every field, for the enumeration in tests and for the generator of the model. */
export const IN_DOUBT_DOMAIN = {
  sourceQemu: QEMU_STATES,
  sourceRecord: SOURCE_RECORD_STATES,
  targetRecord: TARGET_RECORD_STATES,
  targetQemu: QEMU_STATES,
  wanted: WANTED_STATES,
  attempt: ATTEMPT_STATES,
  stream: STREAM_STATES,
  frozen: [false, true],
  sharedDisks: [false, true],
} as const satisfies { readonly [Field in keyof InDoubt]: readonly InDoubt[Field][] };
