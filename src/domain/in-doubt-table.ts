/**
 * The in-doubt table as data: rows in order of precedence, the first that matches decides; a column that a row leaves out is "any".
 *
 * Rows that are DESIGN's carry its words as comment (source QEMU | source record | target record | target QEMU).
 * Rows marked "completes" carry a listed decision through its second step, since every step is followed by a new look.
 * The model is generated from this table (`model/generate.ts`), so what is checked there is what runs.
 */
import type { Action } from './decide.js';
import type { AttemptState, SourceRecordState, StreamState, TargetRecordState } from './in-doubt.js';
import type { QemuState, Wanted } from './ownership.js';

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

const ANY_BUT_RUNNING = ['gone', 'unreachable', 'paused', 'pre-switchover', 'device', 'postmigrate', 'inmigrate', 'loaded'] as const;
/** The target's QEMU is certainly not running: states that an unfinished or finished load leaves behind, or none. */
const NOT_STARTED = ['gone', 'paused', 'inmigrate', 'loaded'] as const;
/** As above, or the monitor is silent while the node answers: its record shows that go never arrived. */
const NOT_STARTED_OR_SILENT = [...NOT_STARTED, 'unreachable'] as const;
const NOT_OWNED = ['none', 'incoming', 'armed', 'armed-old-boot', 'revoked-ran-no', 'revoked-ran-maybe', 'foreign', 'unreadable', 'unknown', 'fenced'] as const;
const REVOKED = ['revoked-ran-no', 'revoked-ran-maybe'] as const;
const ARMED = ['armed', 'armed-old-boot'] as const;
const UNDECIDED = ['incoming', ...ARMED] as const;
/** Before `released` no go was ever sent. */
const BEFORE_GO = ['owned-claimed', 'releasing'] as const;

