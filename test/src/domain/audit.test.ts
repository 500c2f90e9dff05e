import { describe, expect, test } from 'vitest';
import { findKeptCopies } from '../../../src/domain/audit-volumes.js';
import { findLeftovers } from '../../../src/domain/audit.js';
import type { AuditedNode, AuditedSlot, AuditInput, LeftoverKind, RunningMigration } from '../../../src/domain/audit-types.js';
import { parseGeneration, parseMigrationId, parseNodeName, parseVmid, type NodeName } from '../../../src/domain/ids.js';
import type { GuestSummary } from '../../../src/domain/node-facts.js';
import { auditedGuest as guest, auditInput } from '../../support/audited.js';

const node1 = parseNodeName('node1');
const node2 = parseNodeName('node2');
const vmid = parseVmid(101);
const migrationId = parseMigrationId('101-7').id;

const CONFIG = 'qemu-server/101.conf';
const SOCKET = 'qemu/101/control.qmp';
const PID_FILE = 'qemu/101/pid';

const empty = (node: NodeName): AuditedNode => ({
  node,
  guests: [],
  processes: [],
  sockets: [],
  files: [],
  interfaces: ['lo', 'eth0', 'vmbr0'],
  // Of the distribution, of others: none of ours.
  nftTables: ['inet filter', 'ip nat', 'inet kedgeless'],
  ports: [],
  journalOpen: [],
});

/** A node that owns and runs guest 101, with all that belongs to it. */
const owner = (node: NodeName, changes: Partial<AuditedNode> = {}): AuditedNode => ({
  ...empty(node),
  guests: [guest()],
  // After a migration the command line of the owner's QEMU still says -incoming.
  processes: [{ pid: 4711, vmid: 101, command: 'qemu-system-x86_64 -name 101-web', incoming: true }],
  sockets: [SOCKET, PID_FILE, 'qemu/101/stderr.log'],
  files: [CONFIG],
  interfaces: ['lo', 'vmbr0', 'tap101i0'],
  ...changes,
});

/** A node that gave the guest away: its tombstone stays. */
const former = (node: NodeName, changes: Partial<AuditedNode> = {}): AuditedNode => ({
  ...empty(node),
  guests: [guest({ record: 'released', generation: parseGeneration(6), qemu: 'gone', migrationId })],
  // Kept to be read.
  sockets: ['qemu/101/stderr.log'],
  ...changes,
});

const input = (changes: Partial<AuditInput> = {}): AuditInput => auditInput([owner(node1), former(node2)], changes);
const slot = (changes: Partial<AuditedSlot> = {}): AuditedSlot => ({
  holder: 'migration-101',
  runId: 'run-1',
  nodes: [node1, node2],
  running: true,
  ...changes,
});
const migration = (changes: Partial<RunningMigration> = {}): RunningMigration => ({ vmid, migrationId, parked: false, runId: 'run-1', ...changes });
const kinds = (changes: Partial<AuditInput>): readonly LeftoverKind[] => findLeftovers(input(changes)).map((leftover) => leftover.kind);
const onFormer = (changes: Partial<AuditedNode>): Partial<AuditInput> => ({ nodes: [owner(node1), former(node2, changes)] });
const onOwner = (changes: Partial<AuditedNode>): Partial<AuditInput> => ({ nodes: [owner(node1, changes), former(node2)] });

const disk = { vmid: 101, volumeId: 'local:101/vm-101-disk-0.raw', identity: 'local-of-node2', keptBy: null };
/** Disks on the former node; the owner sees the storages `visible`. */
const withDisk = (changes: Partial<typeof disk | { keptBy: string }> = {}, visible: readonly string[] = ['local-of-node1']): Partial<AuditInput> => ({
  nodes: [owner(node1, { storageIdentities: visible }), former(node2, { volumes: [{ ...disk, ...changes }], storageIdentities: ['local-of-node2'] })],
});

const stray = { pid: 666, vmid: 101, command: 'qemu-system-x86_64', incoming: false };
const tombstone = (changes: Partial<GuestSummary> = {}): GuestSummary => guest({ record: 'revoked', qemu: 'gone', migrationId, ...changes });

