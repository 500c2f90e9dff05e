/** Rows of the in-doubt table for a broken invariant, a revoked copy, and a target that owns the guest. See in-doubt-table.ts. */
import { ANY_BUT_RUNNING, BEFORE_GO, NOT_STARTED_OR_SILENT, REVOKED, UNDECIDED, type InDoubtRow } from './in-doubt-row.js';

export const IN_DOUBT_OWNED_ROWS: readonly InDoubtRow[] = [
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
];
