/** Which repair each finding gets, and when it gets none. */
import { describe, expect, test } from 'vitest';
import { findLeftovers } from '../../../src/domain/audit.js';
import type { AuditedNode, AuditedProcess, AuditInput, Leftover } from '../../../src/domain/audit-types.js';
import { migrationIdOf, parseGeneration, parseNodeName, parseVmid } from '../../../src/domain/ids.js';
import type { GuestSummary } from '../../../src/domain/node-facts.js';
import type { GuestView, OwnershipRecord } from '../../../src/domain/ownership.js';
import { inRepairOrder, repairText, type Repair } from '../../../src/domain/repair.js';
import { auditedGuest as guest, emptyNode as empty, auditInput as input } from '../../support/audited.js';

const node1 = parseNodeName('node1');
const node2 = parseNodeName('node2');
const node3 = parseNodeName('node3');
const vmid = parseVmid(101);
const DEAD = migrationIdOf(vmid, parseGeneration(5));
const CONFIG = 'qemu-server/101.conf';

const ownProcess: AuditedProcess = { pid: 11, startTime: 1, vmid: 101, command: 'qemu', incoming: false, own: true, waiting: false };
const stray = (changes: Partial<AuditedProcess> = {}): AuditedProcess => ({ ...ownProcess, pid: 66, startTime: 6, own: false, ...changes });

const owner = (changes: Partial<AuditedNode> = {}): AuditedNode =>
  empty(node1, { guests: [guest()], processes: [ownProcess], files: [CONFIG], configs: [{ vmid: 101, digest: 'same' }], ...changes });

type RecordState = OwnershipRecord['state'];
const viewOf = (state: Exclude<RecordState, 'revoked'> | 'revoked', generation = 5): GuestView => {
  const base = { vmid, kind: 'qemu', generation: parseGeneration(generation), wanted: 'running', bootId: 'b', migrationId: DEAD, peer: node1 } as const;
  const record: OwnershipRecord = state === 'revoked' ? { ...base, state, ran: 'no' } : { ...base, state };
  return { node: node2, bootId: 'b', qemu: 'gone', record: { kind: 'record', record } };
};

const other = (changes: Partial<AuditedNode> = {}): AuditedNode => empty(node2, changes);
const silent = { unreached: [{ node: node3, reason: 'no answer' }] } satisfies Partial<AuditInput>;

/** What is offered for each finding of a kind. */
const repairs = (given: AuditInput, kind: Leftover['kind']): readonly (Repair | null)[] =>
  findLeftovers(given)
    .filter((leftover) => leftover.kind === kind)
    .map(({ repair }) => repair);

test('a finding keeps its id for as long as the thing is there, and shares it with no other', () => {
  const nodes = [owner(), other({ processes: [stray(), stray({ pid: 67 })], nftTables: ['inet kedge-a'] })];
  const ids = findLeftovers(input(nodes)).map(({ id }) => id);
  expect(ids).toEqual(['nft-table/node2/inet kedge-a', 'stray-process/node2/101/66', 'stray-process/node2/101/67']);
  expect(findLeftovers(input(nodes.toReversed())).map(({ id }) => id)).toEqual(ids);
});

