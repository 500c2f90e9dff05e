import { describe, expect, it } from 'vitest';
import { nftScript } from '../../../lab/faults/nft-rules.js';
import type { Break, Fault } from '../../../lab/lab-state.js';
import { labOnPaper } from '../lab-on-paper.js';

const { machines } = labOnPaper();
const broken = (...faults: Fault[]): string[] => {
  const breaks: Break[] = faults.map((fault, index) => ({ id: index + 1, machine: 'node1', at: '2026-01-01T00:00:00.000Z', fault }));
  return nftScript({ machines, breaks })
    .split('\n')
    .filter((line) => line.includes('drop'))
    .map((line) => line.trim());
};

describe('rules of the switch', () => {
  it('replace all former ones in one transaction', () => {
    expect(nftScript({ machines, breaks: [] }).split('\n').slice(0, 3)).toEqual(['table bridge kedge', 'delete table bridge kedge', 'table bridge kedge {']);
  });

  it('drop nothing when nothing is broken', () => {
    expect(broken()).toEqual([]);
  });

  it('cut both directions of a cable', () => {
    expect(broken({ kind: 'cut', network: 'migration', direction: 'both', peer: null })).toEqual([
      'iifname { "n1.migration", "n1.migration.d" } counter drop comment "break-1"',
      'oifname { "n1.migration", "n1.migration.d" } counter drop comment "break-1"',
    ]);
  });

  it('cut one way, as the machine sees it', () => {
    expect(broken({ kind: 'cut', network: 'control', direction: 'in', peer: null })).toEqual([
      'oifname { "n1.control", "n1.control.d" } counter drop comment "break-1"',
    ]);
  });

  it('cut towards one peer only', () => {
    expect(broken({ kind: 'cut', network: 'control', direction: 'out', peer: 'control' })).toEqual([
      'iifname { "n1.control", "n1.control.d" } oifname { "ct.control", "ct.control.d" } counter drop comment "break-1"',
    ]);
  });

  it('lose a share of the packets', () => {
    expect(broken({ kind: 'lose', network: 'guest', direction: 'out', peer: null, percent: 2.5 })).toEqual([
      'iifname { "n1.guest", "n1.guest.d" } numgen random mod 1000000 < 25000 counter drop comment "break-1"',
    ]);
  });

  it('leave faults of other kinds to others', () => {
    expect(broken({ kind: 'power-off' }, { kind: 'shape', network: 'control', direction: 'both', rate: '1mbit' })).toEqual([]);
  });
});
