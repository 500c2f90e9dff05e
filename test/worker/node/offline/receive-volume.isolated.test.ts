import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { syncVolume } from '../../../../src/drivers/storage/sync-volume.js';
import { digestVolume } from '../../../../worker/node/offline/digest-volume.js';
import { receivingNode, type ReceivingNode } from '../../../support/receiving-node.js';

vi.mock('../../../../src/drivers/storage/sync-volume.js', { spy: true });
vi.mock('../../../../worker/node/offline/digest-volume.js', { spy: true });

let receiving: ReceivingNode;
beforeEach(async () => {
  receiving = await receivingNode();
  vi.mocked(syncVolume).mockClear();
  vi.mocked(digestVolume).mockClear();
});
afterEach(() => {
  receiving.remove();
});

describe('the digest of a copy', () => {
  test('is told of what is durable: the whole of an image or of a tree, before it is read', async () => {
    for (const volume of await receiving.prepare(2)) {
      const path = await receiving.fill(2, volume);
      await receiving.digest(2, volume);
      const kind = volume.endsWith('.subvol') ? 'tree' : 'file';
      expect(vi.mocked(syncVolume).mock.lastCall).toEqual([{ path, kind }]);
      expect(vi.mocked(digestVolume).mock.lastCall?.[0]).toEqual({ path, kind });
      const [synced = NaN, read = NaN] = [syncVolume, digestVolume].map((call) => vi.mocked(call).mock.invocationCallOrder.at(-1));
      expect(synced).toBeLessThan(read);
    }
  });

  test('is not told of a copy that can not be made durable', async () => {
    const [volume = ''] = await receiving.prepare(2);
    vi.mocked(syncVolume).mockRejectedValueOnce(new Error('EIO'));
    await expect(receiving.digest(2, volume)).rejects.toThrow('EIO');
    expect(digestVolume).not.toHaveBeenCalled();
  });

  test('of a copy that is published already is that of the disk', async () => {
    const [volume = ''] = await receiving.prepare(2);
    await receiving.fill(2, volume);
    const before = await receiving.digest(2, volume);
    await receiving.publish(2, [volume]);
    expect(await receiving.digest(2, volume)).toBe(before);
  });
});
