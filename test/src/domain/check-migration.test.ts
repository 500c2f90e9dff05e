import { describe, expect, test } from 'vitest';
import { checkMigration, type MigrationFacts, type SourceSide } from '../../../src/domain/check-migration.js';
import { parseNodeName, parseVmid, type NodeName } from '../../../src/domain/ids.js';
import type { NodeInventory } from '../../../src/domain/node-facts.js';

const [node1, node2] = [parseNodeName('node1'), parseNodeName('node2')];

function inventory(node: NodeName, changes: Partial<NodeInventory> = {}): NodeInventory {
  return {
    v: 1,
    node,
    bootId: 'boot',
    at: '2026-01-01T00:00:00Z',
    versions: { kedge: '0.1.0', protocol: 1, qemu: '7.2.22' },
    machineTypes: ['pc-q35-7.2'],
    cpu: { model: 'test', flags: ['sse2', 'avx'], cores: 2, accelerator: 'kvm' },
    memory: { totalBytes: 8e9, availableBytes: 4e9 },
    load: 0,
    bridges: ['vmbr0'],
    storages: [{ id: 'shared', type: 'dir', shared: true, enabled: true, identity: 'one', totalBytes: 1, freeBytes: 1 }],
    guests: [],
    slots: { bulk: 2 },
    ...changes,
  };
}

const guest: NonNullable<SourceSide['guest']> = {
  movement: 'live',
  volumes: [],
  config: 'name: test\ncpu: kvm64',
  runningMachine: 'pc-q35-7.2',
  memoryBytes: 1e9,
  bridges: ['vmbr0'],
  storages: [{ id: 'shared', shared: true, identity: 'one' }],
};

function facts(changes: Partial<MigrationFacts> = {}): MigrationFacts {
  return {
    vmid: parseVmid(101),
    source: node1,
    target: node2,
    targetStorage: '',
    nodes: [node1, node2],
    targetStatus: { node: node2, bootId: 'boot', registeredAt: null, cordoned: false, silentSince: null, inventory: null, inventoryAgeMs: null },
    sourceSide: { findings: [], guest, inventory: inventory(node1) },
    targetSide: { findings: [], inventory: inventory(node2) },
    ...changes,
  };
}

const target = (changes: Partial<NodeInventory>): MigrationFacts => facts({ targetSide: { findings: [], inventory: inventory(node2, changes) } });
const sourceGuest = (changes: Partial<typeof guest>): MigrationFacts =>
  facts({ sourceSide: { findings: [], guest: { ...guest, ...changes }, inventory: inventory(node1) } });
const ids = (given: MigrationFacts): readonly string[] => checkMigration(given).map((finding) => finding.id);

describe('checkMigration', () => {
  test('finds nothing between equal nodes', () => {
    expect(checkMigration(facts())).toEqual([]);
  });

  test.for<[string, MigrationFacts]>([
    ['same-node', facts({ target: node1 })],
    ['target-unknown', facts({ nodes: [node1], targetSide: 'unasked', sourceSide: 'unasked' })],
    ['target-silent', facts({ targetSide: 'silent' })],
    ['source-silent', facts({ sourceSide: 'silent' })],
    ['qemu-older', target({ versions: { kedge: '0.1.0', protocol: 1, qemu: '6.2.0' } })],
    ['kedge-protocol', target({ versions: { kedge: '0.1.0', protocol: 0, qemu: '7.2.22' } })],
    ['accelerator', target({ cpu: { model: 'test', flags: [], cores: 2, accelerator: 'tcg' } })],
    ['machine-type', target({ machineTypes: ['pc-q35-6.2'] })],
    ['memory-short', target({ memory: { totalBytes: 8e9, availableBytes: 1 } })],
    ['bridge-missing', target({ bridges: [] })],
    ['storage-missing', target({ storages: [] })],
    ['storage-not-shared', target({ storages: [{ id: 'shared', type: 'dir', shared: true, enabled: true, identity: 'two', totalBytes: 1, freeBytes: 1 }] })],
    ['storage-not-shared', sourceGuest({ storages: [{ id: 'shared', shared: false, identity: null }] })],
  ])('%s', ([id, given]) => {
    const findings = checkMigration(given);
    expect(findings.map((finding) => finding.id)).toEqual([id]);
    expect(findings[0]).toMatchObject({ severity: 'blocker' });
    expect(findings[0]?.remedy).not.toBe('');
  });

  test('a cordoned target is refused beside what else is wrong', () => {
    const status = facts().targetStatus;
    const given = { ...target({ bridges: [], storages: [] }), targetStatus: status === null ? null : { ...status, cordoned: true } };
    expect(ids(given)).toEqual(['target-cordoned', 'bridge-missing', 'storage-missing']);
  });

  test('lets a newer QEMU pass', () => {
    expect(ids(target({ versions: { kedge: '0.1.0', protocol: 1, qemu: '10.0.0' } }))).toEqual([]);
  });

  test("asks for the node's own processor flags only of a guest that sees them", () => {
    const poorer = { model: 'test', flags: ['sse2'], cores: 2, accelerator: 'kvm' } as const;
    expect(ids(target({ cpu: poorer }))).toEqual([]);
    const host = { findings: [], guest: { ...guest, config: 'cpu: host,flags=+aes\nname: test' }, inventory: inventory(node1) };
    expect(ids({ ...target({ cpu: poorer }), sourceSide: host })).toEqual(['cpu-flags']);
  });

  test("joins both nodes' own findings, each once", () => {
    const finding = { id: 'guest-locked', severity: 'blocker', text: 'Locked', remedy: 'Wait' } as const;
    const given = facts({
      sourceSide: { findings: [finding, finding], guest: null, inventory: inventory(node1) },
      targetSide: { findings: [finding], inventory: inventory(node2) },
    });
    expect(ids(given)).toEqual(['guest-locked']);
  });
});
