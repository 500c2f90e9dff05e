import { describe, expect, test } from 'vitest';
import { parseVmid } from '../../../../src/domain/ids.js';
import { UNPRIVILEGED_IDMAP } from '../../../../src/drivers/lxc/container-start.js';
import { containerStart, parseContainerConfig, rootOwner } from '../../../../worker/node/guests/container-start.js';

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
          hwaddr: 'BC:24:11:00:00:01',
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
  });

  test.each([
    ['a firewall', 'net0: name=eth0,bridge=vmbr0,firewall=1\n', 'unsupported', 'net0: firewall'],
    ['a feature', 'features: keyctl=1\n', 'unsupported', 'features: keyctl'],
    ['mount options', 'mp0: local:101/subvol-101-disk-1.subvol,mp=/x,mountoptions=noatime\n', 'unsupported', 'mp0: mountoptions'],
    ['a device', 'dev0: /dev/fuse\n', 'unsupported', 'dev0'],
    ['a mount point without a place', 'mp0: local:101/subvol-101-disk-1.subvol\n', 'bad-config', 'mp0'],
    ['a mount point that climbs', 'mp0: local:101/subvol-101-disk-1.subvol,mp=/a/../..\n', 'bad-config', 'mp0'],
    ['a number that is none', 'net0: name=eth0,tag=x\n', 'bad-config', 'tag of net0'],
  ])('refuses %s by name', (_, lines, code, named) => {
    expect(() => parseContainerConfig(ROOTFS + lines)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(named) }));
  });

  test('demands a volume as root file system', () => {
    expect(() => parseContainerConfig('hostname: web\n')).toThrow(/rootfs/);
    expect(() => parseContainerConfig('rootfs: /srv/tree\n')).toThrow(/rootfs/);
  });
});
