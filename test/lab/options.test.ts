import { describe, expect, it } from 'vitest';
import { optionDifferences, parsePositive, parseSize, parseSlow } from '../../lab/options.js';

const options = { nodes: 3, nodeMemoryBytes: 4 * 1024 ** 3, nodeCores: 2, nodeDiskBytes: 8 * 1024 ** 3, slow: {} };

describe('sizes', () => {
  it.each([
    ['512', 512],
    ['1K', 1024],
    ['512M', 512 * 1024 ** 2],
    ['4g', 4 * 1024 ** 3],
    ['1GiB', 1024 ** 3],
  ])('reads %s', (text, bytes) => {
    expect(parseSize(text, '--memory')).toBe(bytes);
  });

  it.each(['', 'M', '-1', '1.5G', '1X'])('refuses "%s" and names the field', (text) => {
    expect(() => parseSize(text, '--memory')).toThrow(/--memory/);
  });

  it.each(['0', '-2', 'two', 'Infinity'])('refuses "%s" as a positive number', (text) => {
    expect(() => parsePositive(text, '--node-cores')).toThrow(/--node-cores/);
  });
});

describe('slow nodes', () => {
  it('are named with a part of their speed', () => {
    expect(parseSlow(['node2=0.5', 'node3=1'], 3)).toEqual({ node2: 0.5, node3: 1 });
  });

  it.each(['node4=0.5', 'node1=2', 'node1', 'node1=0'])('are refused as "%s" in a lab of three', (value) => {
    expect(() => parseSlow([value], 3)).toThrow(expect.objectContaining({ code: 'bad-input' }));
  });
});

describe('a second wish', () => {
  it('equal to the first differs in nothing', () => {
    expect(optionDifferences({ ...options, slow: { node1: 0.5, node2: 0.7 } }, { ...options, slow: { node2: 0.7, node1: 0.5 } })).toEqual([]);
  });

  it('that differs names each difference', () => {
    expect(optionDifferences(options, { ...options, nodes: 2, slow: { node1: 0.5 } })).toEqual(['nodes is 3, wanted 2', 'slow is none, wanted node1=0.5']);
  });
});
