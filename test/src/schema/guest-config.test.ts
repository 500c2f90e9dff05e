import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { decodeDescription, encodeDescription } from '../../../src/schema/config-description.js';
import { unsupportedSettings } from '../../../src/schema/guest-config-unsupported.js';
import { editGuestConfig, parseGuestConfig, printGuestConfig } from '../../../src/schema/guest-config.js';

const PVE_CONFIG = `#My web server%3A 100%25
#second line
agent: 1,fstrim_cloned_disks=1
balloon: 0
boot: order=virtio0;net0
cores: 2
cpu: kvm64,flags=+aes;-pcid
description: third line
ide2: none,media=cdrom
memory: current=2048
meta: creation-qemu=7.2.0,ctime=1690000000
name: web.example.org
net0: virtio=BC:24:11:AA:BB:CC,bridge=vmbr0,firewall=1
numa: 0
onboot: 1
ostype: l26
scsi0: shared:101/vm-101-disk-1.qcow2,discard=on,size=8G,ssd=1
scsihw: virtio-scsi-single
serial0: socket
smbios1: uuid=6f1b7c1e-6b4a-4a57-9f0a-000000000101
sockets: 1
tags: web;prod
virtio0: local:101/vm-101-disk-0.raw,cache=writeback,size=1G
vmgenid: 11111111-1111-1111-1111-111111111111

[PENDING]
memory: 4096

[before-update]
#snapshot
memory: 2048
snaptime: 1690000000
`;

describe('a guest config of PVE', () => {
  const config = parseGuestConfig(PVE_CONFIG);

  it('is understood', () => {
    expect(config).toMatchObject({
      name: 'web.example.org',
      memoryMiB: 2_048,
      cores: 2,
      sockets: 1,
      cpu: { type: 'kvm64', flags: ['+aes', '-pcid'], unsupported: [] },
      tags: ['web', 'prod'],
      onboot: true,
      agent: true,
      balloonMiB: 0,
      bootOrder: ['virtio0', 'net0'],
      scsiController: 'virtio-scsi-single',
      serials: [{ index: 0, kind: 'socket' }],
      lock: null,
      runningMachine: null,
    });
    expect(config.description).toBe('My web server: 100%\nsecond line\nthird line\n');
    expect(config.drives).toMatchObject([
      { key: 'virtio0', bus: 'virtio', index: 0, volume: 'local:101/vm-101-disk-0.raw', cache: 'writeback', sizeBytes: 1_073_741_824, unsupported: [] },
      { key: 'scsi0', bus: 'scsi', volume: 'shared:101/vm-101-disk-1.qcow2', cache: 'none', aio: 'threads', discard: true, ssd: true },
    ]);
    expect(config.nets).toEqual([{ key: 'net0', index: 0, model: 'virtio', mac: 'bc:24:11:aa:bb:cc', bridge: 'vmbr0', unsupported: ['firewall'] }]);
  });

  it('names what a start can not honour', () => {
    expect(unsupportedSettings(config)).toEqual(['ide2', 'net0.firewall', '[PENDING]']);
  });

  it('is printed as PVE does, with nothing lost', () => {
    expect(printGuestConfig(config)).toBe(PVE_CONFIG.replace('description: third line\n', '').replace('#second line\n', '#second line\n#third line\n'));
  });

  it('can be edited key by key', () => {
    const edited = editGuestConfig(config, { lock: 'migrate', balloon: null, memory: '4096' });
    expect(edited).toMatchObject({ lock: 'migrate', balloonMiB: null, memoryMiB: 4_096 });
    expect(printGuestConfig(editGuestConfig(edited, { lock: null, balloon: '0', memory: 'current=2048' }))).toBe(printGuestConfig(config));
  });

  it('can not be edited into something else', () => {
    expect(() => editGuestConfig(config, { memory: 'much' })).toThrow(expect.objectContaining({ code: 'bad-config' }));
    expect(() => editGuestConfig(config, { lock: 'x\nargs: -evil' })).toThrow(expect.objectContaining({ code: 'bad-config' }));
  });
});

describe('an empty guest config', () => {
  it('has the defaults of PVE', () => {
    expect(parseGuestConfig('')).toMatchObject({
      name: null,
      memoryMiB: 512,
      cores: 1,
      sockets: 1,
      kvm: true,
      acpi: true,
      bios: 'seabios',
      bootOrder: null,
      args: '',
    });
    expect(printGuestConfig(parseGuestConfig('\n\n'))).toBe('');
    expect(unsupportedSettings(parseGuestConfig(''))).toEqual([]);
  });
});

describe('what a start can not honour', () => {
  it.each([
    ['hostpci0: 0000:00:02.0', 'hostpci0'],
    ['net0: e1000=BC:24:11:00:00:01', 'net0.e1000'],
    ['net0: virtio=BC:24:11:00:00:01,rate=5', 'net0.rate'],
    ['net6: virtio=BC:24:11:00:00:01', 'net6'],
    ['virtio0: /dev/sdb', 'virtio0.file'],
    ['virtio0: local:101/vm-101-disk-0.raw,media=cdrom', 'virtio0.media'],
    ['virtio0: local:101/vm-101-disk-0.raw,iops=100', 'virtio0.iops'],
    ['virtio6: local:101/vm-101-disk-0.raw', 'virtio6'],
    ['scsi0: local:101/vm-101-disk-0.raw', 'scsihw.lsi'],
    ['scsi7: local:101/vm-101-disk-0.raw\nscsihw: virtio-scsi-single', 'scsi7'],
    ['serial0: /dev/ttyS0', 'serial0'],
    ['cpu: host,hidden=1', 'cpu.hidden'],
    ['machine: q35,viommu=intel', 'machine.viommu'],
    ['bios: ovmf', 'bios.ovmf'],
    ['vga: qxl', 'vga.qxl'],
    ['boot: cdn', 'boot'],
    ['numa: 1', 'numa'],
    ['vmgenid: 1', 'vmgenid.1'],
    ['some-future-key: 7', 'some-future-key'],
    ['[special:cloudinit]', '[special:cloudinit]'],
  ])('in %j is %s', (config, setting) => {
    expect(unsupportedSettings(parseGuestConfig(config))).toEqual([setting]);
  });
});