describe('a process that no record allows', () => {
  const end: Repair = { do: 'end-process', pid: 66, startTime: 6 };

  test('is ended when the one owner surely runs the guest by another', () => {
    expect(repairs(input([owner(), other({ processes: [stray()] })]), 'stray-process')).toEqual([end]);
    expect(repairs(input([owner(), other({ processes: [stray({ incoming: true })] })]), 'incoming-process')).toEqual([end]);
  });

  test("is ended on the owner's own node too, where it is a second copy", () => {
    expect(repairs(input([owner({ processes: [ownProcess, stray()] })]), 'stray-process')).toEqual([end]);
  });

  test('is removed with all that came with it where its record is revoked', () => {
    const node = other({ processes: [stray({ own: true })], views: [viewOf('revoked')] });
    expect(repairs(input([owner(), node]), 'stray-process')).toEqual([{ do: 'end-revoked' }]);
    expect(repairs(input([empty(node1), node]), 'stray-process')).toEqual([null]);
    const waiting = other({ processes: [stray({ own: true, incoming: true, waiting: true })], views: [viewOf('revoked')] });
    expect(repairs(input([empty(node1), waiting]), 'incoming-process')).toEqual([{ do: 'end-revoked' }]);
  });

  test('is ended without an owner only if its guest has surely never run in it', () => {
    const waiting = other({ processes: [stray({ own: true, incoming: true, waiting: true })] });
    expect(repairs(input([waiting]), 'incoming-process')).toEqual([end]);
    expect(repairs(input([other({ processes: [stray({ own: true, incoming: true })] })]), 'incoming-process')).toEqual([null]);
  });

  test.for<[string, AuditInput]>([
    ['a node is silent', input([owner(), other({ processes: [stray()] })], silent)],
    [
      'the owner does not run the guest: it may be the only copy',
      input([owner({ guests: [guest({ qemu: 'gone', wanted: 'stopped' })] }), other({ processes: [stray()] })]),
    ],
    ['nobody owns the guest', input([empty(node1), other({ processes: [stray()] })])],
    ['a migration has claimed the guest', input([owner({ guests: [guest({ migrationId: DEAD })] }), other({ processes: [stray()] })])],
    ['a node knows a later generation', input([owner(), other({ processes: [stray()], views: [viewOf('released', 9)] })])],
    ['two nodes own it', input([owner(), empty(node3, { guests: [guest()], files: [CONFIG] }), other({ processes: [stray()] })])],
    [
      'an older Kedge does not tell what the process is known by',
      input([owner(), other({ processes: [{ pid: 66, vmid: 101, command: 'qemu', incoming: false }] })]),
    ],
  ])('is left alone, and reported, while %s', ([, given]) => {
    expect(repairs(given, 'stray-process')).toEqual([null]);
  });
});

describe('a guest that runs twice', () => {
  const double = (changes: Partial<GuestSummary> = {}): AuditedNode =>
    other({ guests: [guest({ record: 'missing', generation: null, ...changes })], processes: [stray({ own: true })] });

  test('loses the copy that is certainly not the owner’s, and only that', () => {
    expect(repairs(input([owner(), double()]), 'two-runners')).toEqual([null, { do: 'end-process', pid: 66, startTime: 6 }]);
  });

  test('keeps both where the owner is not certain', () => {
    expect(repairs(input([owner(), double({ record: 'owned', generation: parseGeneration(7) })]), 'two-runners')).toEqual([null, null]);
    expect(repairs(input([owner(), double()], silent), 'two-runners')).toEqual([null, null]);
  });
});

describe('records', () => {
  const claimed = (changes: Partial<GuestSummary> = {}): AuditedNode =>
    other({ guests: [guest({ record: 'armed', qemu: 'gone', generation: parseGeneration(5), migrationId: DEAD, ...changes })], views: [viewOf('armed')] });

  test('that an ended migration has left are settled with the other node, unless that is silent', () => {
    expect(repairs(input([owner(), claimed()]), 'record-unsettled')).toEqual([{ do: 'settle', migrationId: DEAD }]);
    expect(repairs(input([claimed()], { unreached: [{ node: node1, reason: 'no answer' }] }), 'record-unsettled')).toEqual([null]);
    expect(repairs(input([owner(), claimed()], silent), 'record-unsettled')).toEqual([{ do: 'settle', migrationId: DEAD }]);
  });

  test("that can't be read give way to a tombstone only when another node surely owns the guest and nothing of it runs here", () => {
    const unreadable = (changes: Partial<GuestSummary> = {}): AuditedNode =>
      other({ guests: [guest({ record: 'unreadable', generation: null, qemu: 'gone', ...changes })] });
    expect(repairs(input([owner(), unreadable()]), 'record-unreadable')).toEqual([{ do: 'replace-record' }]);
    expect(repairs(input([owner(), unreadable({ qemu: 'running' })]), 'record-unreadable')).toEqual([null]);
    expect(repairs(input([unreadable()]), 'record-unreadable')).toEqual([null]);
    expect(repairs(input([owner(), unreadable()], silent), 'record-unreadable')).toEqual([null]);
  });

  test('of two owners the older gives way if its node has nothing of the guest, else nothing is touched', () => {
    const older = (changes: Partial<AuditedNode> = {}): AuditedNode =>
      other({ guests: [guest({ generation: parseGeneration(3), qemu: 'gone', wanted: 'stopped' })], ...changes });
    expect(repairs(input([owner(), older()]), 'two-owners')).toEqual([null, { do: 'replace-record' }]);
    expect(repairs(input([owner(), older({ files: [CONFIG] })]), 'two-owners')).toEqual([null, null]);
    expect(repairs(input([owner({ guests: [guest({ qemu: 'gone' })] }), older()]), 'two-owners')).toEqual([null, null]);
    expect(repairs(input([owner(), older({ guests: [guest({ qemu: 'gone' })] })]), 'two-owners')).toEqual([null, null]);
  });

  test('of an owner without a config are reported: Kedge makes up none', () => {
    expect(repairs(input([owner({ files: [] })]), 'owner-without-config')).toEqual([null]);
  });
});

