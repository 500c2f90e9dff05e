import { describe, expect, it } from 'vitest';
import { spaceAfterReservations, spaceForCopy } from '../../../../src/drivers/storage/space-estimate.js';

const GIB = 1024 ** 3;
const disk = { format: 'raw', virtualBytes: 100 * GIB, allocatedBytes: 10 * GIB } as const;

describe('space for a copy', () => {
  it('is what is allocated, where holes stay holes, and a little for metadata', () => {
    const bytes = spaceForCopy(disk, { thin: true });
    expect(bytes).toBeGreaterThan(10 * GIB);
    expect(bytes).toBeLessThan(10.2 * GIB);
  });

  it('is the full size elsewhere', () => {
    expect(spaceForCopy(disk, { thin: false })).toBeGreaterThan(100 * GIB);
    expect(spaceForCopy({ format: 'subvol', virtualBytes: 0, allocatedBytes: GIB }, { thin: false })).toBeGreaterThan(GIB);
  });

  it('is free only as far as it was not promised to other copies, which take some of it already', () => {
    expect(spaceAfterReservations({ freeBytes: 100 }, [])).toBe(100);
    const reservations = [
      { expectedBytes: 60, presentBytes: 20 },
      { expectedBytes: 10, presentBytes: 30 },
      { expectedBytes: 70, presentBytes: 0 },
    ];
    expect(spaceAfterReservations({ freeBytes: 100 }, reservations)).toBe(-10);
  });
});