describe('a mistake in a guest config', () => {
  it.each([
    ['memory: 64\nwhat is this', 2, 1],
    ['Memory: 64', 1, 1],
    ['memory:', 1, 8],
    ['memory: 64\nmemory: 65', 2, 1],
    ['memory: much', 1, 9],
    ['cores: 0', 1, 8],
    ['cores:   x', 1, 10],
    ['onboot: maybe', 1, 9],
    ['\n\nname: a,b', 3, 7],
    ['virtio0: local:1/a.raw,size=1G,size=2G', 1, 32],
    ['virtio0: size=1G', 1, 10],
    ['virtio0: a:b,cache=fast', 1, 10],
    ['net0: virtio=ZZ', 1, 7],
    ['net0: virtio=01:00:00:00:00:01', 1, 7],
    ['net0: bridge=vmbr0', 1, 7],
    ['net0: virtio=BC:24:11:00:00:01,bridge=a b', 1, 7],
    ['scsihw: floppy', 1, 9],
    ['cpu: kvm64,flags=aes', 1, 6],
    ['vmgenid: x,y', 1, 10],
    ['[snap]\n\n what', 3, 1],
    ['[snap]\nmemory: 512\nmemory: 513', 3, 1],
    ['[snap]\n[snap]', 2, 1],
    ['[PENDING]\n[pending]', 2, 1],
    ['delete: memory', 1, 1],
    ['[snap]\ndelete: memory', 2, 1],
    ['\uFEFFmemory: 512', 1, 1],
  ])('in %j is named with its line %d and column %d', (config, line, column) => {
    expect(() => parseGuestConfig(config)).toThrow(
      expect.objectContaining({ code: 'bad-config', details: { line, column }, message: expect.stringContaining(`line ${line}, column ${column}: `) }),
    );
  });
});

describe('any guest config', () => {
  const free = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/);
  const unknownKey = fc.stringMatching(/^x[a-z_-]{0,8}\d{0,2}$/);
  const knownEntry = fc.oneof(
    fc.tuple(fc.constant('memory'), fc.integer({ min: 16, max: 99_999 }).map(String)),
    fc.tuple(fc.constant('cores'), fc.integer({ min: 1, max: 64 }).map(String)),
    fc.tuple(fc.constant('args'), free),
    fc.tuple(fc.constant('net3'), fc.constant('virtio=BC:24:11:00:00:01,bridge=vmbr0')),
    fc.tuple(fc.constant('virtio2'), fc.constantFrom('local:101/vm-101-disk-0.raw', 'a:b,discard=on')),
  );
  const entries = fc.uniqueArray(fc.oneof(knownEntry, fc.tuple(unknownKey, free)), { selector: ([key]) => key });
  const sectionLine = fc.oneof(
    free.map((line) => `#${line}`),
    fc.tuple(unknownKey, free).map(([key, value]) => `${key}: ${value}`),
  );
  const sections = fc.uniqueArray(
    fc.tuple(
      fc.stringMatching(/^[a-z][a-z0-9_-]{1,8}$/).filter((name) => name !== 'pending'),
      fc.uniqueArray(sectionLine, { selector: (line) => line.replace(/:.*/, '') }),
    ),
    { selector: ([name]) => name },
  );
  const text = fc
    .tuple(fc.array(free), entries, sections)
    .map(([description, pairs, rest]) =>
      [
        ...description.map((line) => `#${line}`),
        ...pairs.map(([key, value]) => `${key}: ${value}`),
        ...rest.flatMap(([name, lines]) => [`[${name}]`, ...lines]),
      ].join('\n'),
    );

  test.prop([text])('is printed the same after it was read again', (source) => {
    const printed = printGuestConfig(parseGuestConfig(source));
    expect(printGuestConfig(parseGuestConfig(printed))).toBe(printed);
  });

  test.prop([text])('loses no key, value, description or section', (source) => {
    const before = parseGuestConfig(source);
    const after = parseGuestConfig(printGuestConfig(before));
    const pairs = (config: typeof before): string[] => config.text.entries.map(({ key, value }) => `${key}: ${value}`).sort();
    expect(pairs(after)).toEqual(pairs(before));
    const sectionsOf = (config: typeof before): unknown =>
      config.text.sections
        .map(({ name, descriptionLines, entries: found }) => [name, descriptionLines, found.map(({ key, value }) => `${key}: ${value}`).sort()])
        .sort();
    expect(sectionsOf(after)).toEqual(sectionsOf(before));
    expect(after.description).toBe(before.description);
  });

  test.prop([fc.string({ unit: 'grapheme' })])('keeps a description in any script', (description) => {
    const lines = encodeDescription(description);
    expect(lines.every((line) => /^[ -~]*$/.test(line))).toBe(true);
    const decoded = decodeDescription(lines);
    expect(decoded).toBe(description.replace(/\n*$/, '') === '' ? '' : `${description.replace(/\n*$/, '')}\n`);
  });

  test.prop([fc.string({ unit: 'binary' })])('that is garbage is refused with a place or read, never anything else', (source) => {
    try {
      parseGuestConfig(source);
    } catch (error) {
      expect(error).toMatchObject({ code: 'bad-config', details: { line: expect.any(Number), column: expect.any(Number) } });
    }
  });
});
