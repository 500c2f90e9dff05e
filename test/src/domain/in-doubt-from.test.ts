import { describe, expect, it } from 'vitest';
import { laterGeneration, migrationIdOf, parseGeneration, parseNodeName, parseVmid } from '../../../src/domain/ids.js';
import { inDoubtFrom, type SideView } from '../../../src/domain/in-doubt-from.js';
import type { GuestView, OwnershipRecord, QemuState } from '../../../src/domain/ownership.js';

const vmid = parseVmid(101);
const [node1, node2] = [parseNodeName('node1'), parseNodeName('node2')];
const g = parseGeneration(5);
const issued = laterGeneration(g, 1);
const migration = { generation: issued, migrationId: migrationIdOf(vmid, issued) };
const circumstances = { attempt: 'open', stream: 'none', frozen: false, sharedDisks: true } as const;
const base = { vmid, kind: 'qemu', wanted: 'running', bootId: 'boot-1' } as const;
const claim = { migrationId: migration.migrationId, peer: node2 };

function side(record: OwnershipRecord | null, qemu: QemuState = 'gone', bootId = 'boot-1'): GuestView {
  return { node: node1, bootId, record: record === null ? { kind: 'missing' } : { kind: 'record', record }, qemu };
}

const seen = (source: SideView, target: SideView) => inDoubtFrom({ source, target, migration, circumstances });
const sourceRecordOf = (record: OwnershipRecord | null) => seen(side(record), 'unreachable').sourceRecord;
const targetRecordOf = (record: OwnershipRecord | null, bootId = 'boot-1') => seen('unreachable', side(record, 'gone', bootId)).targetRecord;

describe('inDoubtFrom', () => {
  it('knows the records that this migration writes on the source', () => {
    expect(sourceRecordOf({ ...base, generation: g, state: 'owned' })).toBe('owned-unclaimed');
    expect(sourceRecordOf({ ...base, ...claim, generation: g, state: 'owned' })).toBe('owned-claimed');
    expect(sourceRecordOf({ ...base, ...claim, generation: g, state: 'releasing' })).toBe('releasing');
    expect(sourceRecordOf({ ...base, ...claim, generation: g, state: 'released' })).toBe('released');
    expect(sourceRecordOf({ ...base, generation: laterGeneration(issued, 1), state: 'owned' })).toBe('taken-back');
  });

  it('calls a source record that went on under a later migration history', () => {
    const next = migrationIdOf(vmid, laterGeneration(issued, 2));
    expect(sourceRecordOf({ ...base, migrationId: next, peer: node2, generation: laterGeneration(issued, 1), state: 'owned' })).toBe('later');
    expect(sourceRecordOf({ ...base, generation: laterGeneration(issued, 2), state: 'owned' })).toBe('later');
  });

  it('does not take the claim of another migration for its own', () => {
    const other = migrationIdOf(vmid, laterGeneration(issued, 2));
    expect(sourceRecordOf({ ...base, migrationId: other, peer: node2, generation: g, state: 'owned' })).toBe('foreign');
    expect(targetRecordOf({ ...base, migrationId: other, peer: node1, generation: issued, state: 'armed' })).toBe('foreign');
  });

  it('keeps missing and unreadable records of the source apart from all others', () => {
    expect(sourceRecordOf(null)).toBe('missing');
    expect(seen({ ...side(null), record: { kind: 'unreadable', reason: 'Cannot parse' } }, 'unreachable').sourceRecord).toBe('unreadable');
  });

  it('tells an armed record of this boot from one of an earlier boot', () => {
    const armed: OwnershipRecord = { ...base, ...claim, generation: issued, state: 'armed' };
    expect(targetRecordOf(armed)).toBe('armed');
    expect(targetRecordOf(armed, 'boot-2')).toBe('armed-old-boot');
  });

  it('knows the owner that a take-over by the target made, under a generation that no roll-back uses', () => {
    expect(targetRecordOf({ ...base, generation: laterGeneration(issued, 2), state: 'owned' })).toBe('owned');
    expect(targetRecordOf({ ...base, generation: laterGeneration(laterGeneration(issued, 2), 1), state: 'owned' })).toBe('later');
  });

  it('reads what a revoked target stored, not when it is asked', () => {
    expect(targetRecordOf({ ...base, ...claim, generation: issued, state: 'revoked', ran: 'no' }, 'boot-2')).toBe('revoked-ran-no');
    expect(targetRecordOf({ ...base, ...claim, generation: issued, state: 'revoked', ran: 'maybe' })).toBe('revoked-ran-maybe');
  });

  it('sees nothing in the tombstones of older generations, but a contradiction in an older owner', () => {
    expect(targetRecordOf(null)).toBe('none');
    expect(targetRecordOf({ ...base, ...claim, generation: g, state: 'released' })).toBe('none');
    expect(targetRecordOf({ ...base, ...claim, generation: g, state: 'revoked', ran: 'no' })).toBe('none');
    expect(targetRecordOf({ ...base, generation: g, state: 'owned' })).toBe('foreign');
  });

  it('sees the owner on the target after success and after a take-over, until the next migration claims it', () => {
    expect(targetRecordOf({ ...base, generation: issued, state: 'owned' })).toBe('owned');
    expect(targetRecordOf({ ...base, generation: laterGeneration(issued, 1), state: 'owned' })).toBe('owned');
    const next = migrationIdOf(vmid, laterGeneration(issued, 1));
    expect(targetRecordOf({ ...base, migrationId: next, peer: node1, generation: issued, state: 'owned' })).toBe('later');
  });

  it('takes a paused source with a sticky completed status for paused, not for loaded', () => {
    expect(seen(side(null, 'loaded'), 'unreachable').sourceQemu).toBe('paused');
    expect(seen('unreachable', side(null, 'loaded')).targetQemu).toBe('loaded');
  });

  it('lets a fenced node run nothing and say nothing', () => {
    expect(seen('fenced', 'unreachable')).toMatchObject({ sourceQemu: 'gone', sourceRecord: 'fenced', targetQemu: 'unreachable', targetRecord: 'unknown' });
  });

  it("follows the owner's wish, and wants nothing started when nobody can say", () => {
    const source = side({ ...base, ...claim, generation: g, state: 'released' });
    expect(seen(source, side({ ...base, generation: issued, state: 'owned', wanted: 'paused' })).wanted).toBe('paused');
    expect(seen(source, side({ ...base, ...claim, generation: issued, state: 'armed', wanted: 'paused' })).wanted).toBe('running');
    expect(seen('unreachable', 'unreachable').wanted).toBe('stopped');
  });
});
