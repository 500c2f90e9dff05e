import { describe, expect, test } from 'vitest';
import { pveRefusal } from '../../../../src/cli/compat/pve-refusal.js';
import type { TaskNoun } from '../../../../src/cli/compat/task-lines.js';
import { errorReport } from '../../../../src/cli/render/error-report.js';
import { checkGuestNeeds } from '../../../../src/domain/check-guest-needs.js';
import { checkLink } from '../../../../src/domain/check-link.js';
import { checkMigration } from '../../../../src/domain/check-migration.js';
import { checkVolumes } from '../../../../src/domain/check-volumes.js';
import { finding, type Finding } from '../../../../src/domain/checks.js';
import { KedgeError } from '../../../../src/domain/kedge-error.js';
import type { MigrationKind } from '../../../../src/domain/migration.js';
import { disk, inventory, link, look, needs, node2, onTarget, storage, vmid, withGuest } from '../../../support/migration-facts.js';

/** The findings of the real rules, as they arrive in a failure of the workflow. */
function told(findings: readonly Finding[], noun: TaskNoun = 'VM') {
  const wire: unknown = JSON.parse(JSON.stringify(findings));
  const report = errorReport(new KedgeError('migration-refused', 'Refused', { details: { findings: wire } }));
  return pveRefusal(report.findings, { noun, vmid });
}
const volumes = (changes: Parameters<typeof look>[0], movement: MigrationKind = 'offline'): readonly Finding[] =>
  checkVolumes([look(changes)], { vmid, movement });
const guestNeeds = (changes: Parameters<typeof needs>[0], kind: MigrationKind = 'live'): readonly Finding[] =>
  checkGuestNeeds(needs(changes), { kind, runningMachine: 'pc-q35-7.2' });
const device = (key: string, mapping: string | null = null) => ({ key, value: 'host', mapping });