describe('disks', () => {
  const disk = { vmid: 101, volumeId: 'local:101/vm-101-disk-0.raw', identity: 'local-of-node2', keptBy: null };
  const copy = { vmid: 101, volumeId: disk.volumeId, migrationId: '101-5', path: '/p/images/101/.incoming-101-5-vm-101-disk-0.raw' };
  const withCopy = (changes: Partial<AuditedNode> = {}): AuditedNode => other({ files: [copy.path], incoming: [copy], ...changes });

  test('are never removed: of a guest that is owned elsewhere, and of one that no node knows', () => {
    const visible = owner({ storageIdentities: ['local-of-node1'] });
    expect(repairs(input([visible, other({ volumes: [disk], storageIdentities: ['local-of-node2'] })]), 'volume-left')).toEqual([null]);
    expect(repairs(input([empty(node1), other({ volumes: [disk] })]), 'volume-orphan')).toEqual([null]);
  });

  test.for<[string, AuditInput]>([
    ['some node knows the guest', input([owner(), other({ volumes: [disk] })])],
    ['a node is silent', input([empty(node1), other({ volumes: [disk] })], silent)],
    ['they were kept by choice', input([empty(node1), other({ volumes: [{ ...disk, keptBy: '101-5' }] })])],
  ])('are not called orphans while %s', ([, given]) => {
    expect(repairs(given, 'volume-orphan')).toEqual([]);
  });

  test('that were still coming in are discarded, unless a record speaks of their migration', () => {
    const discard: Repair = { do: 'discard-copy', volumeId: copy.volumeId, migrationId: '101-5' };
    expect(repairs(input([owner(), withCopy()]), 'temp-file')).toEqual([discard]);
    expect(repairs(input([owner(), withCopy({ guests: [guest({ record: 'incoming', qemu: 'gone', migrationId: DEAD })] })]), 'temp-file')).toEqual([null]);
    expect(repairs(input([owner({ guests: [guest({ migrationId: DEAD })] }), withCopy()]), 'temp-file')).toEqual([null]);
  });
});

describe('what a migration has noted', () => {
  const entry = { vmid: 101, migrationId: '101-5', what: 'permission', journal: 'grant', key: '/p' } as const;

  test('is closed, unless a record still speaks of a migration', () => {
    expect(repairs(input([owner(), other({ journalOpen: [entry] })]), 'journal-open')).toEqual([{ do: 'close-journal', journal: 'grant', key: '/p' }]);
    expect(repairs(input([owner({ guests: [guest({ migrationId: DEAD })], journalOpen: [entry] })]), 'journal-open')).toEqual([null]);
  });
});

