import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { judgeConvergence, STALL_WINDOW_MS } from '../../../../src/domain/convergence.js';
import type { MigrationInfo } from '../../../../src/drivers/qemu/migration-info.js';
import { CopyMeter } from '../../../../worker/node/handover/copy-meter.js';

const MIB = 2 ** 20;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

function infoWith(ram: { remaining: number; transferred: number }): MigrationInfo {
  return {
    status: 'active',
    ram: { total: 1_024 * MIB, mbps: 8_388.608, dirtyPagesRate: 0, pageSize: 4_096, dirtySyncCount: 2, multifdBytes: 0, ...ram },
    expectedDowntimeMs: null,
    downtimeMs: null,
    setupTimeMs: null,
    totalTimeMs: null,
    errorDesc: null,
    socketAddress: [],
    blockedReasons: [],
  };
}

/** Passes of `passMs` each that never get below `leftMiB`, for `durationMs`. */
function iterate(meter: CopyMeter, { passMs, durationMs, leftMiB }: { passMs: number; durationMs: number; leftMiB: number }): void {
  for (let pass = 1; pass * passMs <= durationMs; pass += 1) {
    vi.advanceTimersByTime(passMs);
    meter.passBegins(pass, infoWith({ remaining: leftMiB * MIB, transferred: pass * MIB }));
  }
}

describe('CopyMeter', () => {
  test.each([20, 79, 500, 5_000])('remembers the whole stall window with passes of %i ms', (passMs) => {
    const meter = new CopyMeter([]);
    iterate(meter, { passMs, durationMs: STALL_WINDOW_MS + 12_000, leftMiB: 400 });
    const settings = { maxDowntimeMs: 300, stallWindowMs: STALL_WINDOW_MS };
    expect(judgeConvergence(meter.readings, { ...settings, onStall: 'abort' })).toMatchObject({ do: 'give-up' });
    expect(judgeConvergence(meter.readings, { ...settings, onStall: 'force' })).toMatchObject({ do: 'raise-limit' });
  });

  test('keeps a bounded number of readings, and the best of each second among them', () => {
    const meter = new CopyMeter([]);
    iterate(meter, { passMs: 20, durationMs: 3_600_000, leftMiB: 400 });
    expect(meter.readings.length).toBeLessThanOrEqual(500);
    vi.advanceTimersByTime(20);
    meter.passBegins(200_000, infoWith({ remaining: 7 * MIB, transferred: 1 }));
    iterate(meter, { passMs: 20, durationMs: 10_000, leftMiB: 400 });
    expect(Math.min(...meter.readings.map(({ remainingBytes }) => remainingBytes))).toBe(7 * MIB);
  });

  test('forgets its readings when the copy begins to be judged anew, as after a hold', () => {
    const meter = new CopyMeter([]);
    iterate(meter, { passMs: 500, durationMs: STALL_WINDOW_MS + 5_000, leftMiB: 400 });
    meter.judgeAnew();
    expect(meter.readings).toEqual([]);
    vi.advanceTimersByTime(500);
    meter.passBegins(100, infoWith({ remaining: 400 * MIB, transferred: 1 }));
    expect(judgeConvergence(meter.readings, { maxDowntimeMs: 300, onStall: 'abort', stallWindowMs: STALL_WINDOW_MS })).toEqual({ do: 'iterate' });
  });
});
