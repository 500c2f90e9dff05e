import { expect, it } from 'vitest';
import { parseStats } from '../../../../src/drivers/rsync/parse-stats.js';

const LINES = `
Number of files: 1 (reg: 1)
Number of created files: 1 (reg: 1)
Number of deleted files: 0
Number of regular files transferred: 1
Total file size: 67,108,864 bytes
Total transferred file size: 67108864 bytes
Literal data: 20971520 bytes
Matched data: 46137344 bytes
File list size: 0
Total bytes sent: 67125323
Total bytes received: 35

sent 67,125,323 bytes  received 35 bytes  26,850,143.20 bytes/sec
total size is 67,108,864  speedup is 1.00`.split('\n');

it('the statistics of a pass are read, grouped digits or not', () => {
  expect(parseStats(LINES)).toEqual({
    filesTransferred: 1,
    totalFileBytes: 67_108_864,
    literalBytes: 20_971_520,
    matchedBytes: 46_137_344,
    sentBytes: 67_125_323,
    receivedBytes: 35,
  });
});

it('statistics that lack one number are none', () => {
  expect(parseStats(LINES.filter((line) => !line.startsWith('Literal')))).toBeNull();
  expect(parseStats([])).toBeNull();
});
