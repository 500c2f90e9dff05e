import { describe, expect, it } from 'vitest';
import { mayHaveLostMemory } from '../../../chaos/judge/memory-loss.js';

describe('mayHaveLostMemory', () => {
  const spans = [
    { node: 'node1', fromMs: 0, toMs: 100 },
    { node: 'node2', fromMs: 130, toMs: null },
  ];
  const lossOf = (node: string, atMs: number, vmid = 101) => mayHaveLostMemory([{ vmid, node, atMs }], { vmid: 101, spans });

  it('allows it when the copy that ran was destroyed', () => {
    expect(lossOf('node1', 50)).toBe(true);
    expect(lossOf('node2', 200)).toBe(true);
  });

  it('allows it while the guest stood still between two nodes', () => {
    expect(lossOf('node1', 110)).toBe(true);
    expect(lossOf('node2', 110)).toBe(true);
  });

  it('does not when another node ran the guest at that moment', () => {
    expect(lossOf('node2', 50)).toBe(false);
    expect(lossOf('node1', 200)).toBe(false);
  });

  it('does not for another guest, or without any loss', () => {
    expect(lossOf('node1', 50, 102)).toBe(false);
    expect(mayHaveLostMemory([], { vmid: 101, spans })).toBe(false);
  });
});
