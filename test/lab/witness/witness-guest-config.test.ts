import { describe, expect, it } from 'vitest';
import { witnessAddress, witnessGuestConfig, type WitnessGuest } from '../../../lab/witness/witness-guest-config.js';
import { splitWords } from '../../../src/drivers/qemu/split-words.js';
import { parseGuestConfig, printGuestConfig } from '../../../src/schema/guest-config.js';
import { unsupportedSettings } from '../../../src/schema/guest-config-unsupported.js';

const GUEST: WitnessGuest = { vmid: 101, name: 'witness', memoryMiB: 512, dirtyRate: 20 << 20, workingSet: 256 << 20, disks: [64, 128], storage: 'shared' };

describe('the config of a witness guest', () => {
  it('is a config that Kedge can start as it is', () => {
    const config = parseGuestConfig(witnessGuestConfig(GUEST));
    expect(unsupportedSettings(config)).toEqual([]);
    expect(config).toMatchObject({ name: 'witness', memoryMiB: 512, cores: 1, balloonMiB: 0, machine: { type: 'pc-q35-7.2' } });
    expect(config.drives.map(({ volume, cache }) => [volume, cache])).toEqual([
      ['shared:101/vm-101-disk-0.raw', 'none'],
      ['shared:101/vm-101-disk-1.raw', 'none'],
    ]);
    expect(printGuestConfig(config)).toBe(witnessGuestConfig(GUEST));
  });

  it('tells the witness what to do on the kernel command line', () => {
    const words = splitWords(parseGuestConfig(witnessGuestConfig(GUEST)).args);
    const append = words[words.indexOf('-append') + 1] ?? '';
    expect(append.split(' ')).toEqual(
      expect.arrayContaining([
        'witness.vmid=101',
        'witness.ip=10.90.2.101/23',
        'witness.working_set=268435456',
        'witness.dirty_rate=20971520',
        'witness.tick_ms=5',
        'witness.journal=/dev/vda',
      ]),
    );
  });

  it('has no journal without a disk', () => {
    expect(witnessGuestConfig({ ...GUEST, disks: [] })).not.toMatch(/journal|virtio0/);
  });

  it('refuses a working set that the memory can not hold', () => {
    expect(() => witnessGuestConfig({ ...GUEST, workingSet: 500 << 20 })).toThrow('must be at most 416 MiB');
  });
});

describe('the address of a witness guest', () => {
  it.each([
    [101, '10.90.2.101'],
    [254, '10.90.2.254'],
    [300, '10.90.3.44'],
    [509, '10.90.3.253'],
    [510, '10.90.2.2'],
    [999_999_999, '10.90.3.219'],
  ])('of %i is %s', (vmid, address) => {
    expect(witnessAddress(vmid)).toBe(address);
  });
});
