import { describe, expect, it } from 'vitest';
import { parseRsyncVersion } from '../../../../src/drivers/rsync/probe-rsync.js';

describe('the version of rsync', () => {
  it('comes with its compressions', () => {
    const text = 'rsync  version 3.2.7  protocol version 31\nCopyright …\nChecksum list:\n    xxh128 md5 none\nCompress list:\n    zstd lz4 zlibx zlib none\n';
    expect(parseRsyncVersion(text)).toEqual({ version: '3.2.7', compression: ['zstd', 'lz4', 'zlibx', 'zlib'] });
  });

  it('of before 3.2 has none', () => {
    expect(parseRsyncVersion('rsync  version v3.1.3  protocol version 31\n')).toEqual({ version: '3.1.3', compression: [] });
  });

  it('is not made up', () => {
    expect(() => parseRsyncVersion('sh: rsync: not found')).toThrow(expect.objectContaining({ code: 'copy-refused' }));
  });
});
