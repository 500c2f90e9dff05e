import { describe, expect, it } from 'vitest';
import { openStorage } from '../../../../src/drivers/storage/open-storage.js';
import { parseStorageConfig } from '../../../../src/schema/storage-config.js';

const CONFIG = `dir: shared
\tpath /mnt/shared
\tshared 1
\tnodes node1,node2

dir: old
\tpath /srv/old
\tdisable

zfspool: tank
\tpool rpool/data
`;

describe('opening a storage', () => {
  const config = parseStorageConfig(CONFIG);
  const open = (id: string, node: string) => (): unknown => openStorage(config, { id, node });

  it('works on its nodes', () => {
    expect(open('shared', 'node1')()).toMatchObject({ id: 'shared', shared: true });
  });

  it('is refused where it is not, with the reason', () => {
    expect(open('shared', 'node3')).toThrow(expect.objectContaining({ code: 'not-found', message: expect.stringContaining('node3') }));
    expect(open('old', 'node1')).toThrow(expect.objectContaining({ code: 'not-found', message: expect.stringContaining('disabled') }));
    expect(open('nothing', 'node1')).toThrow(expect.objectContaining({ code: 'not-found' }));
    expect(open('tank', 'node1')).toThrow(expect.objectContaining({ code: 'unsupported', message: expect.stringContaining('zfspool') }));
  });
});
