import { expect, test } from 'vitest';
import { parseVmid } from '../../../../src/domain/ids.js';
import { CpuLoads } from '../../../../worker/node/presence/cpu-loads.js';

const vmid = parseVmid(101);
let nowMs = 0;
const look = (loads: CpuLoads, afterMs: number, seconds: number, life = 'first'): number | null => {
  nowMs += afterMs;
  return loads.of(vmid, { life, seconds });
};

test('the load is the mean since the first look, and unknown before the second', () => {
  const loads = new CpuLoads(() => nowMs);
  expect(look(loads, 0, 100)).toBeNull();
  expect(look(loads, 1_000, 102)).toBeCloseTo(2);
  expect(look(loads, 1_000, 102)).toBeCloseTo(1);
});

test('looks that follow each other at once change nothing', () => {
  const loads = new CpuLoads(() => nowMs);
  look(loads, 0, 0);
  look(loads, 1_000, 1);
  expect(look(loads, 10, 1.5)).toBeCloseTo(1);
});

test('one busy second of an hour does not make a guest a busy one, a busy hour does', () => {
  const loads = new CpuLoads(() => nowMs);
  look(loads, 0, 0);
  for (let second = 0; second < 3_600; second += 1) look(loads, 1_000, 0);
  expect(look(loads, 1_000, 4)).toBeLessThan(0.02);
  let seconds = 4;
  for (let second = 0; second < 3_600; second += 1) look(loads, 1_000, (seconds += 4));
  expect(look(loads, 1_000, seconds + 4)).toBeCloseTo(4);
});

test('a guest that starts anew begins anew', () => {
  const loads = new CpuLoads(() => nowMs);
  look(loads, 0, 100);
  look(loads, 1_000, 104);
  expect(look(loads, 1_000, 1, 'second')).toBeNull();
  expect(look(loads, 1_000, 1, 'second')).toBe(0);
  expect(look(loads, 1_000, 0.5, 'second')).toBeNull();
  expect(loads.of(vmid, null)).toBeNull();
});
