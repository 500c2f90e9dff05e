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
    expect(config.storages).toEqual([
      { id: 'local', type: 'dir', path: '/var/lib/kedge/images', content: ['images', 'iso'], shared: false, nodes: null, disabled: false },
      { id: 'shared', type: 'dir', path: '/mnt/shared', content: ['images', 'rootdir'], shared: true, nodes: ['node1', 'node2'], disabled: false },
      { id: 'old', type: 'dir', path: '/srv/old', content: ['images', 'rootdir'], shared: false, nodes: null, disabled: true },
    ]);
  });

  it('keeps storages of other types', () => {
    expect(config.unknown).toEqual([{ id: 'tank', type: 'zfspool', properties: { pool: 'rpool/data', sparse: '1' } }]);
  });

  it('may be empty', () => {
    expect(parseStorageConfig('')).toEqual({ storages: [], unknown: [] });
  });

  it.each([
    ['dir local', 1],
    ['dir: x\n\tpath /a', 1],
    ['\tpath /a', 1],
    ['dir: local\n\tpath /a\n\n\tshared 1', 4],
    ['dir: local\n\tpath /a\n\tpath /b', 3],
    ['dir: local\n\tpath /a\ndir: local\n\tpath /b', 3],
    ['dir: local\n\tpath relative', 1],
    ['dir: local\n\tpath /a/../b', 1],
    ['dir: local\n\tcontent images', 1],
    ['dir: local\n\tpath /a\n\tshared perhaps', 1],
  ])('is refused for %j with line %d', (text, line) => {
    expect(() => parseStorageConfig(text)).toThrow(expect.objectContaining({ code: 'bad-config', details: { line } }));
  });
});
