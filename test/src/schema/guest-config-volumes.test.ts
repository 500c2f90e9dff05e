import { describe, expect, it } from 'vitest';
import { checkGuestConfig } from '../../../src/schema/check-guest-config.js';
import { containerDevices, localDevices } from '../../../src/schema/guest-config-devices.js';
import { guestVolumes } from '../../../src/schema/guest-config-volumes.js';

const textOf = (kind: 'vm' | 'ct', lines: readonly string[]) => checkGuestConfig(kind, lines.join('\n')).text;
const rolesOf = (kind: 'vm' | 'ct', lines: readonly string[]): readonly (readonly [string, string])[] =>
  guestVolumes(kind, textOf(kind, lines)).map(({ volume, role }) => [volume, role] as const);

const VM = [
  'efidisk0: nfs:1/vm-1-disk-0.qcow2,efitype=4m,size=528K',
  'ide0: none,media=cdrom',
  'ide1: cdrom,media=cdrom',
  'ide2: nfs:1/vm-1-cloudinit.qcow2,media=cdrom',
  'ide3: local:iso/debian.iso,media=cdrom,size=600M',
  'scsi0: nfs:1/vm-1-disk-1.qcow2,backup=0,replicate=0,size=8G',
  'scsi1: /dev/sdb,shared=1',
  'tpmstate0: nfs:1/vm-1-disk-2.raw,size=4M,version=v2.0',
  'unused0: nfs:1/vm-1-disk-9.raw',
  'unused1: nfs:1/vm-1-disk-8.raw',
  'vmstate: nfs:1/vm-1-state-suspend.raw',
  '[PENDING]',
  'scsi2: nfs:1/vm-1-disk-3.raw',
  'scsi0: nfs:1/vm-1-disk-1.qcow2',
  '[s1]',
  'scsi0: nfs:1/vm-1-disk-1.qcow2,size=4G',
  'scsi3: nfs:1/vm-1-disk-8.raw,format=raw,size=1G',
  'scsi4: nfs:1/vm-1-disk-7.raw',
  'ide3: local:iso/old.iso,media=cdrom',
  'vmstate: nfs:1/vm-1-state-s1.raw',
];

describe('the volumes of a VM', () => {
  it('are all that any section names, each once, with what it is for', () => {
    expect(rolesOf('vm', VM)).toEqual([
      ['nfs:1/vm-1-disk-0.qcow2', 'efi'],
      ['cdrom', 'cdrom'],
      ['nfs:1/vm-1-cloudinit.qcow2', 'cloudinit'],
      ['local:iso/debian.iso', 'cdrom'],
      ['nfs:1/vm-1-disk-1.qcow2', 'disk'],
      ['/dev/sdb', 'disk'],
      ['nfs:1/vm-1-disk-2.raw', 'tpm'],
      ['nfs:1/vm-1-disk-9.raw', 'unused'],
      ['nfs:1/vm-1-disk-8.raw', 'unused'],
      ['nfs:1/vm-1-state-suspend.raw', 'vmstate'],
      ['nfs:1/vm-1-disk-3.raw', 'pending'],
      ['nfs:1/vm-1-disk-7.raw', 'snapshot'],
      ['local:iso/old.iso', 'cdrom'],
      ['nfs:1/vm-1-state-s1.raw', 'vmstate'],
    ]);
  });

  it('tell where they are named and what the first place says of them', () => {
    const volumes = guestVolumes('vm', textOf('vm', VM));
    expect(volumes.find(({ volume }) => volume === 'nfs:1/vm-1-disk-1.qcow2')).toEqual({
      volume: 'nfs:1/vm-1-disk-1.qcow2',
      storage: 'nfs',
      role: 'disk',
      references: [
        { section: '', key: 'scsi0' },
        { section: 'PENDING', key: 'scsi0' },
        { section: 's1', key: 'scsi0' },
      ],
      shared: false,
      backup: false,
      replicate: false,
      sizeBytes: 8_589_934_592,
      format: null,
    });
    expect(volumes.find(({ volume }) => volume === '/dev/sdb')).toMatchObject({ storage: null, shared: true, backup: null, replicate: true, sizeBytes: null });
  });

  it('do not come from what can not be read', () => {
    expect(rolesOf('vm', ['scsi0: a1:b,file=c1:d', 'scsi1: size=1G', 'net0: virtio', 'scsihw: lsi'])).toEqual([]);
  });
});

describe('the volumes of a container', () => {
  it('are its root, its mount points, bound folders and devices, and the unused ones', () => {
    const lines = [
      'rootfs: zfs:subvol-2-disk-0,size=4G',
      'mp0: zfs:subvol-2-disk-1,mp=/a,backup=1',
      'mp1: /tank,mp=/b,shared=1',
      'mp2: /dev/sdb1,mp=/c',
      'unused0: zfs:subvol-2-disk-2',
      '[s1]',
      'rootfs: zfs:subvol-2-disk-0',
      'mp3: zfs:subvol-2-disk-3,mp=/d',
    ];
    expect(guestVolumes('ct', textOf('ct', lines))).toMatchObject([
      { volume: 'zfs:subvol-2-disk-0', role: 'rootfs', storage: 'zfs', sizeBytes: 4_294_967_296, references: [{ section: '' }, { section: 's1' }] },
      { volume: 'zfs:subvol-2-disk-1', role: 'mount', backup: true },
      { volume: '/tank', role: 'mount', storage: null, shared: true },
      { volume: '/dev/sdb1', role: 'mount', storage: null, shared: false },
      { volume: 'zfs:subvol-2-disk-2', role: 'unused' },
      { volume: 'zfs:subvol-2-disk-3', role: 'snapshot' },
    ]);
  });
});

describe('the local devices', () => {
  it('of a VM are what binds it to its node, mapped or not', () => {
    const lines = [
      'hostpci0: 0000:01:00.0,pcie=1',
      'hostpci1: mapping=gpu,pcie=1',
      'usb0: host=046d:c52b',
      'usb1: mapping=dongle',
      'usb2: SPICE',
      'usb3: host=spice,usb3=1',
      'serial0: socket',
      'serial1: /dev/ttyS0',
      'parallel0: /dev/parport0',
      'ivshmem: size=32',
      'virtiofs0: share1,cache=auto',
      'scsi0: local:1/a.raw',
      '[s1]',
      'hostpci9: 0000:09:00.0',
    ];
    expect(localDevices(textOf('vm', lines)).map(({ key, kind, mapping }) => [key, kind, mapping])).toEqual([
      ['hostpci0', 'hostpci', null],
      ['hostpci1', 'hostpci', 'gpu'],
      ['usb0', 'usb', null],
      ['usb1', 'usb', 'dongle'],
      ['serial1', 'serial', null],
      ['parallel0', 'parallel', null],
      ['ivshmem', 'ivshmem', null],
      ['virtiofs0', 'virtiofs', 'share1'],
    ]);
  });

  it('of a container are devN and what LXC is told', () => {
    const lines = [
      'dev0: /dev/ttyUSB0,gid=20',
      'lxc.mount.entry: /dev/dri dev/dri none bind',
      'lxc.cgroup2.devices.allow: c 226:* rwm',
      'lxc.mount.entry: proc proc proc',
    ];
    expect(containerDevices(textOf('ct', lines)).map(({ key, kind }) => [key, kind])).toEqual([
      ['dev0', 'dev'],
      ['lxc.mount.entry', 'lxc'],
      ['lxc.cgroup2.devices.allow', 'lxc'],
    ]);
  });
});