describe('configs, files and devices', () => {
  const copied = (digest: string, changes: Partial<AuditedNode> = {}): AuditedNode => other({ files: [CONFIG], configs: [{ vmid: 101, digest }], ...changes });

  test("a config goes if it equals the owner's, or with the release or roll-back that left it", () => {
    expect(repairs(input([owner(), copied('same')]), 'config-copy')).toEqual([{ do: 'remove-config', digest: 'same' }]);
    expect(repairs(input([owner(), copied('edited')]), 'config-copy')).toEqual([null]);
    expect(repairs(input([owner(), copied('edited', { views: [viewOf('released')] })]), 'config-copy')).toEqual([{ do: 'release-source' }]);
    expect(repairs(input([owner(), copied('edited', { views: [viewOf('revoked')] })]), 'config-copy')).toEqual([{ do: 'end-revoked' }]);
    expect(repairs(input([owner(), copied('same')], silent), 'config-copy')).toEqual([null]);
  });

  test('a network device goes only if nobody holds it open', () => {
    expect(repairs(input([owner(), other({ interfaces: ['tap101i0'], idleInterfaces: ['tap101i0'] })]), 'tap')).toEqual([
      { do: 'remove-interface', name: 'tap101i0' },
    ]);
    expect(repairs(input([owner(), other({ interfaces: ['tap101i0'], idleInterfaces: [] })]), 'tap')).toEqual([null]);
  });

  test('sockets and packet rules go', () => {
    const nodes = [owner(), other({ sockets: ['qemu/101/control.qmp'], nftTables: ['inet kedge-x'] })];
    expect(repairs(input(nodes), 'socket')).toEqual([{ do: 'remove-run-file', file: 'qemu/101/control.qmp' }]);
    expect(repairs(input(nodes), 'nft-table')).toEqual([{ do: 'remove-packet-rules', table: 'inet kedge-x' }]);
  });
});

describe('what Temporal has', () => {
  const running = { vmid: parseVmid(102), migrationId: null, parked: false, runId: 'run-9' };

  test('a migration of a guest that no node knows is ended, with its slot', () => {
    expect(repairs(input([owner(), other()], { migrations: [running] }), 'workflow-orphan')).toEqual([
      { do: 'end-workflow', workflowId: 'migration-102', runId: 'run-9' },
    ]);
  });

  test('so is an attempt that the guest has long gone beyond and no record names', () => {
    const migrations = [{ ...running, vmid, migrationId: migrationIdOf(vmid, parseGeneration(5)) }];
    expect(repairs(input([owner(), other()], { migrations }), 'workflow-orphan')).toHaveLength(1);
    expect(repairs(input([owner({ guests: [guest({ generation: parseGeneration(6) })] }), other()], { migrations }), 'workflow-orphan')).toEqual([]);
    expect(repairs(input([owner(), other({ views: [viewOf('revoked')] })], { migrations }), 'workflow-orphan')).toEqual([]);
  });

  test('neither is judged while a node is silent, or is of an older Kedge and does not tell its tombstones', () => {
    expect(repairs(input([owner(), other()], { migrations: [running], ...silent }), 'workflow-orphan')).toEqual([]);
    const { views, ...older } = other();
    expect(views).toEqual([]);
    expect(repairs(input([owner(), older], { migrations: [running] }), 'workflow-orphan')).toEqual([]);
  });

  const schedule = { scheduleId: 'nightly', workflowType: 'migrateGuest', vmid: 101, nodes: ['node2'], paused: false };
  test.for<[string, Partial<typeof schedule>, number]>([
    ['a guest that no node knows', { vmid: 102 }, 1],
    ['a node that the cluster has not', { nodes: ['node9'] }, 1],
    ['a workflow that this Kedge has not', { workflowType: 'rollingUpdate' }, 1],
    ['what is there', {}, 0],
    ['nothing, but is paused', { vmid: 102, paused: true }, 0],
  ])('a schedule is paused when it points to %s', ([, changes, count]) => {
    expect(repairs(input([owner(), other()], { schedules: [{ ...schedule, ...changes }] }), 'schedule-orphan')).toEqual(
      Array<Repair>(count).fill({ do: 'pause-schedule', scheduleId: 'nightly' }),
    );
  });
});

test('what runs where it must not is stopped before anything else, and sources are settled before files are removed', () => {
  const given: readonly Repair[] = [
    { do: 'remove-stages' },
    { do: 'settle', migrationId: '101-5' },
    { do: 'pause-schedule', scheduleId: 'a' },
    { do: 'end-process', pid: 1, startTime: 1 },
  ];
  expect(inRepairOrder(given, (repair) => repair).map((repair) => repair.do)).toEqual(['end-process', 'settle', 'remove-stages', 'pause-schedule']);
  for (const repair of given) expect(repairText(repair)).not.toBe('');
});
