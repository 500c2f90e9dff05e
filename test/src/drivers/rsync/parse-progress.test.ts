import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { ProgressParser, type RsyncProgress } from '../../../../src/drivers/rsync/parse-progress.js';

const report = (text: string): RsyncProgress | undefined => new ProgressParser().push(Buffer.from(`${text}\r`)).progress[0];

describe('progress of rsync', () => {
  it.each([
    ['    209,715,200 100%  316.91MB/s    0:00:00 (xfr#1, to-chk=0/1)', 209_715_200, 100, 332_304_220, 0, { done: 1, total: 1 }],
    ['      67108864  63%   40.81kB/s    1:02:03  ', 67_108_864, 63, 41_789, 3_723, null],
    ['    209.715.200 100%  316,91MB/s    0:00:00 (xfr#70, to-chk=930/1200)', 209_715_200, 100, 332_304_220, 0, { done: 270, total: 1_200 }],
    ["        209'715 5%    1.00GB/s  100:00:00", 209_715, 5, 1_073_741_824, 360_000, null],
    ['              0   0%    0.00kB/s    0:00:00', 0, 0, 0, 0, null],
  ])('is read from %j', (text, bytes, percent, bytesPerSecond, remainingSeconds, files) => {
    expect(report(text)).toEqual({ bytes, percent, bytesPerSecond, remainingSeconds, files });
  });

  it.each(['         32,768  12%', '         32,768  12%   ??', '32768  12% (xfr#1)'])('may say neither rate nor time, as %j', (text) => {
    expect(report(text)).toEqual({ bytes: 32_768, percent: 12, bytesPerSecond: null, remainingSeconds: null, files: null });
  });

  it('is told from other lines, which are handed on', () => {
    const parser = new ProgressParser();
    expect(parser.push(Buffer.from('sending incremental file list\n  100  1%\r  200  2%\rTotal file size: 5 bytes\nrest'))).toMatchObject({
      progress: [{ bytes: 100 }, { bytes: 200 }],
      lines: ['sending incremental file list', 'Total file size: 5 bytes'],
    });
    expect(parser.end().lines).toEqual(['rest']);
    expect(parser.end().lines).toEqual([]);
  });

  it('drops a line without end instead of keeping it, and goes on after it', () => {
    const parser = new ProgressParser();
    for (let count = 0; count < 100; count += 1) expect(parser.push(Buffer.alloc(10_000, 'x')).lines).toEqual([]);
    expect(parser.push(Buffer.from(' 7 1%\r 300  3%\r'))).toMatchObject({ progress: [{ bytes: 300 }], lines: [] });
  });

  test.prop([fc.array(fc.nat(80), { maxLength: 20 })])('is the same however the output is cut', (cuts) => {
    const text = Buffer.from('start é\n  1,000   1%    1.00MB/s    0:00:01  \r  2,000   2%\r\nTotal bytes sent: 12\n\n');
    const parser = new ProgressParser();
    const parsed = [...new Set([0, ...cuts, text.length])]
      .sort((left, right) => left - right)
      .map((cut, index, all) => parser.push(text.subarray(cut, all[index + 1] ?? cut)));
    expect(parsed.flatMap(({ progress }) => progress.map(({ bytes }) => bytes))).toEqual([1_000, 2_000]);
    expect(parsed.flatMap(({ lines }) => lines)).toEqual(['start Ã©', 'Total bytes sent: 12']);
  });

  test.prop([fc.uint8Array({ maxLength: 400 })])('of garbage never throws and never makes numbers up that are not numbers', (bytes) => {
    const parser = new ProgressParser();
    for (const { bytes: done, percent } of [...parser.push(Buffer.from(bytes)).progress, ...parser.end().progress]) {
      expect(Number.isFinite(done) && Number.isFinite(percent)).toBe(true);
    }
  });
});
