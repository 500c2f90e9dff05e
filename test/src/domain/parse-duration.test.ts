import { expect, test } from 'vitest';
import { parseDuration } from '../../../src/domain/parse-duration.js';

test.each([
  ['90', 90_000],
  ['250ms', 250],
  ['90s', 90_000],
  ['1h30m', 5_400_000],
  ['2d', 172_800_000],
])('%s is %d ms', (text, durationMs) => {
  expect(parseDuration(text, 'timeout')).toBe(durationMs);
});

test.each(['', '5 m', 'm5', '-1s', '1.5h', 'soon'])('"%s" is refused with the name of the field', (text) => {
  expect(() => parseDuration(text, 'timeout')).toThrow(`Cannot read timeout: current value is "${text}"`);
});
