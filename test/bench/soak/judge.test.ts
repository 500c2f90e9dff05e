import { describe, expect, it } from 'vitest';
import { judge, type Limit } from '../../../bench/soak/judge.js';

const AT = Array.from({ length: 13 }, (_, index) => index * 25);
const MEMORY: Limit = { perMigration: 60, settles: true };
const judged = (values: readonly number[], limit: Limit = MEMORY, at = AT) => judge({ name: 'memory', unit: 'KiB', limit, values }, at);
/** Up and down by some MiB, as a heap goes between two collections. */
const noise = (index: number): number => [0, 4_000, -3_000, 6_000, 1_000, -5_000][index % 6] ?? 0;

describe('the verdict on a run of 300 migrations', () => {
  it('is steady for memory that goes up and down, and for what fills up at the beginning', () => {
    expect(judged(AT.map((_, index) => 120_000 + noise(index))).verdict).toBe('steady');
    expect(judged(AT.map((migrations) => 120_000 + Math.min(migrations, 90) * 500)).verdict).toBe('steady');
  });

  it('finds 200 KiB that each migration leaves behind, in all that noise', () => {
    const { verdict, perMigration } = judged(AT.map((migrations, index) => 120_000 + migrations * 200 + noise(index)));
    expect(verdict).toBe('grows');
    expect(perMigration).toBeGreaterThan(150);
    expect(perMigration).toBeLessThan(250);
  });

  it('finds a file that every tenth migration leaves open', () => {
    const limit = { perMigration: 0.02, most: 400 };
    expect(
      judged(
        AT.map((migrations) => 40 + Math.floor(migrations / 10)),
        limit,
      ).verdict,
    ).toBe('grows');
    expect(
      judged(
        AT.map((_, index) => 40 + (index % 3)),
        limit,
      ).verdict,
    ).toBe('steady');
  });

  it('finds what is bounded by a greatest value, and lets it rise and fall below that', () => {
    const limit = { perMigration: Infinity, most: 6_000 };
    expect(
      judged(
        AT.map((migrations) => (migrations * 20) % 4_000),
        limit,
      ).verdict,
    ).toBe('steady');
    expect(
      judged(
        AT.map((migrations) => migrations * 30),
        limit,
      ).verdict,
    ).toBe('grows');
  });
});

describe('a run that is too short', () => {
  const at = [0, 10, 20, 30, 40];

  it('shows the memory and does not judge it', () => {
    expect(judged([100_000, 130_000, 140_000, 150_000, 160_000], MEMORY, at)).toMatchObject({ verdict: 'not judged', first: 100_000, last: 160_000 });
  });

  it('judges open files all the same', () => {
    expect(judged([40, 41, 45, 50, 55], { perMigration: 0.02 }, at).verdict).toBe('grows');
  });
});
