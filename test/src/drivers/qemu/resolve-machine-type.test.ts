import { describe, expect, it } from 'vitest';
import { resolveMachineType } from '../../../../src/drivers/qemu/resolve-machine-type.js';
import { parseGuestConfig } from '../../../../src/schema/guest-config.js';

const facts = { version: '7.2.22', machineTypes: ['pc-i440fx-7.2', 'pc-q35-7.2', 'pc-q35-6.2'], machineAliases: { pc: 'pc-i440fx-7.2', q35: 'pc-q35-7.2' } };
const resolve = (config: string): string => resolveMachineType(parseGuestConfig(config), facts);

describe('resolveMachineType', () => {
  it.each([
    ['memory: 64', 'pc-i440fx-7.2'],
    ['machine: q35', 'pc-q35-7.2'],
    ['machine: pc-q35-6.2', 'pc-q35-6.2'],
    ['machine: type=pc-q35-6.2+pve1', 'pc-q35-6.2'],
    ['machine: q35\nrunningmachine: pc-q35-6.2+pve0', 'pc-q35-6.2'],
  ])('reads %j as %s', (config, machine) => {
    expect(resolve(config)).toBe(machine);
  });

  it('refuses a machine that this QEMU does not have', () => {
    expect(() => resolve('machine: q35\nrunningmachine: pc-q35-9.0')).toThrow(expect.objectContaining({ code: 'unsupported' }));
    expect(() => resolve('machine: toString')).toThrow(expect.objectContaining({ code: 'unsupported' }));
  });
});
