import { describe, expect, it } from 'vitest';
import { breakWishes, type BreakOptions } from '../../../lab/faults/break-wishes.js';

const wishes = (options: Partial<BreakOptions>) => breakWishes({ percent: '10', direction: 'both', claim: [], crashAt: [], ...options });

describe('what to break', () => {
  it('must be named', () => {
    expect(() => wishes({})).toThrow(/at least one fault/);
  });

  it.each<[Partial<BreakOptions>, object]>([
    [
      { cut: 'control', direction: 'out', peer: 'node2' },
      { kind: 'cut', network: 'control', direction: 'out', peer: 'node2' },
    ],
    [
      { lose: 'guest', percent: '0.5' },
      { kind: 'lose', network: 'guest', direction: 'both', peer: null, percent: 0.5 },
    ],
    [
      { shape: 'migration', rate: '100mbit' },
      { kind: 'shape', network: 'migration', direction: 'both', rate: '100mbit' },
    ],
    [
      { delay: 'control', by: '20ms' },
      { kind: 'delay', network: 'control', direction: 'both', delayMs: 20 },
    ],
    [{ kill: 'worker' }, { kind: 'kill', target: 'worker' }],
    [{ stop: 'qemu:101' }, { kind: 'stop', target: 'qemu:101' }],
    [{ power: 'off' }, { kind: 'power-off' }],
    [{ fill: true }, { kind: 'fill', leaveBytes: 0 }],
    [{ slowDisk: true }, { kind: 'slow-disk', writesPerSecond: 10 }],
    [{ slowDisk: '3' }, { kind: 'slow-disk', writesPerSecond: 3 }],
    [{ fill: '1M' }, { kind: 'fill', leaveBytes: 1024 * 1024 }],
    [{ clock: '-90s' }, { kind: 'clock', shift: '-90s' }],
    [{ claim: ['qemu=6.2.0'] }, { kind: 'claim', key: 'qemu', value: '6.2.0' }],
    [{ crashAt: ['source.go-message=lost-reply'] }, { kind: 'crash-at', point: 'source.go-message', moment: 'lost-reply' }],
  ])('reads %j', (options, wish) => {
    expect(wishes(options)).toEqual([wish]);
  });

  it('may be several things, the power last', () => {
    expect(wishes({ power: 'off', cut: 'control', claim: ['a=1', 'b=2'] }).map(({ kind }) => kind)).toEqual(['cut', 'claim', 'claim', 'power-off']);
  });

  it.each<[Partial<BreakOptions>, string]>([
    [{ cut: 'wifi' }, 'control, migration, guest'],
    [{ cut: 'control', direction: 'up' }, '--direction'],
    [{ lose: 'guest', percent: '0' }, '--percent'],
    [{ shape: 'migration' }, '--rate'],
    [{ shape: 'migration', rate: 'slow' }, 'the rate'],
    [{ delay: 'control' }, '--by'],
    [{ delay: 'control', by: '0ms' }, '--by'],
    [{ power: 'on' }, 'heal'],
    [{ clock: 'tomorrow' }, '--clock'],
    [{ claim: ['qemu'] }, '--claim'],
    [{ crashAt: ['source.nothing=after'] }, '--crash-at'],
    [{ crashAt: ['source.cont=sometime'] }, '--crash-at'],
  ])('refuses %j and says what is wrong', (options, text) => {
    expect(() => wishes(options)).toThrow(expect.objectContaining({ code: 'bad-input', message: expect.stringContaining(text) }));
  });
});
