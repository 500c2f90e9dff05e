import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { imagePassArguments, treePassArguments } from '../../../../src/drivers/rsync/rsync-arguments.js';

const target = { node: 'node2', token: '0'.repeat(32), remoteShell: ['ssh', '-p', '22'] };
const image = { source: '/srv/vm-101-disk-0.raw', target, final: false, compression: 'none', targetIsEmpty: false } as const;
const tree = { source: '/srv/subvol-101-disk-0.subvol', target, final: false, compression: 'none' } as const;

describe('a pass over an image', () => {
  it('sends the whole file into an empty target, and deltas after that', () => {
    expect(imagePassArguments({ ...image, targetIsEmpty: true })).toContain('--whole-file');
    expect(imagePassArguments(image)).toContain('--no-whole-file');
  });

  it('keeps holes, writes in place, and never trusts size and time', () => {
    for (const final of [false, true]) {
      const args = imagePassArguments({ ...image, final });
      expect(args).toEqual(
        expect.arrayContaining(['--inplace', '--sparse', '--ignore-times', '--partial', '--block-size=131072', '--max-alloc=8G', '--timeout=60']),
      );
    }
  });

  it('is on disk when the final one has ended', () => {
    expect(imagePassArguments({ ...image, final: true })).toContain('--fsync');
    expect(imagePassArguments(image)).not.toContain('--fsync');
  });

  it('names paths last, so that none is taken for an option', () => {
    expect(imagePassArguments({ ...image, source: '/srv/-rf:node9.raw' }).slice(-3)).toEqual(['--', '/srv/-rf:node9.raw', `node2:${'0'.repeat(32)}`]);
    expect(() => imagePassArguments({ ...image, source: 'node9:/etc' })).toThrow(expect.objectContaining({ code: 'bad-input' }));
    expect(() => imagePassArguments({ ...image, source: '-e/bin/sh' })).toThrow(expect.objectContaining({ code: 'bad-input' }));
  });

  it('compresses as chosen', () => {
    expect(imagePassArguments(image).filter((arg) => arg.includes('compress'))).toEqual([]);
    expect(imagePassArguments({ ...image, compression: 'lz4' })).toEqual(expect.arrayContaining(['--compress', '--compress-choice=lz4']));
    expect(imagePassArguments({ ...image, compression: 'zstd' })).toEqual(expect.arrayContaining(['--compress-choice=zstd', '--compress-level=1']));
  });

  it('limits the bandwidth in KiB/s, 0 being no limit', () => {
    expect(imagePassArguments({ ...image, bwlimitKibps: 12_500 })).toContain('--bwlimit=12500');
    expect(imagePassArguments({ ...image, bwlimitKibps: 0 }).join(' ')).not.toContain('bwlimit');
    for (const bwlimitKibps of [-1, 0.5, Number.NaN]) {
      expect(() => imagePassArguments({ ...image, bwlimitKibps })).toThrow(expect.objectContaining({ code: 'bad-input' }));
    }
  });

  it('hands ssh over in one word that rsync splits as it was', () => {
    const remoteShell = ['ssh', '-i', "/a key's path", '-o', 'X=1'];
    expect(imagePassArguments({ ...image, target: { ...target, remoteShell } })).toContain("--rsh=ssh -i '/a key''s path' -o X=1");
  });

  it('goes to a token, never to a path', () => {
    for (const token of ['/etc/passwd', '', '0'.repeat(31), `${'0'.repeat(32)}/..`]) {
      expect(() => imagePassArguments({ ...image, target: { ...target, token } })).toThrow(expect.objectContaining({ code: 'bad-input' }));
    }
  });
});

describe('a pass over a tree', () => {
  it('copies everything that a root file system has, and deletes what is no longer there', () => {
    const args = treePassArguments(tree);
    const wanted = ['--archive', '--hard-links', '--acls', '--xattrs', '--sparse', '--numeric-ids', '--delete', '--one-file-system', '--modify-window=-1'];
    expect(args).toEqual(expect.arrayContaining(wanted));
  });

  it('copies the content of the folder, with or without a slash at the end of its path', () => {
    for (const source of [tree.source, `${tree.source}/`]) {
      expect(treePassArguments({ ...tree, source }).slice(-2)).toEqual([`${tree.source}/`, `node2:${'0'.repeat(32)}/`]);
    }
  });

  it('compares contents when asked to', () => {
    expect(treePassArguments(tree)).not.toContain('--checksum');
    expect(treePassArguments({ ...tree, checksum: true })).toContain('--checksum');
  });

  it('that compares contents bears the silence of a side that reads for long', () => {
    expect(treePassArguments(tree)).toContain('--timeout=60');
    expect(treePassArguments({ ...tree, checksum: true })).toContain('--timeout=3600');
  });
});

test.prop([
  fc.record({
    source: fc.string().map((name) => `/${name.replaceAll('\0', '')}`),
    final: fc.boolean(),
    targetIsEmpty: fc.boolean(),
    checksum: fc.boolean(),
    compression: fc.constantFrom('none', 'lz4', 'zstd'),
    bwlimitKibps: fc.nat(),
  }),
])('no pass ever appends: with --sparse that would empty the target', (options) => {
  for (const args of [imagePassArguments({ ...options, target }), treePassArguments({ ...options, target })]) {
    const end = args.indexOf('--');
    expect(args.slice(0, end).filter((arg) => arg.startsWith('--append'))).toEqual([]);
    expect(args.length - end).toBe(3);
  }
});