export const IN_DOUBT_TABLE: readonly InDoubtRow[] = [
  // ── The invariant is broken ──────────────────────────────────────────────────────────────────────────────────────
  // running | any | armed, owned, revoked | running → alarm; stop only a certain non-owner; keep the evidence
  {
    id: 'two-runners-target-owns',
    because: 'Both copies run and the source has released the guest to the target, which owns it',
    sourceQemu: ['running'],
    sourceRecord: ['released'],
    targetRecord: ['owned'],
    targetQemu: ['running'],
    action: { do: 'alarm', stop: 'source' },
  },
  {
    id: 'two-runners-source-owns',
    because: 'Both copies run and the target was revoked while the source never released the guest',
    sourceQemu: ['running'],
    sourceRecord: ['owned-unclaimed', 'owned-claimed', 'releasing', 'taken-back'],
    targetRecord: REVOKED,
    targetQemu: ['running'],
    action: { do: 'alarm', stop: 'target' },
  },
  {
    id: 'two-runners',
    because: 'Both copies run and no record proves which one must not',
    sourceQemu: ['running'],
    targetQemu: ['running'],
    action: { do: 'alarm', stop: 'none' },
  },
  {
    id: 'runs-without-permission',
    because: 'The target runs the guest although its record never allowed it',
    targetRecord: ['none', 'incoming', 'armed', 'armed-old-boot', 'revoked-ran-no', 'revoked-ran-maybe'],
    targetQemu: ['running'],
    action: { do: 'alarm', stop: 'none' },
  },
  { id: 'two-owners', because: 'Both nodes own the guest', sourceRecord: ['taken-back'], targetRecord: ['owned'], action: { do: 'alarm', stop: 'none' } },
  {
    id: 'source-not-stopped',
    because: 'The target owns the guest while the source runs it or may resume it by itself',
    sourceQemu: ['running', 'pre-switchover', 'device'],
    targetRecord: ['owned'],
    action: { do: 'alarm', stop: 'none' },
  },

  // ── A revoked copy, and history ──────────────────────────────────────────────────────────────────────────────────
  // any | any | revoked | inmigrate, loaded → the target kills its own copy, alone
  {
    id: 'revoked-copy',
    because: 'The target was revoked and still has a copy',
    targetRecord: REVOKED,
    targetQemu: ['inmigrate', 'loaded', 'paused'],
    action: { do: 'kill-target-copy' },
  },
  // Completes the roll-back of a migration whose target was out of reach until the source had gone on.
  {
    id: 'superseded-leftover',
    because: 'The source went on under a later generation; what the target still holds can never be told to go',
    sourceRecord: ['later'],
    targetRecord: UNDECIDED,
    targetQemu: NOT_STARTED_OR_SILENT,
    action: { do: 'revoke-target' },
  },
  { id: 'superseded-source', because: 'The source went on under a later generation', sourceRecord: ['later'], action: { do: 'superseded' } },
  { id: 'superseded-target', because: 'The target went on under a later generation', targetRecord: ['later'], action: { do: 'superseded' } },

  // ── The target owns the guest ────────────────────────────────────────────────────────────────────────────────────
  // any but running | any | owned | paused, wanted running → `cont` on the target
  {
    id: 'owned-not-resumed',
    because: 'The target owns the guest and has not resumed it yet',
    sourceQemu: ANY_BUT_RUNNING,
    targetRecord: ['owned'],
    targetQemu: ['loaded', 'paused'],
    wanted: ['running'],
    action: { do: 'cont-on-target' },
  },
  // Completes the hand-over at the source: before the row below, since nobody would look again after it.
  {
    id: 'owned-source-left',
    because: 'The target has the guest, the source still has its copy or an old record',
    sourceQemu: ['postmigrate', 'paused', 'unreachable'],
    sourceRecord: [...BEFORE_GO, 'released'],
    targetRecord: ['owned'],
    targetQemu: ['running', 'loaded', 'paused', 'gone'],
    action: { do: 'release-source' },
  },
  {
    id: 'owned-source-record-left',
    because: 'The target has the guest, the source has only an old record',
    sourceQemu: ['gone'],
    sourceRecord: BEFORE_GO,
    targetRecord: ['owned'],
    targetQemu: ['running', 'loaded', 'paused', 'gone'],
    action: { do: 'release-source' },
  },
  // any but running | any | owned | gone → the target's guest crashed or shut down: its policy; the source never runs it
  {
    id: 'owned-ended',
    because: 'The guest ended after the target took it over',
    sourceQemu: ANY_BUT_RUNNING,
    targetRecord: ['owned'],
    targetQemu: ['gone'],
    wanted: ['running', 'paused'],
    action: { do: 'guest-ended-on-target' },
  },
  {
    id: 'owned-settled',
    because: 'The target owns the guest and has it as wanted',
    sourceQemu: ['gone'],
    sourceRecord: ['released', 'missing', 'unreadable', 'fenced'],
    targetRecord: ['owned'],
    targetQemu: ['running', 'loaded', 'paused', 'gone'],
    action: { do: 'settled', at: 'target' },
  },
  {
    id: 'owned-source-silent',
    because: 'The target owns the guest and has it as wanted; the source releases its part when it answers again',
    sourceQemu: ['unreachable'],
    sourceRecord: ['unknown'],
    targetRecord: ['owned'],
    targetQemu: ['running', 'loaded', 'paused', 'gone'],
    action: { do: 'settled', at: 'target' },
  },
  {
    id: 'owned-unclear',
    because: 'The target owns the guest, its state cannot be read or does not fit',
    targetRecord: ['owned'],
    action: { do: 'needs-evidence' },
  },

  // ── The source still sends ───────────────────────────────────────────────────────────────────────────────────────
  // device | any | any | any → wait; frozen longer than T: OOB `yank`; read again
  { id: 'device-frozen', because: 'The final pass stands still for too long', sourceQemu: ['device'], frozen: true, action: { do: 'yank' } },
  { id: 'device', because: 'The final pass is under way', sourceQemu: ['device'], action: { do: 'wait' } },

  // any | missing, unreadable | any | any → unknown: never "may run", never "never ran"
  {
    id: 'source-record-unknown',
    because: "The source's record is not known: it neither allows nor excludes that the guest ran",
    sourceRecord: ['missing', 'unreadable', 'unknown', 'foreign'],
    action: { do: 'needs-evidence' },
  },

  // ── The source was fenced ────────────────────────────────────────────────────────────────────────────────────────
  // fenced | ? | incoming, armed | any but running → target `owned(g+2)`, start from disk (local disks: needs-operator)
  {
    id: 'source-fenced',
    because: 'The source is proven off; it may have resumed by itself and written, so the loaded copy is not used',
    sourceQemu: ['gone'],
    sourceRecord: ['fenced'],
    targetRecord: UNDECIDED,
    targetQemu: NOT_STARTED,
    sharedDisks: true,
    action: { do: 'take-over-on-target', memoryLost: true },
  },
  {
    id: 'source-fenced-local-disks',
    because: "The source is proven off and the guest's newest disks may be on it",
    sourceQemu: ['gone'],
    sourceRecord: ['fenced'],
    targetRecord: UNDECIDED,
    targetQemu: NOT_STARTED,
    sharedDisks: false,
    action: { do: 'needs-operator' },
  },
  {
    id: 'source-fenced-unclear',
    because: 'The source is proven off, and the target has nothing of this migration that could go on',
    sourceRecord: ['fenced'],
    action: { do: 'needs-evidence' },
  },

  // pre-switchover | owned, releasing | any | inmigrate, gone → continue if the target answers and the deadline holds, else `migrate_cancel`; read again
  {
    id: 'pre-switchover',
    because: 'The guest stands before the final pass, the target is ready and there is time',
    sourceQemu: ['pre-switchover'],
    sourceRecord: BEFORE_GO,
    targetRecord: ['incoming', 'armed'],
    targetQemu: ['inmigrate'],
    attempt: ['open'],
    action: { do: 'continue' },
  },
  {
    id: 'pre-switchover-silent',
    because: 'The guest stands before the final pass and the target does not answer yet',
    sourceQemu: ['pre-switchover'],
    sourceRecord: BEFORE_GO,
    targetQemu: ['unreachable'],
    attempt: ['open'],
    action: { do: 'wait' },
  },
  {
    id: 'pre-switchover-over',
    because: 'The guest stands before the final pass and cannot go on to the target',
    sourceQemu: ['pre-switchover'],
    sourceRecord: [...BEFORE_GO, 'taken-back'],
    action: { do: 'cancel-stream' },
  },

  // ── The source runs, or is paused as wanted ──────────────────────────────────────────────────────────────────────
  // Not in doubt: the copy is under way or not begun, its workflow goes on.
  {
    id: 'copying',
    because: 'The copy is under way or about to begin',
    sourceQemu: ['running', 'paused'],
    sourceRecord: ['owned-claimed'],
    attempt: ['open'],
    stream: ['none', 'active'],
    action: { do: 'continue' },
  },
  {
    id: 'copying-over',
    because: 'The attempt is over and its stream still runs',
    sourceQemu: ['running', 'paused'],
    sourceRecord: [...BEFORE_GO, 'taken-back'],
    stream: ['active'],
    action: { do: 'cancel-stream' },
  },
  // running (failed, cancelled) | owned, releasing | any but owned | not running, or unreachable → keep running, `owned(g+2)`; never go; revoke now or before the next try
  {
    id: 'source-runs',
    because: 'The source has the guest again; what the target loaded is stale',
    sourceQemu: ['running', 'paused'],
    sourceRecord: BEFORE_GO,
    targetRecord: NOT_OWNED,
    targetQemu: ANY_BUT_RUNNING,
    action: { do: 'keep-on-source' },
  },

  // ── The source gave everything, nobody was told to go ────────────────────────────────────────────────────────────
  // postmigrate | owned (claimed), releasing | incoming, armed | loaded → finish the records, arm, go; or take back and revoke
  {
    id: 'both-complete',
    because: 'Both sides hold the complete guest and there is time to finish',
    sourceQemu: ['postmigrate'],
    sourceRecord: BEFORE_GO,
    targetRecord: ['incoming', 'armed'],
    targetQemu: ['loaded'],
    attempt: ['open'],
    action: { do: 'hand-over' },
  },
  // The source hears of the complete load a moment before the target's run state shows it.
  {
    id: 'target-about-to-be-loaded',
    because: 'The source saw the load complete, the target is about to show it',
    sourceQemu: ['postmigrate'],
    sourceRecord: BEFORE_GO,
    targetRecord: ['incoming', 'armed'],
    targetQemu: ['inmigrate'],
    attempt: ['open'],
    action: { do: 'wait' },
  },
  // postmigrate | releasing | any but owned | gone, unreachable → take back: `owned(g+2)`, `cont`
  // any but running | releasing | revoked | gone → finish the roll-back: `owned(g+2)`, `cont`
  // not gone | releasing | fenced | gone → take back
  {
    id: 'take-back',
    because: 'Go was never sent and the target cannot or shall not go on',
    sourceQemu: ['postmigrate'],
    sourceRecord: BEFORE_GO,
    targetRecord: NOT_OWNED,
    targetQemu: NOT_STARTED_OR_SILENT,
    action: { do: 'take-back' },
  },

  // ── The source released the guest: only the target's answer decides ──────────────────────────────────────────────
  // postmigrate | released | armed | loaded → go again;  gone | released | armed | loaded → go
  {
    id: 'go-again',
    because: 'The source released the guest, the target is armed and complete',
    sourceQemu: ['postmigrate', 'gone'],
    sourceRecord: ['released'],
    targetRecord: ['armed'],
    targetQemu: ['loaded'],
    action: { do: 'go' },
  },
  {
    id: 'go-when-loaded',
    because: 'The source saw the load complete, the target is about to show it',
    sourceQemu: ['postmigrate'],
    sourceRecord: ['released'],
    targetRecord: ['armed'],
    targetQemu: ['inmigrate'],
    action: { do: 'wait' },
  },
  // postmigrate | released | armed | gone → revoke (its answer says whether the target ran)
  {
    id: 'released-target-died',
    because: 'The source released the guest and the armed target died: only its answer to a revocation tells whether it ran',
    sourceQemu: ['postmigrate'],
    sourceRecord: ['released'],
    targetRecord: ARMED,
    targetQemu: ['gone'],
    action: { do: 'revoke-target' },
  },
  // … `ran: no` → `owned(g+2)`, `cont`
  {
    id: 'released-never-ran',
    because: 'The target was revoked and never ran: the memory at the source is the newest',
    sourceQemu: ['postmigrate', 'paused'],
    sourceRecord: ['released'],
    targetRecord: ['revoked-ran-no'],
    targetQemu: ['gone'],
    action: { do: 'take-back' },
  },
  // … `maybe` → quit the source, start from disk (local disks: on the target)
  {
    id: 'released-maybe-ran',
    because: 'The target was revoked and may have run: the memory at the source is stale',
    sourceQemu: ['postmigrate', 'paused'],
    sourceRecord: ['released'],
    targetRecord: ['revoked-ran-maybe'],
    targetQemu: ['gone'],
    sharedDisks: true,
    action: { do: 'start-from-disk-on-source', memoryLost: true },
  },
  {
    id: 'released-maybe-ran-local-disks',
    because: 'The target was revoked and may have run: the newest disks are there',
    sourceQemu: ['postmigrate', 'paused', 'gone'],
    sourceRecord: ['released'],
    targetRecord: ['revoked-ran-maybe'],
    targetQemu: ['gone'],
    sharedDisks: false,
    action: { do: 'take-over-on-target', memoryLost: true },
  },
  // gone | released | armed | gone → target `owned`, start from disk on the target
  {
    id: 'released-both-gone',
    because: 'The guest was released to the target and no copy of its memory is left',
    sourceQemu: ['gone'],
    sourceRecord: ['released'],
    targetRecord: ARMED,
    targetQemu: ['gone'],
    action: { do: 'start-from-disk-on-target', memoryLost: true },
  },
  // postmigrate, gone | released | fenced | gone → source `owned(g+2)`, start from disk (local disks: needs-operator)
  // The same holds before go was sent when the source's own copy is gone: a power cut may have undone the rename of `released`.
  {
    id: 'target-fenced',
    because: 'The target is proven off and may have run',
    sourceQemu: ['postmigrate', 'gone'],
    sourceRecord: ['released'],
    targetRecord: ['fenced'],
    targetQemu: ['gone'],
    sharedDisks: true,
    action: { do: 'start-from-disk-on-source', memoryLost: true },
  },
  {
    id: 'target-fenced-source-gone',
    because: 'The target is proven off and the memory at the source is lost',
    sourceQemu: ['gone'],
    sourceRecord: BEFORE_GO,
    targetRecord: ['fenced'],
    targetQemu: ['gone'],
    sharedDisks: true,
    action: { do: 'start-from-disk-on-source', memoryLost: true },
  },
  {
    id: 'target-fenced-local-disks',
    because: "The target is proven off and the guest's newest disks may be on it",
    sourceQemu: ['postmigrate', 'gone'],
    sourceRecord: [...BEFORE_GO, 'released'],
    targetRecord: ['fenced'],
    targetQemu: ['gone'],
    sharedDisks: false,
    action: { do: 'needs-operator' },
  },

  // ── The source's copy is gone ────────────────────────────────────────────────────────────────────────────────────
  // gone | owned (claimed), releasing | incoming, armed | any but running → revoke, `owned(g+2)`, start from disk on the source, "memory lost"
  {
    id: 'source-died',
    because: 'The source died and may have run after the stop: what the target holds may be stale',
    sourceQemu: ['gone'],
    sourceRecord: BEFORE_GO,
    targetRecord: UNDECIDED,
    targetQemu: NOT_STARTED_OR_SILENT,
    action: { do: 'revoke-target' },
  },
  {
    id: 'source-died-before-prepare',
    because: 'The guest died before the target was prepared; a tombstone stops a late preparation',
    sourceQemu: ['gone'],
    sourceRecord: ['owned-claimed'],
    targetRecord: ['none'],
    targetQemu: NOT_STARTED,
    action: { do: 'revoke-target' },
  },
  // A power cut may have undone the rename of `released`: with copied disks the target's may be the newest.
  {
    id: 'source-died-local-disks',
    because: 'The memory is lost and both nodes may hold the newest disks',
    sourceQemu: ['gone'],
    sourceRecord: ['releasing'],
    targetRecord: ['revoked-ran-maybe'],
    targetQemu: ['gone'],
    sharedDisks: false,
    action: { do: 'needs-operator' },
  },
  // any but running | releasing, released | revoked | gone → finish the roll-back: `owned(g+2)`; … else start from disk
  {
    id: 'source-died-revoked',
    because: 'The target was revoked and the memory at the source is lost',
    sourceQemu: ['gone'],
    sourceRecord: [...BEFORE_GO, 'released'],
    targetRecord: REVOKED,
    targetQemu: ['gone'],
    action: { do: 'start-from-disk-on-source', memoryLost: true },
  },

  // ── The source took the guest back ───────────────────────────────────────────────────────────────────────────────
  // postmigrate | owned(g+2) | revoked, old armed | any but running → `cont`
  {
    id: 'taken-back',
    because: 'The source owns the guest again and has not resumed it yet',
    sourceQemu: ['postmigrate', 'paused'],
    sourceRecord: ['taken-back'],
    targetQemu: ANY_BUT_RUNNING,
    wanted: ['running'],
    action: { do: 'cont-on-source' },
  },
  // Completes "revoke now or before the next try". Before a start from disk, which is slow anyway: else the leftover outlives a guest that ends.
  {
    id: 'taken-back-leftover',
    because: 'The source has the guest; what the target still holds can never be told to go',
    sourceQemu: ['running', 'paused', 'gone', 'postmigrate'],
    sourceRecord: ['taken-back'],
    targetRecord: UNDECIDED,
    targetQemu: NOT_STARTED_OR_SILENT,
    action: { do: 'revoke-target' },
  },
  // Completes "start from disk on the source".
  {
    id: 'taken-back-not-started',
    because: 'The source owns the guest again and has no copy of its memory',
    sourceQemu: ['gone'],
    sourceRecord: ['taken-back'],
    targetQemu: ANY_BUT_RUNNING,
    wanted: ['running', 'paused'],
    action: { do: 'start-from-disk-on-source', memoryLost: true },
  },
  {
    id: 'taken-back-settled',
    because: 'The source owns the guest and has it as wanted',
    sourceQemu: ['running', 'paused', 'postmigrate', 'gone'],
    sourceRecord: ['taken-back'],
    action: { do: 'settled', at: 'source' },
  },

  // ── No migration ─────────────────────────────────────────────────────────────────────────────────────────────────
  {
    id: 'not-claimed',
    because: 'The source owns the guest and no migration claims it',
    sourceQemu: ['running', 'paused', 'gone'],
    sourceRecord: ['owned-unclaimed'],
    targetRecord: ['none', ...REVOKED, 'unknown'],
    targetQemu: ['gone', 'unreachable'],
    action: { do: 'settled', at: 'source' },
  },
];
