import { expect, test, vi } from 'vitest';
import { parseNodeName } from '../../../../src/domain/ids.js';
import type { CopyProgress } from '../../../../src/domain/migration.js';
import type { CopiedVolume } from '../../../../src/domain/moving-volume.js';
import { DEFAULT_MIGRATION_OPTIONS } from '../../../../src/domain/migration.js';
import { VerifyMeter } from '../../../../worker/node/offline/verify-meter.js';
import { stepOf } from '../../../support/receiving-node.js';

const volume = (name: string, allocatedBytes: number): CopiedVolume => ({ from: `local:101/${name}`, to: `local:101/${name}`, kind: 'file', allocatedBytes });

test('a comparison tells how much of all volumes was read, how fast, and when it will be done', () => {
  const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
  const told: CopyProgress[] = [];
  const volumes = [volume('small.raw', 100), volume('large.raw', 300)] as const;
  const meter = new VerifyMeter({
    step: { ...stepOf(2), sequence: 1 },
    target: parseNodeName('node2'),
    options: DEFAULT_MIGRATION_OPTIONS,
    attempt: 1,
    signal: new AbortController().signal,
    report: (progress) => told.push(progress),
    prepared: { volumes, rsync: { version: '3.4.1', compression: [] } },
  });
  clock.mockReturnValue(1_000);
  meter.reading(volumes[0], 0.5);
  clock.mockReturnValue(2_000);
  meter.finished(volumes[0]);
  clock.mockReturnValue(4_000);
  meter.reading(volumes[1], 1 / 3);
  clock.mockRestore();
  expect(told.map(({ bytesSent, bytesLeft, bytesTotal, rate, etaSeconds }) => [bytesSent, bytesLeft, bytesTotal, rate, etaSeconds])).toEqual([
    [50, 350, 400, 50, 7],
    [100, 300, 400, 50, 6],
    [200, 200, 400, 50, 4],
  ]);
});
