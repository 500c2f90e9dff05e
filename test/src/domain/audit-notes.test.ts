/** What lies beside the disks of guest 101, against what three nodes say of it. */
import { describe, expect, test } from 'vitest';
import { hasDoubtfulNotes } from '../../../src/domain/audit-notes.js';
import { findLeftovers } from '../../../src/domain/audit.js';
import type { AuditedNode, AuditedNote, AuditInput, Leftover } from '../../../src/domain/audit-types.js';
import { migrationIdOf, parseGeneration, parseNodeName, parseVmid, type NodeName } from '../../../src/domain/ids.js';
import type { GuestView, RecordState } from '../../../src/domain/ownership.js';
import { reconcileGuest } from '../../../src/domain/reconcile.js';
import { auditedGuest, emptyNode, auditInput as input } from '../../support/audited.js';

const node1 = parseNodeName('node1');
const node2 = parseNodeName('node2');
const node3 = parseNodeName('node3');
const vmid = parseVmid(101);
const generation = parseGeneration;

const note = (of: NodeName, at: number, changes: Partial<AuditedNote> = {}): AuditedNote => ({
  vmid,
  storage: 'nfs',
  identity: 'one',
  newest: { owner: of, generation: generation(at) },
  kind: 'qemu',
  hasDisks: true,
  unreadable: null,
  ...changes,
});
const seeing = (node: NodeName, notes: readonly AuditedNote[], changes: Partial<AuditedNode> = {}): AuditedNode =>
  emptyNode(node, { notes, storageIdentities: ['one', 'two'], ...changes });
const owner = (node: NodeName, at: number, changes: Partial<AuditedNode> = {}): AuditedNode =>
  seeing(node, [], {
    guests: [auditedGuest({ generation: generation(at) })],
    processes: [{ pid: 1, vmid, command: 'qemu', incoming: false }],
    files: ['qemu-server/101.conf'],
    ...changes,
  });
const tombstone = (node: NodeName, state: 'released' | 'revoked', at: number): GuestView => {
  const base = { vmid, kind: 'qemu', generation: generation(at), wanted: 'running', bootId: 'b', peer: node1 } as const;
  const claimed = { ...base, migrationId: migrationIdOf(vmid, base.generation) };
  return {
    node,
    bootId: 'b',
    qemu: 'gone',
    record: { kind: 'record', record: state === 'revoked' ? { ...claimed, state, ran: 'no' } : { ...claimed, state } },
  };
};
const found = (nodes: readonly AuditedNode[], changes: Partial<AuditInput> = {}): readonly Leftover[] =>
  findLeftovers(input(nodes, changes)).filter(({ kind }) => kind.startsWith('note'));
const kinds = (nodes: readonly AuditedNode[], changes: Partial<AuditInput> = {}) => found(nodes, changes).map(({ kind }) => kind);

describe('a note whose guest no node has', () => {
  const lost = [emptyNode(node1), seeing(node2, [note(node1, 5)]), seeing(node3, [note(node1, 5)])];

  test('is a lost guest, told once, with how to have it back and without a repair', () => {
    expect(found(lost)).toEqual([expect.objectContaining({ id: 'note-lost/node2/101/nfs', node: 'node2', vmid: 101, kind: 'note-lost', repair: null })]);
    expect(found(lost)[0]?.remedy).toContain('kedge guest create 101 --node node1 --from 101.conf"');
    expect(hasDoubtfulNotes(input(lost))).toBe(true);
    expect(reconcileGuest(input(lost), vmid)).toMatchObject({ verdict: 'blocked' });
  });

  test('of a container says so in how to have it back', () => {
    expect(found([emptyNode(node1), seeing(node2, [note(node1, 5, { kind: 'lxc' })])])[0]?.remedy).toContain('--from 101.conf --kind lxc');
  });

  test.each(['released', 'revoked'] as const)('is that also beside a tombstone (%s)', (state) => {
    expect(kinds([emptyNode(node1, { views: [tombstone(node1, state, 5)] }), seeing(node2, [note(node1, 5)])])).toEqual(['note-lost']);
  });

  test('is that also when its taker has made the marker and nothing more', () => {
    expect(kinds([emptyNode(node1), seeing(node2, [note(node2, 9)])])).toEqual(['note-lost']);
  });

  test.each([
    ['no disk is there', { hasDisks: false }],
    ['its config is gone', { kind: null }],
  ] as const)('is removed when %s', (_, changes) => {
    const nodes = [emptyNode(node1), seeing(node2, [note(node1, 5, changes)])];
    expect(found(nodes).map(({ kind, repair }) => ({ kind, repair }))).toEqual([
      { kind: 'note-lost', repair: { do: 'remove-note', storage: 'nfs', generation: 5 } },
    ]);
    expect(reconcileGuest(input(nodes), vmid).verdict).toBe('repairable');
  });

  test('is kept while nobody can tell whether a disk is there', () => {
    expect(found([emptyNode(node1), seeing(node2, [note(node1, 5, { hasDisks: null })])])[0]?.repair).toBeNull();
  });

  test.each([
    ['a node is silent', { unreached: [{ node: node3, reason: 'no answer' }] }],
    ['a migration of the guest runs', { migrations: [{ vmid, migrationId: null, parked: false, runId: 'r' }] }],
    ['a recovery of the node that it names runs', { recoveries: [{ node: node1, owed: [] }] }],
    ['a recovery owes the guest', { recoveries: [{ node: node3, owed: [101] }] }],
    ['a recovery does not say what it owes', { recoveries: [{ node: node3, owed: null }] }],
  ] as const)('is nothing while %s', (_, changes) => {
    expect(kinds(lost, changes)).toEqual([]);
  });

  test('is one while a recovery that has nothing to do with it runs', () => {
    expect(kinds(lost, { recoveries: [{ node: node3, owed: [102] }] })).toEqual(['note-lost']);
  });

  test.each(['incoming', 'armed', 'releasing', 'unreadable'] as const satisfies readonly (RecordState | 'unreadable')[])(
    'is nothing while a record of it is %s: that is told by itself',
    (record) => {
      expect(kinds([emptyNode(node1, { guests: [auditedGuest({ record, qemu: 'gone' })] }), seeing(node2, [note(node1, 5)])])).toEqual([]);
    },
  );

  test('is nothing while a process of it lives, or a node of an older Kedge does not tell its tombstones', () => {
    expect(kinds([emptyNode(node1, { processes: [{ pid: 1, vmid, command: 'qemu', incoming: false }] }), seeing(node2, [note(node1, 5)])])).toEqual([]);
    const { views, ...older } = emptyNode(node1);
    expect(views).toEqual([]);
    expect(kinds([older, seeing(node2, [note(node1, 5)])])).toEqual([]);
  });
});

