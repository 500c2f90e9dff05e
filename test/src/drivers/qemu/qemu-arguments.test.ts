import { describe, expect, it } from 'vitest';
import { qemuArguments, tapName, type QemuArgumentsInput } from '../../../../src/drivers/qemu/qemu-arguments.js';
import { parseGuestConfig } from '../../../../src/schema/guest-config.js';

const FULL = `name: web
memory: 1024
cores: 2
sockets: 2
machine: q35
cpu: x86-64-v2-AES,flags=+pcid
scsihw: virtio-scsi-pci
virtio0: local:101/vm-101-disk-0.raw,size=1G
scsi3: shared:101/vm-101-disk-1.qcow2,cache=writethrough,discard=on,ro=1
net0: virtio=BC:24:11:00:00:01,bridge=vmbr0
net5: virtio,macaddr=BC:24:11:00:00:06
serial0: socket
smbios1: uuid=6F1B7C1E-6B4A-4A57-9F0A-000000000101,manufacturer=Kedge
boot: order=net0;virtio0
args: -kernel "/srv/my kernel" -append 'console=ttyS0 quiet'
`;

function argumentsOf(config: string, changes: Partial<QemuArgumentsInput> = {}): readonly string[] {
  return qemuArguments({
    vmid: 101,
    config: parseGuestConfig(config),
    folder: '/run/kedge/qemu/101',
    volumes: new Map([
      ['virtio0', { path: '/var/lib/kedge/images/101/vm-101-disk-0.raw', format: 'raw' }],
      ['scsi3', { path: '/mnt/a,b/images/101/vm-101-disk-1.qcow2', format: 'qcow2' }],
    ]),
    machineType: 'pc-q35-7.2',
    accelerator: 'tcg',
    incoming: false,
    ...changes,
  });
}

/** The values of all appearances of one option. */
function valuesOf(args: readonly string[], option: string): string[] {
  return args.flatMap((arg, index) => (arg === option ? [args[index + 1] ?? ''] : []));
}

