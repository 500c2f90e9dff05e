import { describe, expect, test } from 'vitest';
import type { Blackout } from '../../../src/domain/window/blackout.js';
import { firstWithin, openBlackouts } from '../../../src/schema/blackout-times.js';

const HOUR = 3_600_000;
const blackout = (changes: Partial<Blackout> = {}): Blackout => ({
  name: 'night',
  zone: 'Europe/Berlin',
  start: '2026-03-01T02:00',
  rule: 'FREQ=DAILY',
  durationMs: 2 * HOUR,
  nodes: null,
  guests: null,
  ...changes,
});
const endAt = (now: string, changes: Partial<Blackout> = {}): string | null => openBlackouts([blackout(changes)], now)[0]?.endsAt ?? null;

describe('a blackout', () => {
  test('is on from its first instant up to its last, and off at its end', () => {
    expect(endAt('2026-03-10T00:59:59Z')).toBeNull();
    expect(endAt('2026-03-10T01:00:00Z')).toBe('2026-03-10T03:00:00.000Z');
    expect(endAt('2026-03-10T02:59:59Z')).toBe('2026-03-10T03:00:00.000Z');
    expect(endAt('2026-03-10T03:00:00Z')).toBeNull();
  });

  test('is not on before its first start, nor after its only time', () => {
    expect(endAt('2026-02-10T02:00:00Z')).toBeNull();
    expect(endAt('2026-03-01T02:00:00Z', { rule: null })).toBe('2026-03-01T03:00:00.000Z');
    expect(endAt('2026-03-02T02:00:00Z', { rule: null })).toBeNull();
  });

  test('has no time on the day on which the clocks skip its start', () => {
    expect(endAt('2026-03-29T01:30:00Z', { start: '2026-03-01T02:30', durationMs: HOUR })).toBeNull();
    expect(endAt('2026-03-30T01:00:00Z', { start: '2026-03-01T02:30', durationMs: HOUR })).toBe('2026-03-30T01:30:00.000Z');
  });

  test('is on once, the first time, on the day on which the clocks show its start twice', () => {
    const once = { start: '2026-03-01T02:30', durationMs: HOUR / 2 };
    expect(endAt('2026-10-25T00:45:00Z', once)).toBe('2026-10-25T01:00:00.000Z');
    expect(endAt('2026-10-25T01:45:00Z', once)).toBeNull();
  });

  test('lasts as long as ever over a change of the clocks', () => {
    expect(endAt('2026-03-29T00:30:00Z', { start: '2026-03-01T01:00', durationMs: 4 * HOUR })).toBe('2026-03-29T04:00:00.000Z');
    expect(endAt('2026-10-25T00:30:00Z', { start: '2026-03-01T01:00', durationMs: 4 * HOUR })).toBe('2026-10-25T03:00:00.000Z');
  });

  test('ends when the last of its times ends that follow each other without a gap', () => {
    expect(endAt('2026-03-02T12:00:00Z', { start: '2026-03-01T00:00', rule: 'FREQ=DAILY;COUNT=3', durationMs: 24 * HOUR })).toBe('2026-03-03T23:00:00.000Z');
  });

  test('is found within the occurrences of a window, and not beside them', () => {
    const within = (opensAt: string, closesAt: string) => firstWithin(blackout(), [{ opensAt, closesAt }])?.opensAt ?? null;
    expect(within('2026-03-09T22:00:00Z', '2026-03-10T01:00:00Z')).toBeNull();
    expect(within('2026-03-09T22:00:00Z', '2026-03-10T01:01:00Z')).toBe('2026-03-10T01:00:00.000Z');
    expect(within('2026-03-10T02:59:00Z', '2026-03-10T04:00:00Z')).toBe('2026-03-10T01:00:00.000Z');
    expect(within('2026-03-10T03:00:00Z', '2026-03-10T04:00:00Z')).toBeNull();
  });
});
