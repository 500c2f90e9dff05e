import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { canonicalGuestConfig } from '../../../src/schema/canonical-guest-config.js';
import { checkGuestConfig } from '../../../src/schema/check-guest-config.js';
import { printConfigText } from '../../../src/schema/print-config-text.js';

const problemsOf = (kind: 'vm' | 'ct', source: string): readonly string[] =>
  checkGuestConfig(kind, source).problems.map(({ severity, line, column, message }) => `${severity} ${String(line)}:${String(column)} ${message}`);

describe("a mistake in a VM's config", () => {
  it.each([
    ['cores: many', 'error 1:8 cores is "many", must be a whole number from 1'],
    ['cores: -1', 'error 1:8 cores is "-1", must be a whole number from 1'],
    ['cpulimit: 129', 'error 1:11 cpulimit is "129", must be a number from 0 to 128'],
    ['onboot: maybe', 'error 1:9 onboot is "maybe", must be 0 or 1'],
    ['bios: uefi', 'error 1:7 bios is "uefi", must be one of seabios, ovmf'],
    ['name: under_score', 'error 1:7 name is "under_score", must be a DNS name'],
    ['tags: a;b,ü', 'error 1:11 part of tags is "ü", must be a tag of letters, digits and "_-+."'],
    ['scsi0: local:1/a.raw,size=4X', 'error 1:27 scsi0: size is "4X", must be a size like 8G or 512M'],
    ['scsi0: local:1/a.raw,foo=1', 'error 1:22 scsi0: there is no option "foo"'],
    ['scsi0: local:1/a.raw, ssd=1', 'error 1:22 scsi0: there is no option " ssd", blanks around it are not allowed'],
    ['scsi0: local:1/a.raw,ssd=', 'error 1:22 scsi0: "ssd=" lacks its value'],
    ['scsi0: local:1/a.raw,other', 'error 1:22 scsi0: file is given twice'],
    ['scsi0: local:1/a.raw,volume=b1:c', 'error 1:22 scsi0: file is given twice'],
    ['scsi0: size=1G', 'error 1:8 scsi0: file is missing'],
    [
      'scsi0: vm-100-disk-1.raw',
      'error 1:8 scsi0: file is "vm-100-disk-1.raw", must be a volume like local:101/vm-101-disk-0.qcow2, an absolute path, none or cdrom',
    ],
    ['virtio0: local:1/a.raw,ssd=1', 'error 1:24 virtio0: there is no option "ssd"'],
    ['virtio0: local:iso/a.iso,media=cdrom', 'error 1:32 virtio0: a virtio drive can be no CD-ROM'],
    ['ide2: local:iso/a.iso,media=cdrom,snapshot=1', 'error 1:44 ide2: a CD-ROM has no snapshot'],
    ['ide0: a1:b,mbps=1,mbps_rd=1', 'error 1:27 ide0: mbps_rd and mbps exclude each other'],
    ['ide0: a1:b,bps=1,mbps=1', 'error 1:16 ide0: bps and mbps exclude each other'],
    ['ide0: a1:b,iops_rd_length=5', 'error 1:27 ide0: iops_rd_max_length needs iops_rd_max'],
    ['ide4: a1:b', 'warning 1:1 key "ide4" is unknown, it is kept as it is'],
    ['scsi01: a1:b', 'warning 1:1 key "scsi01" is unknown, it is kept as it is'],
    ['unused256: a1:b', 'warning 1:1 key "unused256" is unknown, it is kept as it is'],
    ['cdrom: none\nide2: none', 'error 1:1 cdrom is another name of ide2, which is given, too'],
    ['net0: bridge=vmbr0', 'error 1:7 net0: model is missing'],
    ['net0: virtio=01:00:00:00:00:01', 'error 1:14 net0: macaddr is "01:00:00:00:00:01", must be a unicast MAC address like BC:24:11:00:00:01'],
    ['net0: virtio,tag=4095', 'error 1:18 net0: tag is "4095", must be a whole number from 1 to 4094'],
    ['ipconfig0: gw=10.0.0.1', 'error 1:15 ipconfig0: gw needs ip'],
    ['ipconfig0: ip=10.0.0.1', 'error 1:15 ipconfig0: ip is "10.0.0.1", must be an address like 10.0.0.2/24, dhcp or manual'],
    ['ipconfig0: ip=10.0.0.1/7', 'error 1:15 ipconfig0: ip is "10.0.0.1/7", must be an address like 10.0.0.2/24, dhcp or manual'],
    ['ipconfig0: ip=10.0.0.1/33', 'error 1:15 ipconfig0: ip is "10.0.0.1/33", must be an address like 10.0.0.2/24, dhcp or manual'],
    ['ipconfig0: ip6=fd00::1/129', 'error 1:16 ipconfig0: ip6 is "fd00::1/129", must be an address like fd00::2/64, auto, dhcp or manual'],
    ['hostpci0: 01:00.0,mapping=x1', 'error 1:27 hostpci0: host and mapping exclude each other'],
    ['hostpci0: pcie=1', 'error 1:11 hostpci0: host or mapping is missing'],
    ['usb0: 1-x', 'error 1:7 usb0: host is "1-x", must be a device like 046d:c52b, a port like 1-1.2, or spice'],
    ['boot: order=scsi0;floppy', 'error 1:13 boot: order is "scsi0;floppy", must be devices like scsi0;ide2;net0'],
    ['boot: xyz', 'error 1:7 boot: legacy is "xyz", must be letters of acdn'],
    ['cpu: hidden=1', 'error 1:6 cpu: cputype is missing'],
    ['machine: pc-q35', 'error 1:10 machine: type is "pc-q35", must be pc, q35, virt or a version like pc-q35-9.0+pve1'],
    ['sshkeys: ssh-rsa AAAA', 'error 1:10 sshkeys is "ssh-rsa AAAA", must be percent-encoded, without blanks and other signs'],
    ['memory: 512\n\n[snap]\nvmstate: nowhere', 'error 4:10 vmstate is "nowhere", must be a volume like local:101/vm-101-disk-0.qcow2'],
    ['[PENDING]\ndelete: a,B', 'error 2:11 part of delete is "B", must be a key'],
    ['[special:fleecing]\nmemory: 512', 'warning 2:1 key "memory" is unknown, it is kept as it is'],
    ['[no name]\nx', 'warning 1:1 section [no name] is unknown'],
    [' cores: 1', 'error 1:1 " cores: 1" is no "key: value"'],
    ['cores : 1', 'error 1:1 "cores : 1" is no "key: value"'],
  ])('%j is: %s', (source, problem) => {
    expect(problemsOf('vm', source)).toEqual([problem]);
  });

  it('does not hide the others, which come in the order of their lines', () => {
    expect(problemsOf('vm', 'cores: x\nnet0: virtio=1,tag=0\n[s1]\nmemory: 1\nthat')).toEqual([
      'error 1:8 cores is "x", must be a whole number from 1',
      expect.stringContaining('error 2:14 net0: macaddr is "1"'),
      expect.stringContaining('error 2:20 net0: tag is "0"'),
      expect.stringContaining('error 4:9 memory: current is "1"'),
      'error 5:1 "that" is no "key: value"',
    ]);
  });
});

