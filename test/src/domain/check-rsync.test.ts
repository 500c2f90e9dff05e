import { describe, expect, test } from 'vitest';
import { checkMigration } from '../../../src/domain/check-migration.js';
import { checkRsync, type RsyncLook } from '../../../src/domain/check-rsync.js';
import { disk, facts, guest, inventory, node1, node2 } from '../../support/migration-facts.js';

describe('the rsync of a node', () => {
  test.each<[string, RsyncLook | undefined, string | null]>([
    ['that is new enough is fine', { version: '3.2.4' }, null],
    ['that is newer is fine', { version: '3.10.0pre1' }, null],
    ['that lacks an option of the copy is refused', { version: '3.2.3' }, 'node1 has rsync 3.2.3, which is too old to copy disks'],
    ['that is not there is refused with its reason', { unusable: 'no rsync' }, 'node1 has no rsync to copy disks with: no rsync'],
    ['of which an older Kedge says nothing is left to the copy', undefined, null],
  ])('%s', (_, rsync, text) => {
    expect(checkRsync(node1, rsync).map((found) => found.text)).toEqual(text === null ? [] : [text]);
  });

  const none: RsyncLook = { unusable: 'none' };
  const found = (movement: 'live' | 'restart' | 'offline', volumes: readonly ReturnType<typeof disk>[]): readonly string[] =>
    checkMigration(
      facts({
        sourceSide: { findings: [], guest: guest({ movement, volumes }), inventory: inventory(node1), rsync: none },
        targetSide: { findings: [], inventory: inventory(node2), rsync: none },
      }),
    ).map(({ id, text }) => `${id}: ${text.split(' ')[0] ?? ''}`);

  test('is asked for on both sides where disks are copied', () => {
    for (const movement of ['restart', 'offline'] as const) expect(found(movement, [disk()])).toEqual(['rsync-missing: node1', 'rsync-missing: node2']);
  });

  test('does not matter where nothing is copied: for a guest that runs on, or whose disks are all shared', () => {
    expect([...found('live', []), ...found('restart', [])]).toEqual([]);
  });
});
