import { describe, expect, test } from 'vitest';
import { firstGuests, fleetNodes } from '../../../bench/fleet/fleet-guests.js';
import { readFleetOptions } from '../../../bench/fleet/fleet-options.js';

describe('the options of a simulated fleet', () => {
  test('are those of a large cluster when nothing is said', () => {
    expect(readFleetOptions([])).toEqual({ nodes: 200, guests: 5_000, drain: 20, slots: 40, polls: 2, limitMinutes: 30, json: false });
  });

  test.for([
    ['--nodes', '2'],
    ['--nodes', 'many'],
    ['--guests', '9'],
    ['--drain', '6'],
    ['--slots', '0'],
    ['--polls', '1.5'],
    ['--limit', '-1'],
  ] as const)('are refused by name and value: %s %s', ([name, value]) => {
    const args = ['--nodes=10', '--guests=100', '--drain=2', `${name}=${value}`];
    expect(() => readFleetOptions(args)).toThrow(
      expect.objectContaining({ code: 'bad-input', message: expect.stringContaining(`${name}: current value is "${value}"`) }),
    );
  });
});

test('every guest of a fleet begins on one node', () => {
  for (const shape of [
    { nodes: 7, guests: 100 },
    { nodes: 10, guests: 10 },
  ]) {
    const all = fleetNodes(shape).flatMap((_, at) => firstGuests(shape, at));
    expect(new Set(all).size).toBe(shape.guests);
    expect(all).toHaveLength(shape.guests);
  }
});
