import { describe, expect, it } from 'vitest';
import { CRASH_MOMENTS } from '../../src/domain/crash-points.js';
import { allCrashes, pointsOfRounds, sampleCrashes, type CrashRun } from '../support/plan-crashes.js';

const struckIn = (runs: readonly CrashRun[]): readonly string[] => runs.flatMap(({ crashes }) => crashes.map(({ point, moment }) => `${point} ${moment}`));

describe('the plan of crashes', () => {
  it.each([0, 1, 2, 3, 20_000])('of seed %i strikes each point of the rounds once', (seed) => {
    const points = struckIn(sampleCrashes(seed)).map((struck) => struck.split(' ')[0]);
    expect(points.toSorted()).toEqual(pointsOfRounds().toSorted());
  });

  it('lets each point die at each moment, and be repeated, as the seed goes on', () => {
    const struck = new Set(Array.from({ length: 18 }, (_, seed) => sampleCrashes(seed)).flatMap(struckIn));
    expect(struck.size).toBe(pointsOfRounds().length * CRASH_MOMENTS.length);
  });

  it('of all crashes has each point at each moment once', () => {
    const struck = struckIn(allCrashes());
    expect(struck).toHaveLength(pointsOfRounds().length * CRASH_MOMENTS.length);
    expect(new Set(struck).size).toBe(struck.length);
  });
});
