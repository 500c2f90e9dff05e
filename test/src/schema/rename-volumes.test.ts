import { describe, expect, it } from 'vitest';
import { renameVolumes } from '../../../src/schema/rename-volumes.js';

const names = new Map([
  ['local:101/vm-101-disk-0.qcow2', 'fast:101/vm-101-disk-2.qcow2'],
  ['local:101/vm-101-state-before.raw', 'fast:101/vm-101-state-before.raw'],
]);

describe('renamed volumes', () => {
  it('have their new names in every section, and nothing else changes', () => {
    const config = [
      '#about local:101/vm-101-disk-0.qcow2',
      'scsi0: local:101/vm-101-disk-0.qcow2,discard=on,size=1G',
      'scsi1: cache=none,file=local:101/vm-101-disk-0.qcow2',
      'scsi2: local:101/vm-101-disk-01.qcow2,size=1G',
      'unused0: local:101/vm-101-disk-0.qcow2',
      '',
      '[before]',
      'scsi0: local:101/vm-101-disk-0.qcow2,size=1G',
      'vmstate: local:101/vm-101-state-before.raw',
      '',
    ].join('\n');
    expect(renameVolumes(config, names).split('\n')).toEqual([
      '#about local:101/vm-101-disk-0.qcow2',
      'scsi0: fast:101/vm-101-disk-2.qcow2,discard=on,size=1G',
      'scsi1: cache=none,file=fast:101/vm-101-disk-2.qcow2',
      'scsi2: local:101/vm-101-disk-01.qcow2,size=1G',
      'unused0: fast:101/vm-101-disk-2.qcow2',
      '',
      '[before]',
      'scsi0: fast:101/vm-101-disk-2.qcow2,size=1G',
      'vmstate: fast:101/vm-101-state-before.raw',
      '',
    ]);
  });

  it('are found in the mount points of a container', () => {
    expect(renameVolumes('mp0: volume=local:101/a,mp=/data\r\n', new Map([['local:101/a', 'x:101/b']]))).toBe('mp0: volume=x:101/b,mp=/data\r\n');
  });
});
