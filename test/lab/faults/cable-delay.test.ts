import { describe, expect, it } from 'vitest';
import { delayOf } from '../../../lab/faults/cable-delay.js';
import type { Break, Fault } from '../../../lab/lab-state.js';

const breaks = (...faults: readonly [machine: string, fault: Fault][]): Break[] =>
  faults.map(([machine, fault], index) => ({ id: index + 1, machine, at: '2026-01-01T00:00:00.000Z', fault }));

describe('the delay of a cable', () => {
  it('is none where nothing was broken, or something else', () => {
    expect(delayOf([], 'node1', 'control')).toBeNull();
    const others = breaks(
      ['node2', { kind: 'delay', network: 'control', direction: 'both', delayMs: 5 }],
      ['node1', { kind: 'delay', network: 'guest', direction: 'both', delayMs: 5 }],
      ['node1', { kind: 'shape', network: 'control', direction: 'both', rate: '1mbit' }],
    );
    expect(delayOf(others, 'node1', 'control')).toBeNull();
  });

  it('is the sum of its breaks, for each direction as the machine sees it', () => {
    const both = breaks(
      ['node1', { kind: 'delay', network: 'control', direction: 'both', delayMs: 5 }],
      ['node1', { kind: 'delay', network: 'control', direction: 'in', delayMs: 20 }],
    );
    expect(delayOf(both, 'node1', 'control')).toEqual({ outMs: 5, inMs: 25 });
  });
});
