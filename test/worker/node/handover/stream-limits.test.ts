import { afterEach, describe, expect, test } from 'vitest';
import { parseVmid } from '../../../../src/domain/ids.js';
import { readStreamLimits } from '../../../../worker/node/handover/stream-limits.js';
import { configuredNode } from '../../../support/configured-node.js';

const KIB = 1_024;
const MIB = KIB * KIB;
const NOT_GIVEN = { bandwidthLimit: null, maxDowntimeMs: null };
let remove: () => void = () => undefined;
afterEach(() => {
  remove();
});

async function limitsWith(
  config: string,
  { datacenter, options = {} }: { datacenter?: string; options?: Partial<Record<keyof typeof NOT_GIVEN | 'bandwidthShare', number>> },
) {
  const made = await configuredNode({ 'qemu-server/101.conf': config, ...(datacenter === undefined ? {} : { 'datacenter.cfg': datacenter }) });
  remove = made.remove;
  return readStreamLimits(made.node, parseVmid(101), { ...NOT_GIVEN, ...options });
}

describe('what the RAM stream may take', () => {
  test('is as good as unlimited, with a pause of 300 ms, when nobody says anything', async () => {
    expect(await limitsWith('name: a\n', {})).toEqual({ bandwidthLimit: 16 * KIB * MIB, maxDowntimeMs: 300 });
  });

  test('is what datacenter.cfg and the guest say', async () => {
    const config = 'migrate_speed: 100\nmigrate_downtime: 0.05\n';
    expect(await limitsWith(config, { datacenter: 'bwlimit: default=9,migration=2048\n' })).toEqual({ bandwidthLimit: 2 * MIB, maxDowntimeMs: 50 });
  });

  test('is what was asked for, before both', async () => {
    const options = { bandwidthLimit: 5 * MIB + 1, maxDowntimeMs: 70 };
    expect(await limitsWith('migrate_downtime: 0.05\n', { datacenter: 'bwlimit: migration=2048\n', options })).toEqual(options);
  });

  test('is none after --bwlimit 0, whatever datacenter.cfg says', async () => {
    const { bandwidthLimit } = await limitsWith('name: a\n', { datacenter: 'bwlimit: migration=2048\n', options: { bandwidthLimit: 0 } });
    expect(bandwidthLimit).toBe(16 * KIB * MIB);
  });

  test('never is more than migrate_speed of the guest', async () => {
    const asked = await limitsWith('migrate_speed: 3\n', { options: { bandwidthLimit: 500 * MIB } });
    expect(asked.bandwidthLimit).toBe(3 * MIB);
    remove();
    const freed = await limitsWith('migrate_speed: 3\n', { options: { bandwidthLimit: 0 } });
    expect(freed.bandwidthLimit).toBe(3 * MIB);
  });

  test('never is more than the share that was granted, and less where something else says so', async () => {
    expect(await limitsWith('name: a\n', { options: { bandwidthLimit: 0, bandwidthShare: 7 * MIB } })).toMatchObject({ bandwidthLimit: 7 * MIB });
    remove();
    expect(await limitsWith('migrate_speed: 3\n', { options: { bandwidthShare: 7 * MIB } })).toMatchObject({ bandwidthLimit: 3 * MIB });
  });

  test('is refused with the line that cannot be read', async () => {
    await expect(limitsWith('name: a\n', { datacenter: 'bwlimit: migration=fast\n' })).rejects.toMatchObject({ code: 'bad-config', details: { line: 1 } });
  });
});
