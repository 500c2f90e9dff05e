import { describe, expect, it } from 'vitest';
import { SABOTAGES } from '../../../../src/domain/sabotage.js';
import { readSabotage } from '../../../../src/drivers/host/sabotage.js';

describe('sabotage', () => {
  it('is chosen in a lab only', () => {
    expect(readSabotage({})).toBeNull();
    expect(readSabotage({ KEDGE_CRASH_FOLDER: '/run/kedge/crash' })).toBeNull();
    for (const sabotage of SABOTAGES) expect(readSabotage({ KEDGE_CRASH_FOLDER: '/run/kedge/crash', KEDGE_SABOTAGE: sabotage })).toBe(sabotage);
    expect(() => readSabotage({ KEDGE_SABOTAGE: 'early-go' })).toThrow('only a lab may do that; unset it');
  });

  it('is refused under an unknown name', () => {
    expect(() => readSabotage({ KEDGE_CRASH_FOLDER: '/run/kedge/crash', KEDGE_SABOTAGE: 'yes' })).toThrow('current value is "yes", must be one of early-go');
  });
});
