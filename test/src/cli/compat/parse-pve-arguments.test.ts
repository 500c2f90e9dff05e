import { describe, expect, test } from 'vitest';
import { parsePveArguments } from '../../../../src/cli/compat/parse-pve-arguments.js';
import type { PveCommand } from '../../../../src/cli/compat/pve-schema.js';

const command: PveCommand = {
  description: 'test',
  positionals: ['vmid', 'target'],
  options: {
    'online': { type: 'boolean', description: '' },
    'bwlimit': { type: 'integer', minimum: 0, maximum: 100, description: '' },
    'migration_type': { type: 'string', values: ['secure', 'insecure'], description: '' },
    'migration_network': { type: 'string', description: '' },
    'force': { type: 'boolean', description: '', refused: 'not yet' },
  },
};
const parse = (...argv: string[]) => parsePveArguments(command, argv);
const errorOf = (...argv: string[]): string => {
  try {
    parse(...argv);
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
  return 'no error';
};

describe('the grammar of PVE', () => {
  test.each([
    [['100', 'node2', '--online'], true],
    [['100', 'node2', '-online'], true],
    [['100', 'node2', '--online', '1'], true],
    [['100', 'node2', '--online=0'], false],
    [['--online', 'yes', '100', 'node2'], true],
    [['100', '-online', 'off', 'node2'], false],
    [['100', 'node2', '--ONLINE', 'TRUE'], true],
    [['100', 'node2', '-o'], true],
    [['100', 'node2'], undefined],
  ])('reads %j', (argv, online) => {
    const values = parse(...argv);
    expect(values.positionals).toEqual({ vmid: '100', target: 'node2' });
    expect(values.booleans['online']).toBe(online);
  });

  test('reads values after a space and after an equals sign', () => {
    expect(parse('100', 'n', '--bwlimit', '7').numbers).toEqual({ bwlimit: 7 });
    expect(parse('100', 'n', '-bw=7').numbers).toEqual({ bwlimit: 7 });
    expect(parse('100', 'n', '--migration_type=insecure').strings).toEqual({ migration_type: 'insecure' });
  });

  test('takes a bare word after a boolean as its value, as PVE does', () => {
    expect(errorOf('--online', '100', 'node2')).toContain("type check ('boolean') failed - got '100'");
  });

  test.each([
    [['100'], '400 not enough arguments'],
    [['100', 'a', 'b'], '400 too many arguments'],
    [['100', 'a', '--fast'], 'Unknown option: fast\n400 unable to parse option'],
    [['100', 'a', '--migration'], 'Option migration is ambiguous (migration_type, migration_network)'],
    [['100', 'a', '--bwlimit'], 'Option bwlimit requires an argument'],
    [['100', 'a', '--bwlimit', 'x'], "bwlimit: type check ('integer') failed - got 'x'"],
    [['100', 'a', '--bwlimit', '-1'], 'bwlimit: value must have a minimum value of 0'],
    [['100', 'a', '--bwlimit', '101'], 'bwlimit: value must have a maximum value of 100'],
    [['100', 'a', '--migration_type', 'fast'], "value 'fast' does not have a value in the enumeration 'secure, insecure'"],
    [['100', 'a', '--force'], "option 'force' is not supported: not yet"],
  ])('refuses %j', (argv, text) => {
    expect(errorOf(...argv)).toContain(text);
  });
});