describe('a clean cluster', () => {
  test('has no leftovers, tombstones and a former -incoming included', () => {
    expect(findLeftovers(input())).toEqual([]);
  });

  test('stays clean while a migration is on its way, with all that it needs on both nodes', () => {
    const source = owner(node1, { guests: [guest({ migrationId })], journalOpen: [{ vmid: 101, migrationId: '', what: 'stream' }] });
    const target = owner(node2, {
      guests: [guest({ record: 'incoming', generation: parseGeneration(8), qemu: 'inmigrate', migrationId })],
      ports: [60000],
      files: [CONFIG, 'records/.101.json.0123456789ab.stage'],
    });
    expect(findLeftovers(input({ nodes: [source, target], migrations: [migration()], slots: [slot()] }))).toEqual([]);
  });

  test('stays clean with a guest that is wanted stopped and off', () => {
    const off = owner(node1, { guests: [guest({ wanted: 'stopped', qemu: 'gone' })], processes: [], sockets: [], interfaces: [], files: [CONFIG] });
    expect(findLeftovers(input({ nodes: [off] }))).toEqual([]);
  });
});

describe('each planted fault is found', () => {
  const planted: readonly (readonly [string, Partial<AuditInput>, readonly LeftoverKind[]])[] = [
    [
      'the guest runs on both nodes',
      { nodes: [owner(node1), owner(node2, { guests: [guest({ record: 'armed', migrationId })] })] },
      ['two-runners', 'two-runners', 'record-unsettled'],
    ],
    [
      'both nodes own the guest',
      {
        nodes: [
          owner(node1),
          owner(node2, { guests: [guest({ wanted: 'stopped', qemu: 'gone' })], processes: [], sockets: [], interfaces: [], files: [CONFIG] }),
        ],
      },
      ['two-owners', 'two-owners'],
    ],
    ['no node owns the guest', { nodes: [former(node1, { files: [CONFIG] }), former(node2)] }, ['no-owner', 'config-copy']],
    ['a record is incoming without a migration', onFormer({ guests: [guest({ record: 'incoming', qemu: 'gone', migrationId })] }), ['record-unsettled']],
    ['a record is armed without a migration', onFormer({ guests: [guest({ record: 'armed', qemu: 'gone', migrationId })] }), ['record-unsettled']],
    ['a record is releasing without a migration', onFormer({ guests: [guest({ record: 'releasing', qemu: 'gone', migrationId })] }), ['record-unsettled']],
    ['an owner is claimed by an ended migration', onOwner({ guests: [guest({ migrationId })] }), ['record-unsettled']],
    ['a record cannot be read', onFormer({ guests: [guest({ record: 'unreadable', generation: null, qemu: 'gone' })] }), ['record-unreadable']],
    [
      'the owner has no process though it should run',
      onOwner({ guests: [guest({ qemu: 'gone' })], processes: [], sockets: [], files: [CONFIG], interfaces: [] }),
      ['guest-down'],
    ],
    ['the monitor of the owner is silent', onOwner({ guests: [guest({ qemu: 'unreachable' })] }), ['monitor-silent']],
    ['the owner waits as a target', onOwner({ guests: [guest({ qemu: 'inmigrate' })] }), ['incoming-process']],
    ['a process lives under a tombstone', onFormer({ guests: [tombstone()], processes: [stray] }), ['stray-process']],
    ['a process lives without any record', onFormer({ processes: [{ ...stray, vmid: 102 }] }), ['stray-process']],
    ['a process lives without a vmid', onFormer({ processes: [{ ...stray, vmid: null }] }), ['stray-process']],
    ['an incoming process lives under a tombstone', onFormer({ guests: [tombstone()], processes: [{ ...stray, incoming: true }] }), ['incoming-process']],
    ['a socket without process', onFormer({ sockets: [SOCKET] }), ['socket']],
    ['a pid file without process', onFormer({ sockets: [PID_FILE] }), ['pid-file']],
    ['a tap without guest', onFormer({ interfaces: ['tap101i0', 'lo'] }), ['tap']],
    ['a table of packet rules with our name', onFormer({ nftTables: ['inet filter', 'inet kedge-fault', 'bridge kedge'] }), ['nft-table', 'nft-table']],
    ['a config on a node that does not own the guest', onFormer({ files: [CONFIG] }), ['config-copy']],
    ['a disk on a node that does not own the guest', withDisk(), ['volume-left']],
    ['a copy of a disk without its migration', onOwner({ files: [CONFIG, 'images/101/.incoming-101-4-vm-101-disk-0.raw'] }), ['temp-file']],
    ['a file of a write that died', onOwner({ files: [CONFIG, 'records/.101.json.0123456789ab.stage'] }), ['temp-file']],
    ['an open journal entry of an ended migration', onFormer({ journalOpen: [{ vmid: 101, migrationId, what: 'stream' }] }), ['journal-open']],
    [
      'an open journal entry of an earlier migration',
      { ...onFormer({ journalOpen: [{ vmid: 101, migrationId: '101-5', what: 'stream' }] }), migrations: [migration()] },
      ['journal-open'],
    ],
    ['an open journal entry that names no migration', onFormer({ journalOpen: [{ vmid: 101, migrationId: '', what: 'stream' }] }), ['journal-open']],
    ['a QEMU listens and nothing is incoming', onOwner({ ports: [60000] }), ['port']],
    ['a node gives no answer', { unreached: [{ node: parseNodeName('node3'), reason: 'no answer' }] }, ['node-not-audited']],
    ['a slot is held by a migration that has ended', { slots: [slot({ running: false })] }, ['slot-leaked']],
    ['nobody says which slots are held', { slots: null }, ['slots-not-audited']],
    ['a migration waits for an operator', { migrations: [migration({ parked: true })] }, ['migration-parked']],
  ];

  test.each(planted)('%s', (_, changes, expected) => {
    const found = kinds(changes);
    expect([...found].sort()).toEqual([...expected].sort());
  });

  test('with what it means and what to do', () => {
    for (const [, changes] of planted) {
      for (const leftover of findLeftovers(input(changes))) {
        expect(leftover.what).not.toBe('');
        expect(leftover.meaning).not.toBe('');
        expect(leftover.remedy).not.toBe('');
      }
    }
  });
});

