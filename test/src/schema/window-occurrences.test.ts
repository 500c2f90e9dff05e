import { test as fuzz, fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { nextOccurrences, whyNoRule } from '../../../src/schema/window-occurrences.js';

const HOUR = 3_600_000;
const opens = (zone: string, start: string, rule: string | null, from: string, count = 3, skipped: readonly string[] = []): readonly string[] =>
  nextOccurrences({ zone, start, rule, durationMs: HOUR }, { from, count, skipped }).map(({ opensAt }) => opensAt.slice(0, 16));

describe('clocks that change', () => {
  test('keep the local time in Europe/Berlin', () => {
    expect(opens('Europe/Berlin', '2026-03-28T22:00', 'FREQ=DAILY', '2026-03-28T00:00:00Z')).toEqual([
      '2026-03-28T21:00',
      '2026-03-29T20:00',
      '2026-03-30T20:00',
    ]);
  });
  test('skip an hour in spring, and with it the occurrence', () => {
    expect(opens('Europe/Berlin', '2026-03-28T02:30', 'FREQ=DAILY', '2026-03-28T00:00:00Z', 2)).toEqual(['2026-03-28T01:30', '2026-03-30T00:30']);
    expect(opens('America/New_York', '2026-03-07T02:30', 'FREQ=DAILY', '2026-03-07T00:00:00Z', 2)).toEqual(['2026-03-07T07:30', '2026-03-09T06:30']);
  });
  test('show an hour twice in autumn, and open once, the first time', () => {
    expect(opens('Europe/Berlin', '2026-10-24T02:30', 'FREQ=DAILY', '2026-10-24T00:00:00Z')).toEqual([
      '2026-10-24T00:30',
      '2026-10-25T00:30',
      '2026-10-26T01:30',
    ]);
    expect(opens('America/New_York', '2026-10-31T01:30', 'FREQ=DAILY', '2026-10-31T00:00:00Z')).toEqual([
      '2026-10-31T05:30',
      '2026-11-01T05:30',
      '2026-11-02T06:30',
    ]);
  });
  test('keep the local time in years for which the data of the rules and of the machine differ', () => {
    expect(opens('Africa/Casablanca', '2026-10-20T02:30', 'FREQ=YEARLY', '2037-12-01T00:00:00Z')).toEqual([
      '2038-10-20T02:30',
      '2039-10-20T02:30',
      '2040-10-20T01:30',
    ]);
  });
  test('leave the length of a window as it is', () => {
    const [one] = nextOccurrences(
      { zone: 'Europe/Berlin', start: '2026-03-29T01:00', rule: null, durationMs: 4 * HOUR },
      { from: '2026-03-28T00:00:00Z', count: 1, skipped: [] },
    );
    expect(one).toEqual({ opensAt: '2026-03-29T00:00:00.000Z', closesAt: '2026-03-29T04:00:00.000Z' });
  });
});

test.each(['FREQ=DAILY;UNTIL=20991231', 'FREQ=DAILY;UNTIL=20991231T220000', 'FREQ=DAILY;UNTIL=20991231T22Z;INTERVAL=2'])(
  'the rule %s is told that its UNTIL is to be in UTC',
  (rule) => {
    expect(whyNoRule({ zone: 'Europe/Berlin', start: '2026-01-01T03:00', rule })).toEqual({
      field: 'rule',
      reason: 'must have its UNTIL in UTC, like UNTIL=20261231T225959Z',
    });
  },
);

describe('a rule', () => {
  test('finds leap days', () => {
    expect(opens('UTC', '2024-02-29T10:00', 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29', '2025-01-01T00:00:00Z', 2)).toEqual([
      '2028-02-29T10:00',
      '2032-02-29T10:00',
    ]);
  });
  test('with BYSETPOS opens on the first Sunday', () => {
    expect(opens('UTC', '2026-01-01T03:00', 'FREQ=MONTHLY;BYDAY=SU;BYSETPOS=1', '2026-01-01T00:00:00Z', 2)).toEqual(['2026-01-04T03:00', '2026-02-01T03:00']);
  });
  test('with COUNT or UNTIL comes to its end', () => {
    expect(opens('UTC', '2026-01-01T03:00', 'FREQ=DAILY;COUNT=2', '2026-01-01T00:00:00Z', 9)).toHaveLength(2);
    expect(opens('UTC', '2026-01-01T03:00', 'FREQ=DAILY;UNTIL=20260104T030000Z', '2026-01-02T12:00:00Z', 9)).toEqual(['2026-01-03T03:00', '2026-01-04T03:00']);
  });
  test('leaves out what is to be skipped, and goes on after it', () => {
    const skipped = ['2026-01-02T03:00:00.000Z'];
    expect(opens('UTC', '2026-01-01T03:00', 'FREQ=DAILY', '2026-01-01T12:00:00Z', 2, skipped)).toEqual(['2026-01-03T03:00', '2026-01-04T03:00']);
  });
  test('is absent for a window that opens once', () => {
    expect(opens('Europe/Berlin', '2026-12-01T22:00', null, '2026-11-01T00:00:00Z', 9)).toEqual(['2026-12-01T21:00']);
    expect(opens('Europe/Berlin', '2026-12-01T22:00', null, '2026-12-02T00:00:00Z', 9)).toEqual([]);
  });
});

test.for([
  ['2026-12-01T22:00', 'FREQ=WEEKLY;BYDAY=TU', null],
  ['2026-12-01T22:00', null, null],
  ['2026-12-01T22:00', 'every tuesday', 'rule'],
  ['2026-12-01T22:00', 'FREQ=WEEKLY;BYDAY=XX', 'rule'],
  ['2026-12-01T22:00', 'FREQ=SECONDLY', 'rule'],
  ['2026-12-01T22:00', 'FREQ=DAILY;UNTIL=20200101T000000Z', 'rule'],
  ['2026-02-30T22:00', 'FREQ=DAILY', 'start'],
  ['2026-03-29T02:30', null, 'start'],
] as const)('start %s with rule %s is wrong in: %s', ([start, rule, field]) => {
  expect(whyNoRule({ zone: 'Europe/Berlin', start, rule })?.field ?? null).toBe(field);
});

const RULES = ['FREQ=DAILY', 'FREQ=WEEKLY;BYDAY=MO,FR', 'FREQ=MONTHLY;BYDAY=SU;BYSETPOS=-1', 'FREQ=YEARLY', 'FREQ=HOURLY;INTERVAL=7'];
fuzz.prop(
  [
    fc.constantFrom('Europe/Berlin', 'America/New_York', 'UTC', 'Australia/Lord_Howe'),
    fc.constantFrom(...RULES),
    fc.date({ min: new Date('2026-01-01T00:00:00Z'), max: new Date('2029-12-31T00:00:00Z'), noInvalidDate: true }),
  ],
  { numRuns: 60 },
)('occurrences rise, are not over, and are the same from wherever one looks', (zone, rule, from) => {
  const window = { zone, start: '2026-01-01T02:30', rule, durationMs: HOUR };
  const found = nextOccurrences(window, { from: from.toISOString(), count: 6, skipped: [] });
  expect(found).toHaveLength(6);
  const times = found.map(({ opensAt }) => Date.parse(opensAt));
  expect(times.every((time, at) => time > from.getTime() - HOUR && (at === 0 || time > (times[at - 1] ?? Infinity)))).toBe(true);
  expect(nextOccurrences(window, { from: found[2]?.closesAt ?? '', count: 3, skipped: [] })).toEqual(found.slice(3));
});
