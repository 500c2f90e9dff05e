import { expect, test } from 'vitest';
import { formatDuration } from '../../../src/domain/format-duration.js';

test.each([
  [0, '0 ms'],
  [87.4, '87 ms'],
  [4_260, '4.2 s'],
  [59_999, '59 s'],
  [185_000, '3 m 05 s'],
  [3_600_000, '1 h 00 m'],
  [187_200_000, '2 d 4 h'],
])('%d ms reads %s', (durationMs, text) => {
  expect(formatDuration(durationMs)).toBe(text);
});