describe('qemuArguments', () => {
  it('starts every guest standing still, with two monitors and the marker of its vmid', () => {
    const args = argumentsOf(FULL);
    expect(args).toContain('-S');
    expect(valuesOf(args, '-qmp')).toEqual([
      'unix:/run/kedge/qemu/101/control.qmp,server=on,wait=off',
      'unix:/run/kedge/qemu/101/observer.qmp,server=on,wait=off',
    ]);
    expect(valuesOf(args, '-name')).toEqual(['101-web,debug-threads=on']);
    expect(valuesOf(args, '-pidfile')).toEqual(['/run/kedge/qemu/101/pid']);
    expect(args).toContain('-nodefaults');
    expect(args).toContain('-no-user-config');
  });

  it('differs on the target only by waiting for the stream', () => {
    const source = argumentsOf(FULL);
    expect(argumentsOf(FULL, { incoming: true })).toEqual([...source, '-incoming', 'defer']);
  });

  it('names the machine by its version, the CPU by its model, and the guest by its UUID', () => {
    const args = argumentsOf(FULL);
    expect(valuesOf(args, '-machine')).toEqual(['pc-q35-7.2,acpi=on']);
    expect(valuesOf(args, '-accel')).toEqual(['tcg,thread=multi']);
    expect(valuesOf(args, '-cpu')).toEqual(['qemu64,+aes,+pni,+popcnt,+sse4.1,+sse4.2,+ssse3,+pcid']);
    expect(valuesOf(args, '-uuid')).toEqual(['6f1b7c1e-6b4a-4a57-9f0a-000000000101']);
    expect(valuesOf(args, '-smbios')).toEqual(['type=1,uuid=6f1b7c1e-6b4a-4a57-9f0a-000000000101,manufacturer=Kedge']);
    expect(valuesOf(args, '-smp')).toEqual(['4,sockets=2,cores=2,threads=1,maxcpus=4']);
  });

  it('gives an emulated guest no RAM size that is a multiple of 64 pages, because QEMU 7.2 then loses its writes in a migration', () => {
    expect(valuesOf(argumentsOf(FULL, { accelerator: 'tcg' }), '-m')).toEqual(['1048568K']);
    expect(valuesOf(argumentsOf(FULL, { accelerator: 'kvm' }), '-m')).toEqual(['1024']);
  });

  it('puts each device at the address of its key', () => {
    const devices = valuesOf(argumentsOf(FULL), '-device');
    expect(devices).toContain('virtio-blk-pci,drive=drive-virtio0,id=virtio0,bus=pcie.0,addr=0xa,write-cache=on,bootindex=101');
    expect(devices).toContain('virtio-scsi-pci,id=scsihw0,bus=pcie.0,addr=0x5');
    expect(devices).toContain('scsi-hd,drive=drive-scsi3,id=scsi3,bus=scsihw0.0,channel=0,scsi-id=0,lun=3,write-cache=off');
    expect(devices).toContain('virtio-net-pci,mac=bc:24:11:00:00:01,netdev=net0,id=net0,bus=pcie.0,addr=0x12,romfile=,bootindex=100');
    expect(devices).toContain('virtio-net-pci,mac=bc:24:11:00:00:06,netdev=net5,id=net5,bus=pcie.0,addr=0x17,romfile=');
  });

  it('moves no device when another is removed', () => {
    const before = valuesOf(argumentsOf(FULL), '-device');
    const after = valuesOf(argumentsOf(FULL.replace(/^net0.*\n/m, '').replace('order=net0;virtio0', 'order=virtio0')), '-device');
    expect(before.filter((device) => device.startsWith('virtio-net-pci,mac=bc:24:11:00:00:06'))).toEqual(
      after.filter((device) => device.startsWith('virtio-net-pci')),
    );
  });

  it('describes disks as block nodes with the cache mode of the config', () => {
    const [virtio, scsi] = valuesOf(argumentsOf(FULL), '-blockdev').map((json): unknown => JSON.parse(json));
    expect(virtio).toMatchObject({
      driver: 'raw',
      'node-name': 'drive-virtio0',
      cache: { direct: true, 'no-flush': false },
      file: { driver: 'file', filename: '/var/lib/kedge/images/101/vm-101-disk-0.raw', aio: 'threads' },
    });
    expect(scsi).toMatchObject({
      driver: 'qcow2',
      'read-only': true,
      discard: 'unmap',
      cache: { direct: false },
      file: { filename: '/mnt/a,b/images/101/vm-101-disk-1.qcow2' },
    });
  });

  it('splits extra arguments as a shell would, without one', () => {
    const args = argumentsOf(FULL);
    expect(valuesOf(args, '-kernel')).toEqual(['/srv/my kernel']);
    expect(valuesOf(args, '-append')).toEqual(['console=ttyS0 quiet']);
  });

  it('connects cards to the tap devices of the guest and runs no script', () => {
    expect(valuesOf(argumentsOf(FULL), '-netdev')[0]).toBe('tap,id=net0,ifname=tap101i0,script=no,downscript=no');
    expect(tapName(999_999_999, 5).length).toBeLessThanOrEqual(15);
  });

  it('gives a guest without UUID one that no other guest has', () => {
    const uuidOf = (vmid: number): string | undefined => valuesOf(argumentsOf('memory: 64\n', { vmid }), '-uuid')[0];
    expect(uuidOf(101)).toBe('00000000-0000-4000-8000-000000000101');
    expect(uuidOf(101)).not.toBe(uuidOf(102));
  });

  it('takes the CPU of the running guest over the config', () => {
    expect(valuesOf(argumentsOf('cpu: kvm64\nrunningcpu: qemu64,+aes\n'), '-cpu')).toEqual(['qemu64,+aes']);
  });

  it('never takes the CPU of the host by default, and refuses it without KVM', () => {
    expect(valuesOf(argumentsOf('memory: 64\n'), '-cpu')).toEqual(['kvm64']);
    expect(valuesOf(argumentsOf('memory: 64\n', { accelerator: 'kvm' }), '-cpu')).toEqual(['kvm64,enforce']);
    expect(() => argumentsOf('cpu: host\n')).toThrow(expect.objectContaining({ code: 'unsupported' }));
    expect(valuesOf(argumentsOf('cpu: host\n', { accelerator: 'kvm' }), '-cpu')).toEqual(['host,enforce']);
    expect(() => argumentsOf('cpu: host\nkvm: 0\n', { accelerator: 'kvm' })).toThrow(expect.objectContaining({ code: 'unsupported' }));
  });

  it('refuses what it would have to leave out, all of it by name', () => {
    const config =
      'hostpci0: 0000:00:02.0\nnet0: virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=1,tag=7\nide2: none,media=cdrom\nnuma: 1\n[PENDING]\nmemory: 1024\n[snap1]\nmemory: 64\n';
    expect(() => argumentsOf(config)).toThrow(
      expect.objectContaining({
        code: 'unsupported',
        details: { vmid: 101, unsupported: ['hostpci0', 'ide2', 'net0.firewall', 'net0.tag', 'numa', '[PENDING]'] },
      }),
    );
  });

  it('refuses a disk without a file', () => {
    expect(() => argumentsOf('virtio1: local:101/vm-101-disk-9.raw\n')).toThrow(expect.objectContaining({ code: 'not-found' }));
  });
});
