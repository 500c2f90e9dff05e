import { describe, expect, test } from 'vitest';
import type { AuditedNode, AuditInput } from '../../../src/domain/audit-types.js';
import { migrationIdOf, parseGeneration, parseNodeName, parseVmid, type NodeName } from '../../../src/domain/ids.js';
import type { GuestSummary } from '../../../src/domain/node-facts.js';
import { reconcileGuest, type Verdict } from '../../../src/domain/reconcile.js';
import { auditedGuest as guest, emptyNode as empty, auditInput as input } from '../../support/audited.js';

const node1 = parseNodeName('node1');
const node2 = parseNodeName('node2');
const vmid = parseVmid(101);
const CONFIG = 'qemu-server/101.conf';

const process = { pid: 11, startTime: 1, vmid: 101, command: 'qemu', incoming: false, own: true, waiting: false };
const has = (node: NodeName, changes: Partial<GuestSummary> = {}): AuditedNode =>
  empty(node, { guests: [guest(changes)], processes: changes.qemu === 'gone' ? [] : [process], files: [CONFIG] });
const silent = { unreached: [{ node: parseNodeName('node3'), reason: 'no answer' }] } satisfies Partial<AuditInput>;
const migration = (parked: boolean): Partial<AuditInput> => ({
  migrations: [{ vmid, migrationId: migrationIdOf(vmid, parseGeneration(8)), parked, runId: 'r' }],
});
const lost = { record: 'unreadable', generation: null, wanted: null } as const;

describe('the verdict on a guest', () => {
  test.for<[string, AuditInput, Verdict, RegExp]>([
    ['it is where its record says', input([has(node1), empty(node2)]), 'settled', /owned by node1, where it is running and wanted running; nothing to settle/],
    ['its migration is on its way', input([has(node1), has(node2, { record: 'armed' })], migration(false)), 'migrating', /101-8 settles it/],
    ['its migration waits for an operator', input([has(node1), empty(node2)], migration(true)), 'blocked', /waits for an operator/],
    [
      'it runs twice, and one node surely owns it',
      input([has(node1), has(node2, { record: 'missing', generation: null })]),
      'repairable',
      /ALARM.*node1 owns it/,
    ],
    ['it runs twice, and both own it', input([has(node1), has(node2)]), 'blocked', /ALARM.*nothing is stopped/],
    ['it runs twice, and a node is silent', input([has(node1), has(node2, { record: 'missing' })], silent), 'blocked', /node3 is silent/],
    ['no node knows it', input([empty(node1), empty(node2)]), 'unknown', /no node has a record/],
    ['no node that answers knows it', input([empty(node1)], silent), 'waiting', /bring it back, or fence it/],
    ['its owner is heard and another node is not', input([has(node1)], silent), 'waiting', /may have a copy too/],
    ['its owner has it down against its wish', input([has(node1, { qemu: 'gone' })]), 'blocked', /it is off and wanted running/],
    ['it runs without a readable record, and nobody else can have it', input([has(node1, lost), empty(node2)]), 'repairable', /owned by no node that answers/],
  ])('%s', ([, given, verdict, says]) => {
    const result = reconcileGuest(given, vmid);
    expect([result.verdict, result.says]).toEqual([verdict, expect.stringMatching(says)]);
  });
});

describe('a guest that runs without a record', () => {
  const repairsOf = (given: AuditInput): readonly string[] => reconcileGuest(given, vmid).findings.flatMap(({ repair }) => repair?.do ?? []);

  test('is adopted where it runs when nobody else can run it', () => {
    expect(repairsOf(input([has(node1, lost), empty(node2)]))).toContain('adopt');
  });

  test.for<[string, AuditInput]>([
    ['a node is silent', input([has(node1, lost)], silent)],
    ['another node has a process of it', input([has(node1, lost), empty(node2, { processes: [process] })])],
    [
      'another record could become a permission',
      input([has(node1, lost), has(node2, { record: 'armed', qemu: 'gone', migrationId: migrationIdOf(vmid, parseGeneration(8)) })]),
    ],
    ['another record cannot be read', input([has(node1, lost), has(node2, { ...lost, qemu: 'gone' })])],
    ['it has no config here', input([{ ...has(node1, lost), files: [] }, empty(node2)])],
    ['its process is not the one that the worker knows', input([{ ...has(node1, lost), processes: [{ ...process, own: false }] }, empty(node2)])],
  ])('is not adopted while %s', ([, given]) => {
    expect(repairsOf(given)).not.toContain('adopt');
  });
});

test('only the findings of the guest are told', () => {
  const other = empty(node2, { nftTables: ['inet kedge-x'], journalOpen: [{ vmid: 102, migrationId: '', what: 'stream' }] });
  expect(reconcileGuest(input([has(node1), other]), vmid).findings).toEqual([]);
});