describe('a disk on a node that does not own the guest', () => {
  test('is known, and no leftover, where a migration was asked to keep it', () => {
    const given = input(withDisk({ keptBy: '101-6' }));
    expect(findLeftovers(given)).toEqual([]);
    expect(findKeptCopies(given)).toEqual([{ node: node2, vmid: 101, volumeId: disk.volumeId, migrationId: '101-6' }]);
    expect(findKeptCopies(input(withDisk()))).toEqual([]);
  });

  test.for<[string, Partial<AuditInput>]>([
    ["the owner sees the same storage, so that it is the owner's disk", withDisk({}, ['local-of-node1', 'local-of-node2'])],
    ['the owner has an older Kedge, and does not tell what it sees', { nodes: [owner(node1), former(node2, { volumes: [disk], storageIdentities: [] })] }],
    ['a migration of the guest is on its way', { ...withDisk(), migrations: [migration()] }],
    ['no node that was looked at owns the guest', withDisk({ vmid: 102 })],
    [
      'the node has a config of that number that Kedge does not manage, which is a finding of its own',
      {
        nodes: [
          owner(node1, { storageIdentities: ['local-of-node1'] }),
          { ...empty(node2), guests: [guest({ record: 'missing', generation: null, wanted: null, qemu: 'gone' })], volumes: [disk] },
        ],
      },
    ],
  ])('is not judged while %s', ([, changes]) => {
    expect(kinds(changes)).not.toContain('volume-left');
  });
});

test('a leaked slot names its guest, its nodes and the command that frees it', () => {
  const [found] = findLeftovers(input({ slots: [slot({ running: false })] }));
  expect(found).toMatchObject({ node: null, vmid: 101, what: 'migration-101 holds a slot on node1 and node2, and does not run any more' });
  expect(found?.remedy).toContain(`--name release --input '{"holder":"migration-101","runId":"run-1"}'`);
});

describe('judgement across nodes', () => {
  test('is withheld while the guest is on its way, since the nodes are read one after the other', () => {
    expect(kinds({ nodes: [owner(node1), owner(node2)], migrations: [migration()] })).toEqual([]);
  });

  test('is passed again when the migration waits for an operator', () => {
    expect(kinds({ nodes: [owner(node1), owner(node2)], migrations: [migration({ parked: true })] })).toContain('two-runners');
  });

  test('does not miss an owner that may be on a node that gave no answer', () => {
    const nodes = [former(node1, { guests: [tombstone()], files: [CONFIG] })];
    expect(kinds({ nodes, unreached: [{ node: node2, reason: 'no answer' }] })).toEqual(['config-copy', 'node-not-audited']);
  });

  test('names the node that may run the guest in the alarm', () => {
    const alarm = findLeftovers(input({ nodes: [owner(node1), owner(node2, { guests: [tombstone({ qemu: 'running' })] })] })).filter(
      ({ kind }) => kind === 'two-runners',
    );
    expect(alarm.map(({ remedy }) => remedy)).toEqual(
      Array(2).fill('Stop the process that is not on node1, keep records and logs of both nodes, check the disks'),
    );
  });
});
