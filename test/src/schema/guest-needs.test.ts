import { describe, expect, test } from 'vitest';
import { parseContainerConfig } from '../../../src/schema/container-config.js';
import { parseGuestConfig } from '../../../src/schema/guest-config.js';
import { guestNeeds } from '../../../src/schema/guest-needs.js';

describe('what a guest needs of its node', () => {
  test('is nothing for a small one', () => {
    expect(guestNeeds({ kind: 'vm', config: parseGuestConfig('name: small\n') })).toEqual({
      lock: null,
      cores: 1,
      machine: 'pc',
      devices: [],
      nets: [],
      encryption: [],
      vncClipboard: false,
      unsupported: [],
      pending: [],
    });
  });

  test('is read from the config of a virtual machine', () => {
    const config = [
      'cores: 4',
      'sockets: 2',
      'lock: backup',
      'amd-sev: type=std',
      'vga: std,clipboard=vnc',
      'net0: virtio=BC:24:11:00:00:01,bridge=vmbr0,tag=7,mtu=9000',
      'net1: virtio=BC:24:11:00:00:02,bridge=vmbr1,mtu=1',
      'usb0: host=1-2',
      'usb1: spice',
      'serial0: /dev/ttyS0',
      'hostpci0: mapping=gpu',
      '[PENDING]',
      'memory: 1024',
      'delete: balloon',
      '',
    ].join('\n');
    const needs = guestNeeds({ kind: 'vm', config: parseGuestConfig(config) });
    expect(needs).toMatchObject({ lock: 'backup', cores: 8, encryption: ['amd-sev'], vncClipboard: true, pending: ['memory', 'balloon'] });
    expect(needs.nets).toEqual([
      { key: 'net0', bridge: 'vmbr0', vlan: true, mtu: 9_000 },
      { key: 'net1', bridge: 'vmbr1', vlan: false, mtu: null },
    ]);
    expect(needs.devices.map(({ key, mapping }) => [key, mapping])).toEqual([
      ['usb0', null],
      ['serial0', null],
      ['hostpci0', 'gpu'],
    ]);
    expect(needs.unsupported).toEqual(expect.arrayContaining(['amd-sev', 'usb0', 'net0.tag']));
  });

  test.for([
    ['machine: q35', 'q35'],
    ['machine: type=pc-q35-9.0+pve1,viommu=intel', 'pc-q35-9.0'],
    ['machine: q35\nrunningmachine: pc-q35-8.1+pve0', 'q35'],
  ] as const)('is, by %j, the machine type %s', ([config, machine]) => {
    expect(guestNeeds({ kind: 'vm', config: parseGuestConfig(`${config}\n`) })).toMatchObject({ machine });
  });

  test('is read from the config of a container', () => {
    const config =
      'arch: amd64\ncores: 2\nmemory: 256\nrootfs: local:101/subvol-101-disk-0.subvol,size=1G\nnet0: name=eth0,bridge=vmbr0,tag=3\ndev0: /dev/fuse\n';
    expect(guestNeeds({ kind: 'ct', config: parseContainerConfig(config) })).toMatchObject({
      cores: 2,
      machine: null,
      nets: [{ key: 'net0', bridge: 'vmbr0', vlan: true, mtu: null }],
      devices: [{ key: 'dev0', value: '/dev/fuse', mapping: null }],
      unsupported: ['dev0'],
    });
  });
});
