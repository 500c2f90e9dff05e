import { describe, expect, test } from 'vitest';
import { ANY_PAUSE_LIMIT_MS, expectedBlackoutMs, judgeConvergence, type ConvergenceSettings, type PassReading } from '../../../src/domain/convergence.js';

const MIB = 2 ** 20;
const SETTINGS: ConvergenceSettings = { maxDowntimeMs: 300, onStall: 'abort', stallWindowMs: 40_000 };

/** Readings of passes 1, 2, … with what is left at each boundary, one second apart, at 100 MiB/s. */
function passes(...leftMiB: readonly number[]): PassReading[] {
  return leftMiB.map((left, index) => ({ pass: index + 1, remainingBytes: left * MIB, bandwidth: 100 * MIB, atMs: index * 1_000 }));
}

describe('judgeConvergence()', () => {
  test('the first pass says nothing about the guest', () => {
    expect(judgeConvergence(passes(1), SETTINGS)).toEqual({ do: 'iterate' });
  });

  test('a rest that still shrinks is worth another pass although it fits', () => {
    expect(judgeConvergence(passes(512, 20, 10), SETTINGS)).toEqual({ do: 'iterate' });
  });

  test('a rest of a few milliseconds is short enough once two passes are done, even while it shrinks', () => {
    expect(judgeConvergence(passes(512, 2), SETTINGS)).toEqual({ do: 'iterate' });
    expect(judgeConvergence(passes(512, 20, 2), SETTINGS)).toEqual({ do: 'raise-limit', limitMs: 300 });
  });

  test('a rest that fits and shrinks no more is the time to switch over', () => {
    expect(judgeConvergence(passes(512, 10, 9.5), SETTINGS)).toEqual({ do: 'raise-limit', limitMs: 300 });
  });

  test('a rest that does not fit is iterated until the stall window has passed', () => {
    expect(judgeConvergence(passes(512, 200, 200, 201), SETTINGS)).toEqual({ do: 'iterate' });
  });

  test('a stalled copy is given up by default, with the numbers in the reason', () => {
    const stalled = passes(512, ...Array.from({ length: 60 }, () => 200));
    const decision = judgeConvergence(stalled, SETTINGS);
    expect(decision).toMatchObject({ do: 'give-up' });
    expect(decision).toHaveProperty('reason', expect.stringContaining('200 MiB left'));
  });

  test('a stalled copy is forced when a longer pause is accepted', () => {
    const stalled = passes(512, ...Array.from({ length: 60 }, () => 200));
    expect(judgeConvergence(stalled, { ...SETTINGS, onStall: 'force' })).toEqual({ do: 'raise-limit', limitMs: ANY_PAUSE_LIMIT_MS });
  });

  test('a copy that makes slow progress beyond the window is no stall', () => {
    const slow = passes(512, ...Array.from({ length: 60 }, (_, index) => 400 - index));
    expect(judgeConvergence(slow, SETTINGS)).toEqual({ do: 'iterate' });
  });

  test.each([1, 10, 24, 25, 30])('a budget of %i ms, at or below the cost of any hand-over, can be met by a small rest', (maxDowntimeMs) => {
    expect(judgeConvergence(passes(512, 0.02, 0.02), { ...SETTINGS, maxDowntimeMs })).toEqual({ do: 'raise-limit', limitMs: maxDowntimeMs });
  });

  test('a small budget is no licence for a large rest', () => {
    expect(judgeConvergence(passes(512, 10, 10), { ...SETTINGS, maxDowntimeMs: 20 })).toEqual({ do: 'iterate' });
  });
});

test('without a rate no blackout can be promised', () => {
  expect(expectedBlackoutMs({ remainingBytes: 0, bandwidth: 0 })).toBe(Number.POSITIVE_INFINITY);
});
