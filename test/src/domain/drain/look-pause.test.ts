import { expect, test } from 'vitest';
import { lookPause } from '../../../../src/domain/drain/look-pause.js';

test('a drain that sees the same again and again looks less often, up to every sixth time', () => {
  const pauses = [0, 1, 2, 3, 500].map((sameLooks) => lookPause({ lookMs: 10_000, sameLooks, dueInMs: [] }));
  expect(pauses).toEqual([10_000, 20_000, 40_000, 60_000, 60_000]);
});

test('it never sleeps past what is due', () => {
  expect(lookPause({ lookMs: 10_000, sameLooks: 9, dueInMs: [-5, 31_000, 90_000] })).toBe(31_000);
});