describe("a mistake in a container's config", () => {
  it.each([
    ['mp0: local:1/a.raw', 'error 1:6 mp0: mp is missing'],
    ['mp0: /a/../b,mp=/x', 'error 1:6 mp0: volume is "/a/../b", must be a volume or a path without "." and ".."'],
    ['rootfs: local:1/a.raw,mountoptions=noatime;evil', 'error 1:36 rootfs: mountoptions is "noatime;evil", must be options like noatime;nodev'],
    ['net0: bridge=vmbr0', 'error 1:7 net0: name is missing'],
    ['dev0: /dev/../etc', 'error 1:7 dev0: path is "/dev/../etc", must be the path of a device below /dev/'],
    ['lxc.rootfs.path: /x', 'error 1:1 lxc.rootfs.path is made from rootfs and can not be set'],
    ['lxc.monitor.unshare: 1', 'error 1:1 key "lxc.monitor.unshare" is none that may be set'],
    ['[no name]', 'error 1:1 "[no name]" is no "key: value"'],
    ['a-key: 1', 'error 1:1 "a-key: 1" is no "key: value"'],
    ['sockets: 1', 'warning 1:1 key "sockets" is unknown, it is kept as it is'],
    ['delete: x', 'error 1:1 key "delete" may only stand in the section of pending changes'],
  ])('%j is: %s', (source, problem) => {
    expect(problemsOf('ct', source)).toEqual([problem]);
  });
});

describe('any text', () => {
  const lines = fc.array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '[PENDING]',
        '[pve:pending]',
        '[s1]',
        '[special:cloudinit]',
        '#x',
        '# ü%',
        '',
        ' ',
        'description: a',
        'cdrom: none',
        'smp: 2',
        'lxc.x = 1',
      ),
      fc
        .tuple(fc.constantFrom('memory', 'net0', 'scsi0', 'mp1', 'boot', 'args', 'onboot', 'unused0', 'x'), fc.string({ unit: 'grapheme' }))
        .map(([key, value]) => `${key}: ${value}`),
    ),
  );
  const source = fc.tuple(lines, fc.constantFrom('\n', '\r\n')).map(([parts, end]) => parts.join(end));

  test.prop([fc.constantFrom('vm', 'ct'), source])('is judged and never the end of the program', (kind, text) => {
    const count = text.split('\n').length;
    for (const { line, column } of checkGuestConfig(kind, text).problems) {
      expect(line).toBeGreaterThanOrEqual(1);
      expect(line).toBeLessThanOrEqual(count);
      expect(column).toBeGreaterThanOrEqual(1);
      expect(column).toBeLessThanOrEqual((text.split('\n')[line - 1] ?? '').length + 1);
    }
  });

  test.prop([fc.constantFrom('vm', 'ct'), source])('has one canonical form', (kind, text) => {
    const canonical = (from: string): string => printConfigText(canonicalGuestConfig(kind, checkGuestConfig(kind, from).text));
    const once = canonical(text);
    fc.pre(checkGuestConfig(kind, text).problems.every(({ severity }) => severity === 'warning'));
    expect(canonical(once)).toBe(once);
  });
});
