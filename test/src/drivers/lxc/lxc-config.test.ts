import { describe, expect, test } from 'vitest';
import { UNPRIVILEGED_IDMAP, type ContainerStart } from '../../../../src/drivers/lxc/container-start.js';
import { lxcConfig } from '../../../../src/drivers/lxc/lxc-config.js';

const PLAIN: ContainerStart = {
  vmid: 101,
  hostname: 'web',
  arch: 'x86_64',
  rootfs: '/var/lib/kedge/images/images/101/subvol-101-disk-0.subvol',
  mounts: [],
  nets: [],
  idmap: [],
  memory: { limitBytes: null, swapBytes: null },
  cpu: { limit: null, units: null },
  features: { nesting: false, fuse: false },
  raw: [],
};
const NET = { index: 0, name: 'eth0', bridge: 'vmbr0', hwaddr: null, ip: null, gw: null, ip6: null, gw6: null, vlan: null, mtu: null, linkDown: false };

const lines = (changes: Partial<ContainerStart>, unified = false): readonly string[] =>
  lxcConfig({ ...PLAIN, ...changes }, { lxcPath: '/run/kedge/lxc', unified })
    .trimEnd()
    .split('\n');
const only = (key: string, changes: Partial<ContainerStart>, unified?: boolean): readonly string[] =>
  lines(changes, unified).filter((line) => line.startsWith(key));

describe('lxcConfig()', () => {
  test('gives a container groups with fixed names, told apart by the folder of containers', () => {
    expect(only('lxc.cgroup.dir', {})).toEqual([
      'lxc.cgroup.dir.container = lxc.payload.run-kedge-lxc.101',
      'lxc.cgroup.dir.container.inner = ns',
      'lxc.cgroup.dir.monitor = lxc.monitor.run-kedge-lxc.101',
    ]);
  });

  test('maps ids and takes the defaults for user namespaces only when the container is unprivileged', () => {
    expect(only('lxc.idmap', {})).toEqual([]);
    expect(only('lxc.include', {})).toEqual(['lxc.include = /usr/share/lxc/config/common.conf']);
    expect(only('lxc.idmap', { idmap: UNPRIVILEGED_IDMAP })).toEqual(['lxc.idmap = u 0 100000 65536', 'lxc.idmap = g 0 100000 65536']);
    expect(only('lxc.include', { idmap: UNPRIVILEGED_IDMAP })).toContain('lxc.include = /usr/share/lxc/config/userns.conf');
  });

  test('names the device of the node after vmid and number of the net', () => {
    expect(only('lxc.net', { nets: [{ ...NET, index: 3, ip: '10.0.0.2/24', gw: '10.0.0.1', vlan: 7, mtu: 1400 }] })).toEqual([
      'lxc.net.3.type = veth',
      'lxc.net.3.veth.pair = veth101i3',
      'lxc.net.3.name = eth0',
      'lxc.net.3.flags = up',
      'lxc.net.3.link = vmbr0',
      'lxc.net.3.mtu = 1400',
      'lxc.net.3.veth.vlan.id = 7',
      'lxc.net.3.ipv4.address = 10.0.0.2/24',
      'lxc.net.3.ipv4.gateway = 10.0.0.1',
    ]);
    expect(only('lxc.net.0.flags', { nets: [{ ...NET, linkDown: true }] })).toEqual([]);
  });

  test('writes limits for the cgroup version that enforces them', () => {
    const limits = { memory: { limitBytes: 536_870_912, swapBytes: 0 }, cpu: { limit: 1.5, units: 1024 } };
    expect(only('lxc.cgroup', limits).filter((line) => !line.includes('.dir.') && !line.includes('relative'))).toEqual([
      'lxc.cgroup.memory.limit_in_bytes = 536870912',
      'lxc.cgroup.cpu.cfs_period_us = 100000',
      'lxc.cgroup.cpu.cfs_quota_us = 150000',
      'lxc.cgroup.cpu.shares = 1024',
    ]);
    expect(only('lxc.cgroup2', limits, true)).toEqual([
      'lxc.cgroup2.memory.max = 536870912',
      'lxc.cgroup2.memory.swap.max = 0',
      'lxc.cgroup2.cpu.max = 150000 100000',
      'lxc.cgroup2.cpu.weight = 40',
    ]);
  });

  test('escapes folders with spaces, and puts lines of the guest config last', () => {
    const mounts = [{ source: '/srv/a b', target: '/mnt/c', readonly: true }];
    expect(only('lxc.mount', { mounts })).toEqual(['lxc.mount.entry = /srv/a\\040b mnt/c none bind,create=dir,ro 0 0']);
    expect(lines({ raw: ['lxc.environment = A=b'] }).at(-1)).toBe('lxc.environment = A=b');
  });

  test('refuses a value that would begin a line of its own', () => {
    expect(() => lines({ hostname: 'web\nlxc.hook.start = /bin/evil' })).toThrow(/line break/);
  });
});
