import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { containerVolumes, editContainerConfig, parseContainerConfig, printContainerConfig, rootOf } from '../../../src/schema/container-config.js';

const CONFIG = `#Mail%3A 100%25
arch: amd64
cores: 2
cpulimit: 1.5
features: nesting=1,mount=nfs;cifs
hostname: mail.example.org
memory: 4096
mp0: ceph:vm-106-disk-1,mp=/var/vmail,backup=1,size=200G
mp10: /dev/sdb1,mp=/usb
mp2: /tank/media,mp=/media,ro=1,shared=1
net0: name=eth0,bridge=vmbr0,hwaddr=BC:24:11:06:00:01,ip=10.0.0.6/24,gw=10.0.0.1,tag=10,trunks=2;3,rate=1.5,firewall=1,type=veth
onboot: 1
ostype: debian
rootfs: ceph:vm-106-disk-0,mountoptions=noatime;discard,size=16G,acl=1,quota=0,replicate=0
swap: 0
tags: mail;prod
unprivileged: 1
lxc.idmap: u 0 100000 65536
lxc.idmap: g 0 100000 65536

[pve:pending]
memory: 8192
`;

describe('a container config of PVE', () => {
  const config = parseContainerConfig(CONFIG);

  it('is understood', () => {
    expect(config).toMatchObject({
      hostname: 'mail.example.org',
      description: 'Mail: 100%\n',
      tags: ['mail', 'prod'],
      onboot: true,
      lock: null,
      arch: 'amd64',
      ostype: 'debian',
      cores: 2,
      cpuLimit: 1.5,
      cpuUnits: null,
      memoryMiB: 4_096,
      swapMiB: 0,
      unprivileged: true,
    });
    expect([...config.features]).toEqual([
      ['nesting', '1'],
      ['mount', 'nfs;cifs'],
    ]);
    expect(config.mounts).toEqual([
      { key: 'rootfs', kind: 'volume', volume: 'ceph:vm-106-disk-0', path: '/', readOnly: false, unsupported: ['mountoptions', 'acl'] },
      { key: 'mp0', kind: 'volume', volume: 'ceph:vm-106-disk-1', path: '/var/vmail', readOnly: false, unsupported: [] },
      { key: 'mp2', kind: 'bind', volume: '/tank/media', path: '/media', readOnly: true, unsupported: [] },
      { key: 'mp10', kind: 'device', volume: '/dev/sdb1', path: '/usb', readOnly: false, unsupported: ['volume'] },
    ]);
    expect(rootOf(config)).toBe(config.mounts[0]);
    expect(containerVolumes(config).map(({ key }) => key)).toEqual(['rootfs', 'mp0']);
    expect(config.nets).toEqual([
      {
        key: 'net0',
        index: 0,
        name: 'eth0',
        mac: 'bc:24:11:06:00:01',
        bridge: 'vmbr0',
        ip: '10.0.0.6/24',
        gateway: '10.0.0.1',
        ip6: null,
        gateway6: null,
        mtu: null,
        tag: 10,
        linkDown: false,
        unsupported: ['trunks', 'rate', 'firewall'],
      },
    ]);
    expect(config.idmap).toEqual([
      { type: 'u', inside: 0, outside: 100_000, count: 65_536 },
      { type: 'g', inside: 0, outside: 100_000, count: 65_536 },
    ]);
  });

  it('is printed unchanged, and can be edited key by key', () => {
    expect(printContainerConfig(config)).toBe(CONFIG);
    const edited = editContainerConfig(config, { lock: 'migrate', cores: null });
    expect(edited).toMatchObject({ lock: 'migrate', cores: null });
    expect(printContainerConfig(editContainerConfig(edited, { lock: null, cores: '2' }))).toBe(CONFIG);
    expect(() => editContainerConfig(config, { memory: 'x' })).toThrow(expect.objectContaining({ code: 'bad-config' }));
    expect(() => editContainerConfig(config, { lock: 'x\nlxc.include: /evil' })).toThrow(expect.objectContaining({ code: 'bad-config' }));
  });

  it('has the defaults of PVE when it is empty', () => {
    expect(parseContainerConfig('')).toMatchObject({
      hostname: null,
      arch: 'amd64',
      cores: null,
      cpuLimit: 0,
      memoryMiB: 512,
      swapMiB: 512,
      mounts: [],
    });
    expect(() => rootOf(parseContainerConfig('hostname: web\n'))).toThrow(expect.objectContaining({ code: 'bad-config' }));
  });

  it('may hold what only another PVE understands, as long as that changes nothing for the container', () => {
    expect(parseContainerConfig('lock: new-Word\nostype: Any1\ntags: ?\ncpuunits: 0\nmp256: a,b\nfuture: 1\n')).toMatchObject({
      lock: 'new-Word',
      cpuUnits: 0,
      mounts: [],
    });
  });

  it.each([
    ['memory: 8', 1, 9],
    ['cpulimit: x', 1, 11],
    ['cpuunits: many', 1, 11],
    ['mp0: local:1/a.raw', 1, 6],
    ['hostname: a\n\nnet0: name=eth0,ip=10.0.0.1', 3, 20],
    ['[snap]\nmemory 512', 2, 1],
  ])('is refused for %j at line %d, column %d', (source, line, column) => {
    expect(() => parseContainerConfig(source)).toThrow(
      expect.objectContaining({ code: 'bad-config', details: { line, column }, message: expect.stringContaining('Cannot read container config') }),
    );
  });

  test.prop([fc.string({ unit: 'binary' })])('that is garbage is refused with a place or read, never anything else', (source) => {
    try {
      parseContainerConfig(source);
    } catch (error) {
      expect(error).toMatchObject({ code: 'bad-config', details: { line: expect.any(Number), column: expect.any(Number) } });
    }
  });
});
