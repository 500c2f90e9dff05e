import { expect, test } from 'vitest';
import { formatBytes } from '../../../src/domain/format-bytes.js';

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_000, '0.98 KiB'],
  [1_536, '1.50 KiB'],
  [9.995 * 2 ** 20, '10.0 MiB'],
  [99.96 * 2 ** 20, '100 MiB'],
  [1_023 * 2 ** 20, '1.00 GiB'],
  [5 * 2 ** 50, '5120 TiB'],
  [-1, '0 B'],
])('%d bytes reads %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});
