import { describe, expect, it } from 'vitest';
import { diskName, parseVolumeId, parseVolumeName, printVolumeId } from '../../../../src/drivers/storage/volume-id.js';

describe('a volume id', () => {
  it.each([
    ['local:101/vm-101-disk-0.raw', 'disk', 'raw'],
    ['local:101/vm-101-disk-12.qcow2', 'disk', 'qcow2'],
    ['local:101/vm-101-cloudinit.qcow2', 'cloudinit', 'qcow2'],
    ['local:101/vm-101-state-before-update_2.raw', 'state', 'raw'],
    ['local:9000/base-9000-disk-0.qcow2', 'base', 'qcow2'],
    ['local:101/subvol-101-disk-0.subvol', 'disk', 'subvol'],
    ['my-store.1:101/vm-101-fleece-0.qcow2', 'other', 'qcow2'],
    ['local:9000/base-9000-disk-0.qcow2/101/vm-101-disk-0.qcow2', 'disk', 'qcow2'],
  ])('%s is a %s in %s, and is printed as it was', (text, kind, format) => {
    const volume = parseVolumeId(text);
    expect(volume).toMatchObject({ kind, format });
    expect(printVolumeId(volume)).toBe(text);
  });

  it('of a linked clone tells its base', () => {
    expect(parseVolumeId('local:9000/base-9000-disk-0.qcow2/101/vm-101-disk-0.qcow2')).toMatchObject({
      vmid: 101,
      name: 'vm-101-disk-0.qcow2',
      base: { vmid: 9000, name: 'base-9000-disk-0.qcow2' },
    });
    expect(parseVolumeId('local:101/vm-101-disk-0.raw').base).toBeNull();
  });

  it('has a name that is made from guest, number and format', () => {
    expect(diskName(101, { index: 3, format: 'raw' })).toBe('vm-101-disk-3.raw');
    expect(diskName(101, { index: 0, format: 'subvol' })).toBe('subvol-101-disk-0.subvol');
    expect(parseVolumeName('vm-101-disk-3.raw')).toMatchObject({ vmid: 101 });
    expect(parseVolumeName('.incoming-101-2-vm-101-disk-3.raw')).toBeNull();
  });
});
