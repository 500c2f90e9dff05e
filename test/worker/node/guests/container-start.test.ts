import { describe, expect, test } from 'vitest';
import { parseVmid } from '../../../../src/domain/ids.js';
import { UNPRIVILEGED_IDMAP } from '../../../../src/drivers/lxc/container-start.js';
import { parseContainerConfig } from '../../../../src/schema/container-config.js';
import { containerStart, rootOwner } from '../../../../worker/node/guests/container-start.js';

const ROOTFS = 'rootfs: local:101/subvol-101-disk-0.subvol,size=0\n';
const folderOf = (volumeId: string): string => `/images/${volumeId.split('/').at(-1) ?? ''}`;
const startOf = (text: string): ReturnType<typeof containerStart> => containerStart(parseVmid(101), parseContainerConfig(text), folderOf);

describe('containerStart()', () => {
  test('takes from PVE config what LXC needs', () => {
    const text = `#a description
arch: arm64
cores: 2
cpulimit: 1.5
features: nesting=1
hostname: web
memory: 1024
mp0: local:101/subvol-101-disk-1.subvol,mp=/srv/data,ro=1,size=0
mp1: /srv/shared,mp=/mnt/shared,shared=1
net0: name=eth0,bridge=vmbr0,firewall=0,gw=10.0.0.1,hwaddr=BC:24:11:00:00:01,ip=10.0.0.2/24,ip6=auto,tag=5,type=veth
${ROOTFS}swap: 0
unprivileged: 1
lxc.environment: A=b
lxc.prlimit.nofile = 2048
`;
    expect(startOf(text)).toEqual({
      vmid: 101,
      hostname: 'web',
      arch: 'aarch64',
      rootfs: '/images/subvol-101-disk-0.subvol',
      mounts: [
        { source: '/images/subvol-101-disk-1.subvol', target: '/srv/data', readonly: true },
        { source: '/srv/shared', target: '/mnt/shared', readonly: false },
      ],
      nets: [
        {
          index: 0,
          name: 'eth0',
          bridge: 'vmbr0',
          hwaddr: 'bc:24:11:00:00:01',
          ip: '10.0.0.2/24',
          gw: '10.0.0.1',
          ip6: null,
          gw6: null,
          vlan: 5,
          mtu: null,
          linkDown: false,
        },
      ],
      idmap: UNPRIVILEGED_IDMAP,
      memory: { limitBytes: 1 << 30, swapBytes: 0 },
      cpu: { limit: 1.5, units: null },
      features: { nesting: true, fuse: false },
      raw: ['lxc.environment = A=b', 'lxc.prlimit.nofile = 2048'],
    });
    expect(rootOwner(parseContainerConfig(text))).toBe(100_000);
    expect(rootOwner(parseContainerConfig(ROOTFS))).toBe(0);
  });

  test('lets own lines of id maps win over the one of PVE', () => {
    const own = startOf(`${ROOTFS}unprivileged: 1\nlxc.idmap: u 0 200000 65536\nlxc.idmap: g 0 200000 65536\n`);
    expect(own.idmap.map(({ outside }) => outside)).toEqual([200_000, 200_000]);
    expect(own.raw).toEqual([]);
    expect(startOf(`${ROOTFS}lxc.id_map = u  0 200000 65536\n`)).toMatchObject({ idmap: [{ type: 'u', outside: 200_000 }], raw: [] });
  });

  test('holds to the lower of two limits of processors', () => {
    const limitOf = (text: string): number | null => startOf(ROOTFS + text).cpu.limit;
    expect(limitOf('')).toBeNull();
    expect(limitOf('cores: 2\n')).toBe(2);
    expect(limitOf('cores: 2\ncpulimit: 0\n')).toBe(2);
    expect(limitOf('cores: 1\ncpulimit: 4\n')).toBe(1);
    expect(startOf(`${ROOTFS}cpuunits: 2048\n`).cpu.units).toBe(2_048);
  });

  test('leaves out what is off, what snapshots say, and what means nothing to LXC', () => {
    const text = `features: keyctl=0\nlock: backup\nmp0: local:101/subvol-101-disk-1.subvol,mp=srv,quota=0\nnet0: name=eth0,firewall=0,rate=0\n${ROOTFS}unused0: local:101/subvol-101-disk-2.subvol\n\n[snap]\ndev0: /dev/fuse\n`;
    expect(startOf(text)).toMatchObject({ mounts: [{ target: '/srv' }], nets: [{ name: 'eth0', bridge: null }] });
  });

  test.each([
    ['a firewall', 'net0: name=eth0,bridge=vmbr0,firewall=1\n', 'unsupported', 'net0: firewall'],
    ['a feature', 'features: keyctl=1\n', 'unsupported', 'features: keyctl'],
    ['mount options', 'mp0: local:101/subvol-101-disk-1.subvol,mp=/x,mountoptions=noatime\n', 'unsupported', 'mp0: mountoptions'],
    ['a device', 'dev0: /dev/fuse\n', 'unsupported', 'dev0'],
    ['a host-managed net', 'net0: name=eth0,host-managed=1\n', 'unsupported', 'net0: host-managed'],
    ['a limit of a net', 'net0: name=eth0,rate=1.5\n', 'unsupported', 'net0: rate'],
    ['a name that LXC would cut', 'net0: name=a-name-of-sixteen\n', 'unsupported', 'net0: name'],
    ['a block device', 'mp0: /dev/sdb1,mp=/usb\n', 'unsupported', 'mp0: volume'],
    ['a mount point over the root', 'mp0: /srv/x,mp=/\n', 'unsupported', 'mp0: mp'],
    ['a mount point above the root', 'mp0: /srv/x,mp=..\n', 'unsupported', 'mp0: mp'],
    ['ids of a mount point', 'mp0: /srv/x,mp=/x,idmap=u:0:1:1\n', 'unsupported', 'mp0: idmap'],
    ['a key of the future', 'iolimit: 5\n', 'unsupported', '"iolimit" (line 2)'],
    ['a number too many', 'net32: name=eth0\n', 'unsupported', 'net32'],
    ['ids that it can not read', 'lxc.idmap: b 0 100000 65536\n', 'unsupported', 'lxc.idmap'],
    ['another root of LXC', 'lxc.rootfs.path: dir:/\n', 'unsupported', 'lxc.rootfs.path'],
    ['groups where nobody looks', 'lxc.cgroup.dir.container: x\n', 'unsupported', 'lxc.cgroup.dir.container'],
    ['changes that wait for a start', '[pve:pending]\nnet0: name=eth0,firewall=1\n', 'unsupported', '[pve:pending]'],
    ['all at once', 'dev0: /dev/fuse\nfeatures: keyctl=1,mknod=1\n', 'unsupported', '"dev0" (line 2), "features: keyctl" (line 3), "features: mknod" (line 3)'],
    ['a limit that is none', 'cpulimit: x\n', 'bad-config', 'line 2, column 11'],
    ['a mount point without a place', 'mp0: local:101/subvol-101-disk-1.subvol\n', 'bad-config', 'mp0'],
    ['a mount point that climbs', 'mp0: local:101/subvol-101-disk-1.subvol,mp=/a/../..\n', 'bad-config', 'mp0'],
    ['a number that is none', 'net0: name=eth0,tag=x\n', 'bad-config', 'net0: tag'],
  ])('refuses %s by name', (_, lines, code, named) => {
    expect(() => startOf(ROOTFS + lines)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(named) }));
  });

  test('demands a volume as root file system', () => {
    expect(() => startOf('hostname: web\n')).toThrow(/line 1, column 1: rootfs/);
    expect(() => startOf('rootfs: /srv/tree\n')).toThrow(/"rootfs: volume" \(line 1\)/);
    expect(() => startOf(ROOTFS.replace('size=0', 'ro=1'))).toThrow(/"rootfs: ro" \(line 1\)/);
  });
});
