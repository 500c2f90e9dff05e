import { describe, expect, test } from 'vitest';
import { checkMigration, type MigrationFacts } from '../../../src/domain/check-migration.js';
import { disk, facts, guest, inventory, needs, node1, node2, onTarget as target, storage, withGuest } from '../../support/migration-facts.js';

const ids = (given: MigrationFacts): readonly string[] => checkMigration(given).map((finding) => finding.id);

describe('checkMigration', () => {
  test('finds nothing between equal nodes', () => {
    expect(checkMigration(facts())).toEqual([]);
  });

  test('a cordoned target is refused beside what else is wrong', () => {
    const status = facts().targetStatus;
    const given = { ...target({ bridges: [], storages: [] }), targetStatus: status === null ? null : { ...status, cordoned: true } };
    expect(ids(given)).toEqual(['target-cordoned', 'bridge-missing', 'storage-missing']);
  });

  test.for(['live', 'restart', 'offline'] as const)('a cordoned target takes no guest that moves %s', (movement) => {
    const { targetStatus } = facts();
    const found = checkMigration(withGuest({ movement }, { targetStatus: targetStatus === null ? null : { ...targetStatus, cordoned: true } }));
    expect(found.map(({ id, severity }) => `${id} ${severity}`)).toEqual(['target-cordoned blocker']);
  });

  test('lets a newer QEMU pass', () => {
    expect(ids(target({ versions: { kedge: '0.1.0', protocol: 1, qemu: '10.0.0' } }))).toEqual([]);
  });

  test.for(['restart', 'offline'] as const)(
    'lets a guest that starts anew (%s) go to an older QEMU, if that has the machine type it is pinned to',
    (movement) => {
      const older = { versions: { kedge: '0.1.0', protocol: 1, qemu: '7.2.22' }, machineTypes: ['pc-q35-7.2', 'pc-i440fx-7.2'] };
      const newer = inventory(node1, { versions: { kedge: '0.1.0', protocol: 1, qemu: '9.0.2' }, machineTypes: ['pc-q35-9.0'] });
      const found = (machine: string | null) =>
        checkMigration({
          ...target(older),
          sourceSide: { findings: [], guest: guest({ movement, runningMachine: 'pc-q35-9.0', needs: needs({ machine }) }), inventory: newer },
        }).map(({ id, severity }) => `${id} ${severity}`);
      for (const machine of ['q35', 'pc', 'pc-q35-7.2', null]) expect(found(machine)).toEqual([]);
      expect(found('pc-q35-9.0')).toEqual(['machine-type blocker']);
    },
  );

  test("asks for the node's own processor flags only of a guest that sees them", () => {
    const poorer = { model: 'test', flags: ['sse2'], cores: 2, accelerator: 'kvm' } as const;
    expect(ids(target({ cpu: poorer }))).toEqual([]);
    const host = { findings: [], guest: guest({ config: 'cpu: host,flags=+aes\nname: test' }), inventory: inventory(node1) };
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

  test('judges an older Kedge by the facts that it knows', () => {
    const known = guest();
    const old = inventory(node2);
    Reflect.deleteProperty(known, 'needs');
    for (const newer of ['bridgeFacts', 'cluster']) Reflect.deleteProperty(old, newer);
    expect(ids(facts({ sourceSide: { findings: [], guest: known, inventory: inventory(node1) }, targetSide: { findings: [], inventory: old } }))).toEqual([]);
  });

  test('tells two clusters of one name apart by their certificate authorities', () => {
    expect(ids(target({ cluster: { name: 'lab', authority: 'CC:DD' } }))).toEqual(['other-cluster']);
    expect(ids(target({ cluster: { name: 'lab', authority: null } }))).toEqual([]);
  });

  test('names a storage that only claims to be shared, in whichever way the guest moves', () => {
    const other = { targetSide: { findings: [], inventory: inventory(node2, { storages: [storage({ identity: 'another' })] }) } };
    expect(ids(withGuest({}, other))).toEqual(['storage-not-shared']);
    expect(ids(withGuest({ movement: 'offline' }, other))).toEqual(['storage-not-shared']);
  });

  test('does not forget a storage map of a guest that runs on', () => {
    expect(ids(withGuest({}, { targetStorage: 'fast' }))).toEqual(['storage-map']);
    expect(ids(withGuest({}, { targetStorage: '1' }))).toEqual([]);
    expect(ids(withGuest({}, { targetStorage: 'local:fast' }))).toEqual([]);
  });

  test('counts what the copies take on each storage that they are mapped to', () => {
    const small = storage({ id: 'fast', shared: false, freeBytes: 1.5e8 });
    const given = (targetStorage: string): MigrationFacts =>
      withGuest(
        { movement: 'offline', storages: [], volumes: [disk(), disk({ volumeId: 'local:101/vm-101-disk-1.raw', virtualBytes: 1e8 })] },
        { targetStorage, targetSide: { findings: [], inventory: inventory(node2, { storages: [small, storage({ id: 'local', shared: false })] }) } },
      );
    expect(ids(given('fast'))).toEqual(['space-short']);
    expect(ids(given(''))).toEqual([]);
  });
});
