import { describe, expect, it } from 'vitest';
import { parseOptions } from '../../chaos/options.js';

describe('options of npm run chaos', () => {
  it('has defaults for all, and reads what is given', () => {
    expect(parseOptions([])).toEqual({ kills: 50, seed: 1, round: null, minutes: null, sabotage: null, name: 'chaos' });
    expect(parseOptions(['--kills', '200', '--seed', '0', '--round', '7', '--minutes', '9', '--sabotage', 'skip-undo'])).toMatchObject({
      kills: 200,
      seed: 0,
      round: 7,
      minutes: 9,
      sabotage: 'skip-undo',
    });
    expect(parseOptions(['--help'])).toBeNull();
  });

  it.each([
    [['--kills', '0'], 'Cannot read --kills: current value is "0", must be a whole number from 1'],
    [['--seed', 'x'], 'Cannot read --seed: current value is "x", must be a whole number from 0'],
    [['--sabotage', 'all'], 'Cannot read --sabotage: current value is "all", must be one of early-go, no-revoke'],
    [['--kill', '3'], 'Cannot run chaos'],
  ])('refuses %j by name', (args, message) => {
    expect(() => parseOptions(args)).toThrow(message);
  });
});
