/** Classifies what two nodes say of one guest, relative to one migration, for `decide()`. */
import { assertNever } from './assert-never.js';
import type { Generation, MigrationId } from './ids.js';
import type { Circumstances, InDoubt, SourceRecordState, TargetRecordState } from './in-doubt.js';
import type { GuestView, OwnershipRecord, QemuState, Wanted } from './ownership.js';

/** One side: its answer, or why there is none. `fenced` means proven off: no process there can run. */
export type SideView = GuestView | 'unreachable' | 'fenced';

export interface InDoubtSources {
  readonly source: SideView;
  readonly target: SideView;
  /** The migration in question and its generation (g+1). */
  readonly migration: { readonly migrationId: MigrationId; readonly generation: Generation };
  readonly circumstances: Circumstances;
}

/** Builds the input of `decide()`. Pure; judges no clock and no reachability by itself. */
export function inDoubtFrom({ source, target, migration, circumstances }: InDoubtSources): InDoubt {
  return {
    ...circumstances,
    sourceQemu: sourceQemuOf(source),
    sourceRecord: sourceRecordOf(source, migration),
    targetRecord: targetRecordOf(target, migration),
    targetQemu: qemuOf(target),
    wanted: wantedOf(source, target),
  };
}

function qemuOf(side: SideView): QemuState {
  if (side === 'unreachable') return 'unreachable';
  return side === 'fenced' ? 'gone' : side.qemu;
}

/**
 * A guest that once came here by migration keeps the sticky status `completed`; paused by its operator it reads like
 * a freshly loaded copy. On the source's side that is a paused guest.
 */
function sourceQemuOf(side: SideView): QemuState {
  const state = qemuOf(side);
  return state === 'loaded' ? 'paused' : state;
}

function sourceRecordOf(side: SideView, { migrationId, generation }: InDoubtSources['migration']): SourceRecordState {
  if (side === 'unreachable') return 'unknown';
  if (side === 'fenced') return 'fenced';
  if (side.record.kind !== 'record') return side.record.kind;
  const { record } = side.record;
  if (record.generation > generation + 1) return 'later';
  if (record.generation === generation + 1) return record.state === 'owned' && isFreeOrOf(record, migrationId) ? 'taken-back' : 'later';
  if (record.generation !== generation - 1) return 'foreign';
  switch (record.state) {
    case 'owned':
      if (record.migrationId === undefined) return 'owned-unclaimed';
      return record.migrationId === migrationId ? 'owned-claimed' : 'foreign';
    case 'releasing':
    case 'released':
      return record.migrationId === migrationId ? record.state : 'foreign';
    case 'incoming':
    case 'armed':
    case 'revoked':
      return 'foreign';
    default:
      return assertNever(record);
  }
}

function targetRecordOf(side: SideView, { migrationId, generation }: InDoubtSources['migration']): TargetRecordState {
  if (side === 'unreachable') return 'unknown';
  if (side === 'fenced') return 'fenced';
  if (side.record.kind === 'missing') return 'none';
  if (side.record.kind === 'unreadable') return 'unreadable';
  const { record } = side.record;
  if (record.generation < generation) return mayBeReplaced(record) ? 'none' : 'foreign';
  // A take-over by the target writes g+3.
  if (record.generation > (record.state === 'owned' ? generation + 2 : generation)) return 'later';
  switch (record.state) {
    case 'owned':
      return isFreeOrOf(record, migrationId) ? 'owned' : 'later';
    case 'incoming':
      return record.migrationId === migrationId ? 'incoming' : 'foreign';
    case 'armed':
      if (record.migrationId !== migrationId) return 'foreign';
      return record.bootId === side.bootId ? 'armed' : 'armed-old-boot';
    case 'revoked':
      return record.ran === 'no' ? 'revoked-ran-no' : 'revoked-ran-maybe';
    case 'releasing':
    case 'released':
      return 'later';
    default:
      return assertNever(record);
  }
}

/** What an older attempt left on the target: it yields to a greater generation. An older owner never does. */
function mayBeReplaced(record: OwnershipRecord): boolean {
  return record.state !== 'owned' && record.state !== 'releasing';
}

/** Claimed by another migration means that the guest has already gone on from there. */
function isFreeOrOf(record: OwnershipRecord, migrationId: MigrationId): boolean {
  return record.migrationId === undefined || record.migrationId === migrationId;
}

/** The owner's word counts; an unknown wish is `stopped`, which starts nothing. */
function wantedOf(source: SideView, target: SideView): Wanted {
  const [from, to] = [recordIn(source), recordIn(target)];
  if (from !== null && to !== null) return to.state === 'owned' && to.generation > from.generation ? to.wanted : from.wanted;
  return (to ?? from)?.wanted ?? 'stopped';
}

function recordIn(side: SideView): OwnershipRecord | null {
  if (side === 'unreachable' || side === 'fenced' || side.record.kind !== 'record') return null;
  return side.record.record;
}
