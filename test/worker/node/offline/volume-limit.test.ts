import { afterEach, describe, expect, test } from 'vitest';
import { volumeLimit } from '../../../../worker/node/offline/volume-limit.js';
import { configuredNode } from '../../../support/configured-node.js';

const KIB = 1_024;
const STORAGES = [
  'dir: free\n\tpath /srv/free\n',
  'dir: slow\n\tpath /srv/slow\n\tbwlimit migration=100,default=5\n',
  'dir: slower\n\tpath /srv/slower\n\tbwlimit default=50\n',
  'dir: open\n\tpath /srv/open\n\tbwlimit migration=0\n',
].join('\n');
let remove: () => void = () => undefined;
afterEach(() => {
  remove();
});

interface Question {
  readonly from: string;
  readonly to: string;
  readonly asked?: number | null;
  readonly share?: number;
  readonly datacenter?: string;
}

async function limitOf({ from, to, asked = null, share, datacenter = '' }: Question): Promise<number> {
  const made = await configuredNode({ 'storage.cfg': STORAGES, 'datacenter.cfg': datacenter });
  remove = made.remove;
  return volumeLimit(
    made.node,
    { from: `${from}:101/vm-101-disk-0.raw`, to: `${to}:101/vm-101-disk-0.raw` },
    { bandwidthLimit: asked, ...(share === undefined ? {} : { bandwidthShare: share }) },
  );
}

describe('what the copy of a volume may take', () => {
  test.each<[string, Parameters<typeof limitOf>[0], number]>([
    ['is what was asked for, before any file', { from: 'slow', to: 'slower', asked: 7 * KIB }, 7 * KIB],
    ['is unlimited when 0 was asked for', { from: 'slow', to: 'slower', asked: 0, datacenter: 'bwlimit: migration=9\n' }, 0],
    ['is the least of what both storages allow', { from: 'slow', to: 'slower', datacenter: 'bwlimit: migration=9\n' }, 50 * KIB],
    ['counts the storage of the target', { from: 'free', to: 'slow' }, 100 * KIB],
    ['is that of datacenter.cfg when no storage has a say', { from: 'free', to: 'free', datacenter: 'bwlimit: migration=9\n' }, 9 * KIB],
    ['is none when a storage says so, before datacenter.cfg', { from: 'free', to: 'open', datacenter: 'bwlimit: migration=9\n' }, 0],
    ['is the share that was granted, when all else allows more', { from: 'free', to: 'slow', asked: 0, share: 60 * KIB }, 60 * KIB],
    ['is less than the share where a storage says so', { from: 'slow', to: 'slower', share: 60 * KIB }, 50 * KIB],
    ['is none when nobody sets one, on a storage that only the target has, too', { from: 'free', to: 'elsewhere' }, 0],
  ])('%s', async (_, request, expected) => {
    expect(await limitOf(request)).toBe(expected);
  });
});
