import { describe, expect, it } from 'vitest';
import { parseStorageConfig } from '../../../src/schema/storage-config.js';

const CONFIG = `# storages of the lab
dir: local
\tpath /var/lib/kedge/images
\tcontent images,iso

dir: shared
    path /mnt/shared
    shared 1
    nodes node1, node2

dir: old
\tpath /srv/old
\tdisable

zfspool: tank
\tpool rpool/data
\tsparse
`;

describe('storage.cfg', () => {
  const config = parseStorageConfig(CONFIG);

  it('defines storages of type dir', () => {
    expect(config.storages).toMatchObject([
      { id: 'local', type: 'dir', path: '/var/lib/kedge/images', content: ['images', 'iso'], shared: false, nodes: null, disabled: false },
      { id: 'shared', type: 'dir', path: '/mnt/shared', content: ['images', 'rootdir'], shared: true, nodes: ['node1', 'node2'], disabled: false },
      { id: 'old', type: 'dir', path: '/srv/old', content: ['images', 'rootdir'], shared: false, nodes: null, disabled: true },
    ]);
  });

  it('has all options that PVE has for a folder', () => {
    const text = [
      'dir: full',
      '\tpath /full',
      '\tbwlimit default=100,migration=50.5',
      '\tcontent-dirs iso=images/iso,vztmpl=t',
      '\tcreate-subdirs 0',
      '\tformat qcow2',
      '\tis_mountpoint yes',
      '\tpreallocation off',
      '\tsnapshot-as-volume-chain',
    ].join('\n');
    expect(parseStorageConfig(text).storages).toMatchObject([
      {
        bandwidthLimits: { default: 100, migration: 50.5 },
        contentDirs: { iso: 'images/iso', vztmpl: 't' },
        createBasePath: true,
        createSubdirs: false,
        format: 'qcow2',
        mountPoint: '/full',
        preallocation: 'off',
        snapshotAsVolumeChain: true,
      },
    ]);
    expect(config.storages[0]).toMatchObject({
      bandwidthLimits: null,
      contentDirs: {},
      createSubdirs: true,
      format: 'raw',
      mountPoint: null,
      preallocation: null,
    });
    expect(parseStorageConfig('dir: m1\n\tpath /a\n\tmkdir 0\n\tis_mountpoint /b').storages).toMatchObject([{ createBasePath: false, mountPoint: '/b' }]);
  });

  it('keeps storages of other types', () => {
    expect(config.unknown).toEqual([{ id: 'tank', type: 'zfspool', properties: { pool: 'rpool/data', sparse: '1' } }]);
  });

  it('may be empty', () => {
    expect(parseStorageConfig('')).toEqual({ storages: [], unknown: [] });
  });

  it.each([
    ['dir local', 1, 1],
    ['dir: x\n\tpath /a', 1, 6],
    ['\tpath /a', 1, 1],
    ['dir: local\n\tpath /a\n\n\tshared 1', 4, 1],
    ['dir: local\n\tpath /a\n\tpath /b', 3, 1],
    ['dir: local\n\tpath /a\n\ndir: local\n\tpath /b', 4, 6],
    ['dir: local\n\tpath /a\ndir: other\n\tpath /b', 3, 1],
    ['dir: local\n\tpath relative', 2, 7],
    ['dir: local\n\tpath /a/../b', 1, 1],
    ['dir: local\n\tcontent images', 1, 1],
    ['dir: local\n\tpath /a\n\tcontent images,films', 3, 17],
    ['dir: local\n\tpath /a\n\tshared perhaps', 3, 9],
    ['dir: local\n\tpath /a\n\tshared yes', 3, 9],
    ['dir: local\n\tpath /a\n\tformat', 3, 2],
    ['dir: local\n\tpath /a\n\tbwlimit migration=x', 3, 20],
  ])('is refused for %j with line %d and column %d', (text, line, column) => {
    expect(() => parseStorageConfig(text)).toThrow(
      expect.objectContaining({ code: 'bad-config', details: { line, column }, message: expect.stringContaining('Cannot read storage.cfg at line') }),
    );
  });

  it('takes what it does not use, whatever it says, but not a line that is none', () => {
    expect(parseStorageConfig('nfs: n1\n\tserver ???\n').unknown).toEqual([{ id: 'n1', type: 'nfs', properties: { server: '???' } }]);
    expect(() => parseStorageConfig('nfs n1\n')).toThrow(expect.objectContaining({ code: 'bad-config' }));
  });
});
