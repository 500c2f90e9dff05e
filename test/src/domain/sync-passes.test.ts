import { describe, expect, it } from 'vitest';
import { isSynced, type SyncPass } from '../../../src/domain/sync-passes.js';

const MIB = 2 ** 20;
const pass = (deltaMiB: number, durationMs = 60_000): SyncPass => ({ deltaBytes: deltaMiB * MIB, durationMs });

describe('the disks of a running guest', () => {
  it('are not synced before the first pass', () => {
    expect(isSynced([])).toBe(false);
  });

  it('are synced when a pass took no longer than a moment, the first one too', () => {
    expect(isSynced([pass(1_000, 2_000)])).toBe(true);
  });

  it('are passed again after a long first pass, whatever it sent', () => {
    expect(isSynced([pass(2_000)])).toBe(false);
  });

  it('are synced when the delta is small', () => {
    expect(isSynced([pass(2_000), pass(10)])).toBe(true);
  });

  it('are passed again while the delta shrinks', () => {
    expect(isSynced([pass(2_000), pass(500)])).toBe(false);
    expect(isSynced([pass(2_000), pass(500), pass(200)])).toBe(false);
  });

  it('are synced when the delta has stopped shrinking', () => {
    expect(isSynced([pass(2_000), pass(500), pass(400)])).toBe(true);
    expect(isSynced([pass(2_000), pass(1_900)])).toBe(true);
  });

  it('are not passed for ever', () => {
    expect(isSynced([12_800, 6_400, 3_200, 1_600, 800, 400, 200, 100].map((delta) => pass(delta)))).toBe(true);
  });
});