describe('a note of a guest that another node owns', () => {
  const stale = (given: { marked?: number; identity?: string | null; sees?: readonly string[] | undefined; more?: readonly AuditedNote[] } = {}) => {
    const { marked = 5, identity = 'one', more = [] } = given;
    const sees = 'sees' in given ? given.sees : ['one', 'two'];
    const { storageIdentities, ...rest } = owner(node1, 7);
    expect(storageIdentities).toBeDefined();
    return [{ ...rest, ...(sees === undefined ? {} : { storageIdentities: sees }) }, seeing(node2, [note(node2, marked, { identity }), ...more])];
  };
  const repair = { do: 'remove-note', storage: 'nfs', generation: 5 };

  test('may be behind where its owner will bring it up to date', () => {
    expect(kinds(stale())).toEqual([]);
    expect(kinds(stale({ marked: 4 }))).toEqual([]);
  });

  test('is stale where the owner does not see the storage, and is removed', () => {
    expect(found(stale({ sees: ['two'] })).map((each) => [each.kind, each.repair])).toEqual([['note-stale', repair]]);
  });

  test('is not judged by what an owner sees that does not tell, nor by a storage whose marker could not be read', () => {
    expect(kinds(stale({ sees: undefined }))).toEqual([]);
    expect(kinds(stale({ sees: [], identity: null }))).toEqual([]);
  });

  test('is stale when its owner is further on than any claim lets it be', () => {
    expect(found(stale({ marked: 3 })).map(({ kind, repair: offered }) => [kind, offered])).toEqual([['note-stale', { ...repair, generation: 3 }]]);
  });

  test('is stale when a newer one lies on another storage', () => {
    expect(kinds(stale({ more: [note(node1, 7, { storage: 'other', identity: 'two' })] }))).toEqual(['note-stale']);
  });

  test('that is newer than every record is told, and left alone', () => {
    expect(found([owner(node1, 5), seeing(node2, [note(node2, 9)])]).map(({ kind, repair: offered }) => [kind, offered])).toEqual([['note-ahead', null]]);
    expect(kinds([owner(node1, 5), seeing(node2, [note(node2, 5)])])).toEqual(['note-ahead']);
  });

  test('is not judged while the owner is not certain', () => {
    expect(kinds([owner(node1, 12), owner(node3, 13), seeing(node2, [note(node2, 3)])])).toEqual([]);
    const claimed = owner(node1, 12, { guests: [auditedGuest({ generation: generation(12), migrationId: migrationIdOf(vmid, generation(13)) })] });
    expect(kinds([claimed, seeing(node2, [note(node2, 3)])])).toEqual([]);
  });
});

test('a note that can not be understood, and a storage whose notes can not be read, are told also while a node is silent', () => {
  const nodes = [
    seeing(node2, [note(node1, 5, { newest: null, kind: null, hasDisks: null, unreadable: 'rubbish' })], { notesUnread: [{ storage: 'nfs', reason: 'EIO' }] }),
  ];
  expect(found(nodes, { unreached: [{ node: node1, reason: 'no answer' }] }).map(({ kind, repair: offered }) => [kind, offered])).toEqual([
    ['notes-not-audited', null],
    ['note-unreadable', null],
  ]);
  expect(hasDoubtfulNotes(input(nodes))).toBe(false);
});
