import { describe, expect, it } from 'vitest';
import { mapId, parseIdMap } from '../../../src/domain/id-map.js';

describe('a storage map', () => {
  it.each([
    ['fast', { local: 'fast', nfs: 'fast' }],
    ['local:fast', { local: 'fast', nfs: 'nfs' }],
    ['local:fast,nfs:slow', { local: 'fast', nfs: 'slow' }],
    ['local:fast;other', { local: 'fast', nfs: 'other' }],
    [' local:fast  other ', { local: 'fast', nfs: 'other' }],
    ['local:fast\0other', { local: 'fast', nfs: 'other' }],
    ['1', { local: 'local', nfs: 'nfs' }],
    ['', { local: 'local', nfs: 'nfs' }],
  ])('%j sends each source where it says', (text, targets) => {
    const map = parseIdMap('storage', text);
    for (const [source, target] of Object.entries(targets)) expect(mapId(map, source)).toBe(target);
    expect(map.identity).toBe(text === '1');
  });

  it.each([
    ['local:a1,local:b1', "duplicate mapping for source 'local'"],
    ['a1,b1', 'default target ID can only be provided once'],
    ['1,a1', 'identity mapping cannot be combined with other mappings'],
    ['a1:b1,1', 'identity mapping cannot be combined with other mappings'],
    ['local:9x', "entry 'local:9x' contains invalid ID - storage ID '9x' contains illegal characters"],
    ['a', "entry 'a' contains invalid ID - storage ID 'a' contains illegal characters"],
    ['a1:b1:c1', "entry 'a1:b1:c1' contains invalid ID - storage ID 'a1:b1:c1' contains illegal characters"],
    ['a1:', "entry 'a1:' contains invalid ID - storage ID 'a1:' contains illegal characters"],
  ])('%j is refused with the text of PVE', (text, reason) => {
    expect(() => parseIdMap('storage', text)).toThrow(expect.objectContaining({ code: 'bad-input', message: `failed to parse storage map: ${reason}` }));
  });
});

describe('a bridge map', () => {
  it('takes names of bridges, which may be short or begin with a digit', () => {
    expect(mapId(parseIdMap('bridge', 'vmbr0:1x,b'), 'vmbr0')).toBe('1x');
    expect(mapId(parseIdMap('bridge', 'vmbr0:1x,b'), 'vmbr1')).toBe('b');
  });

  it('is refused under its own name', () => {
    expect(() => parseIdMap('bridge', 'vmbr0:a/b')).toThrow("failed to parse bridge map: entry 'vmbr0:a/b' contains invalid ID - invalid bridge ID 'a/b'");
  });
});
