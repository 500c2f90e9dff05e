/** Rows of the in-doubt table for a source that still sends, was fenced, runs, or gave everything and told nobody. See in-doubt-table.ts. */
import { ANY_BUT_RUNNING, BEFORE_GO, NOT_OWNED, NOT_STARTED, NOT_STARTED_OR_SILENT, UNDECIDED, type InDoubtRow } from './in-doubt-row.js';

export const IN_DOUBT_SOURCE_ROWS: readonly InDoubtRow[] = [
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
  // fenced | ? | incoming, armed | any but running → target `owned(g+3)`, start from disk (local disks: needs-operator)
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
];
