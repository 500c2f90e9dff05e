import { expect, test, vi } from 'vitest';
import { parseNodeName } from '../../../../src/domain/ids.js';
import type { CopyProgress } from '../../../../src/domain/migration.js';
import type { CopiedVolume } from '../../../../src/domain/moving-volume.js';
import { DEFAULT_MIGRATION_OPTIONS } from '../../../../src/domain/migration.js';
import type { VolumesTask } from '../../../../worker/node/offline/copy-task.js';
import { VerifyMeter } from '../../../../worker/node/offline/verify-meter.js';
import { stepOf } from '../../../support/receiving-node.js';

const tree: CopiedVolume = { from: 'local:101/subvol.subvol', to: 'local:101/subvol.subvol', kind: 'tree', allocatedBytes: 600 };
const volume = (name: string, allocatedBytes: number): CopiedVolume => ({ from: `local:101/${name}`, to: `local:101/${name}`, kind: 'file', allocatedBytes });

const task: VolumesTask = {
  step: { ...stepOf(2), sequence: 1 },
  target: parseNodeName('node2'),
  options: DEFAULT_MIGRATION_OPTIONS,
  attempt: 1,
  signal: new AbortController().signal,
  report: () => undefined,
  prepared: { volumes: [], rsync: { version: '3.4.1', compression: [] } },
};

test('a comparison tells how much of all volumes was read, how fast, and when it will be done', () => {
  const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
  const told: CopyProgress[] = [];
  const volumes = [volume('small.raw', 100), volume('large.raw', 300)] as const;
  const meter = new VerifyMeter({ ...task, report: (progress) => told.push(progress), prepared: { ...task.prepared, volumes } });
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

test('a comparison of trees also tells of files, once they are all found', () => {
  const told: CopyProgress[] = [];
  const volumes = [volume('disk.raw', 400), tree] as const;
  const meter = new VerifyMeter({ ...task, report: (progress) => told.push(progress), prepared: { ...task.prepared, volumes } });
  meter.finished(volumes[0]);
  meter.reading(tree, 0.25, { done: 50, total: 200 });
  meter.finished(tree);
  expect(told.map(({ files }) => files)).toEqual([undefined, { done: 50, total: 200 }, { done: 200, total: 200 }]);
  expect(told.map(({ bytesSent }) => bytesSent)).toEqual([400, 550, 1_000]);
});