describe('what keeps a VM where it is, in the words of PVE', () => {
  test.each<[string, readonly Finding[], string]>([
    ['a lock', guestNeeds({ lock: 'backup' }), 'VM is locked (backup)'],
    ['a process on the target', [finding('guest-running-elsewhere', 'A QEMU of guest 101 runs on node2 (process 7)')], 'VM 101 already running'],
    [
      'local devices, all in one line',
      guestNeeds({ devices: [device('hostpci0'), device('usb1')] }),
      "can't migrate VM which uses local devices: hostpci0, usb1",
    ],
    ['encrypted memory', guestNeeds({ encryption: ['amd-sev'] }), "can't migrate VM which uses local devices: amd-sev"],
    [
      'a mapped device of one that runs',
      guestNeeds({ devices: [device('hostpci0', 'gpu')] }),
      "can't live migrate running VM which uses following mapped devices: hostpci0:gpu",
    ],
    [
      'a clipboard',
      guestNeeds({ vncClipboard: true }),
      "VMs with 'clipboard' set to 'vnc' are not live migratable with QEMU/machine versions older than 10.1!",
    ],
    ['a storage that is not there', checkMigration(onTarget({ storages: [] })), "storage 'shared' is not available on node 'node2'"],
    [
      'a storage for other content',
      checkMigration(
        withGuest(
          { movement: 'offline', volumes: [disk()], storages: [] },
          { targetSide: { findings: [], inventory: inventory(node2, { storages: [storage({ id: 'local', shared: false, content: ['iso'] })] }) } },
        ),
      ),
      "local:101/vm-101-disk-0.raw: content type 'images' is not available on storage 'local'",
    ],
    [
      'a node that is not reached',
      checkLink({ ...link(), control: { kind: 'unreachable', reason: 'refused' } }),
      "Can't connect to destination address using public key",
    ],
    [
      'one file under two names',
      checkVolumes([look(), look({ volume: 'twin:101/vm-101-disk-0.raw' })], { vmid, movement: 'offline' }),
      "Problem found while scanning volumes - detected not supported aliased volumes: 'local:101/vm-101-disk-0.raw', 'twin:101/vm-101-disk-0.raw'",
    ],
  ])('%s', (_, findings, reason) => {
    expect(told(findings)).toEqual({ lines: [], reason });
  });

  test.each<[string, readonly Finding[], string]>([
    ['a path of the node', volumes({ volume: '/dev/sdb', place: 'none' }), "'/dev/sdb': local file/device"],
    ['the drive of the node', volumes({ volume: 'cdrom', keys: ['ide2'], place: 'none' }), "'cdrom': can't migrate local cdrom drive"],
    [
      'the drive of the node in snapshots alone',
      volumes({ volume: 'cdrom', keys: ['old.ide2', 'new.ide2'], place: 'none' }),
      "'cdrom': can't migrate local cdrom drive (referenced in snapshot - old, new)",
    ],
    ['a medium', volumes({ volume: 'local:iso/a.iso', role: 'cdrom' }), "'local:iso/a.iso': local cdrom image"],
    ['a volume of another guest', volumes({ owner: 102 }), "'local:101/vm-101-disk-0.raw': owned by other VM (owner = VM 102)"],
    [
      'a linked clone',
      volumes({ obstacles: [{ text: 'It is a clone', remedy: 'Rebase it', base: '../102/base-102-disk-0.raw' }] }),
      "'local:101/vm-101-disk-0.raw': can't migrate 'local:101/vm-101-disk-0.raw' as it's a clone of '../102/base-102-disk-0.raw'",
    ],
    ['a base of clones', volumes({ clones: [103] }), "'local:101/vm-101-disk-0.raw': referenced by linked clone(s)"],
    ['snapshots of a raw image', volumes({ inSnapshot: true }), "'local:101/vm-101-disk-0.raw': non-migratable snapshot exists"],
    [
      'what can not be read',
      volumes({ unreadable: 'Input/output error' }),
      "'local:101/vm-101-disk-0.raw': unable to determine size for volume 'local:101/vm-101-disk-0.raw'",
    ],
    [
      'a storage without driver',
      volumes({ volume: 'pool:vm-101-disk-0', foreignType: 'zfspool' }),
      "'pool:vm-101-disk-0': can't migrate 'pool:vm-101-disk-0' - storage type 'zfspool' not supported",
    ],
    [
      'local disks of one that runs',
      checkMigration(withGuest({ storages: [{ id: 'local', shared: false, identity: 'two', volumes: ['local:101/vm-101-disk-0.raw'] }] })),
      "'local:101/vm-101-disk-0.raw': can't live migrate attached local disks without with-local-disks option",
    ],
  ])('%s is told in a line of its own', (_, findings, text) => {
    expect(told(findings)).toEqual({
      lines: [`can't migrate local disk ${text}`],
      reason: "Problem found while scanning volumes - can't migrate VM - check log",
    });
  });

  test('everything at once: each volume has its line, and the reason is what PVE would have ended with', () => {
    const findings = [...volumes({ clones: [103] }), ...guestNeeds({ devices: [device('usb0')] }), ...volumes({ volume: '/dev/sdb', place: 'none' })];
    expect(told(findings)).toEqual({
      lines: [
        "can't migrate local disk 'local:101/vm-101-disk-0.raw': referenced by linked clone(s)",
        "can't migrate local disk '/dev/sdb': local file/device",
      ],
      reason: "can't migrate VM which uses local devices: usb0",
    });
  });

  test('a mere warning is no reason, and what only Kedge checks has no words of PVE', () => {
    const warnings = guestNeeds({ devices: [device('hostpci0', 'gpu')] }, 'offline');
    expect(told([...warnings, ...checkMigration(onTarget({ memory: { totalBytes: 1, availableBytes: 1 } }))])).toEqual({ lines: [], reason: null });
  });

  test('findings of an older Kedge, without names, are no reason either', () => {
    const findings = volumes({ clones: [103] }).map(({ id, severity, text, remedy }) => ({ id, severity, text, remedy }));
    expect(told(findings)).toEqual({ lines: [], reason: null });
  });
});

describe('what keeps a container where it is, in the words of PVE', () => {
  test.each<[string, readonly Finding[], string]>([
    ['a lock', guestNeeds({ lock: 'backup' }, 'restart'), 'CT is locked (backup)'],
    ['a bind mount', volumes({ volume: '/srv', keys: ['mp0'], place: 'none' }), "cannot migrate local bind mount point 'mp0'"],
    ['a device mount', volumes({ volume: '/dev/sdb1', keys: ['mp1'], place: 'none' }), "cannot migrate local device mount point 'mp1'"],
    ['a mount point without storage', volumes({ volume: 'odd', keys: ['mp2'], place: 'none' }), "can't determine assigned storage for mount point"],
  ])('%s', (_, findings, reason) => {
    expect(told(findings, 'CT')).toEqual({ lines: [], reason });
  });

  test.each<[string, readonly Finding[], string]>([
    ['a volume of another guest', volumes({ owner: 102 }), 'owned by other guest (owner = 102)'],
    ['a linked clone', volumes({ obstacles: [{ text: 'It is a clone', remedy: 'Rebase it', base: 'base' }] }), "clone of 'base'"],
    ['a storage without driver', volumes({ foreignType: 'zfspool' }), "storage type 'zfspool' not supported"],
    ['snapshots', volumes({ inSnapshot: true, format: 'subvol' }), 'non-migratable snapshot exists'],
  ])('%s is told in a line of its own', (_, findings, text) => {
    expect(told(findings, 'CT')).toEqual({
      lines: [`can't migrate local volume 'local:101/vm-101-disk-0.raw': ${text}`],
      reason: "can't migrate CT - check log",
    });
  });
});
