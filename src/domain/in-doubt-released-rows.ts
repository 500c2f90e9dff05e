/** Rows of the in-doubt table after `released`, after the loss of the source copy, and after a take-back. See in-doubt-table.ts. */
import { ANY_BUT_RUNNING, ARMED, BEFORE_GO, NOT_STARTED, NOT_STARTED_OR_SILENT, REVOKED, UNDECIDED, type InDoubtRow } from './in-doubt-row.js';

export const IN_DOUBT_RELEASED_ROWS: readonly InDoubtRow[] = [
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
