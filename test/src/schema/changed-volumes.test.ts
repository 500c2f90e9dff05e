import { describe, expect, test } from 'vitest';
import { changedVolumes } from '../../../src/schema/changed-volumes.js';

const A = 'local:101/vm-101-disk-0.raw';
const B = 'local:101/vm-101-disk-1.raw';
const ROOT = 'local:101/subvol-101-disk-0.subvol';

describe('changedVolumes()', () => {
  test.each<[string, string, string, readonly string[]]>([
    ['finds none in equal configs', `virtio0: ${A},size=1M\n`, `virtio0: ${A},size=1M\n`, []],
    ['finds none where other things were edited', `virtio0: ${A},size=1M\nmemory: 64\n`, `#a note\nmemory: 128\nvirtio0: ${A},size=2M,cache=none\n`, []],
    ['finds one that was added', `virtio0: ${A}\n`, `virtio0: ${A}\nvirtio1: ${B}\n`, [B]],
    ['finds one that was added by a snapshot or a pending change', `virtio0: ${A}\n`, `virtio0: ${A}\n\n[PENDING]\nvirtio1: ${B}\n`, [B]],
    ['finds one that was removed', `virtio0: ${A}\nvirtio1: ${B}\n`, `virtio1: ${B}\n`, [A]],
    ['finds both of an exchange', `virtio0: ${A}\n`, `virtio0: ${B}\n`, [A, B]],
    ['finds one that is copied now and was a medium before', `ide2: ${A},media=cdrom\n`, `ide2: ${A}\n`, [A]],
  ])('%s', (_, before, after, expected) => {
    expect(changedVolumes('qemu', before, after)).toEqual(expected);
  });

  test('knows the volumes of containers', () => {
    const config = `rootfs: ${ROOT}\n`;
    expect(changedVolumes('lxc', config, `${config}mp0: /srv/data,mp=/data\n`)).toEqual(['/srv/data']);
    expect(changedVolumes('lxc', `${config}mp0: /srv/data,mp=/data\n`, `${config}mp0: /srv/data,mp=/data,shared=1\n`)).toEqual(['/srv/data']);
  });
});
