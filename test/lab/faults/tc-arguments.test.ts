import { describe, expect, it } from 'vitest';
import { parseRate, shapeArguments } from '../../../lab/faults/tc-arguments.js';

describe('shaping', () => {
  it('holds a bucket of 10 ms at full rate', () => {
    expect(shapeArguments('n1.migration', '1gbit').join(' ')).toBe('tc qdisc replace dev n1.migration root tbf rate 1gbit burst 1250000 latency 50ms');
  });

  it('never holds less than one large packet', () => {
    expect(shapeArguments('n1.migration', '1mbit')).toContain('65536');
  });

  it.each([
    ['100bit', 100],
    ['1.5mbit', 1_500_000],
    ['1gbit', 1e9],
  ])('reads %s', (rate, bits) => {
    expect(parseRate(rate)).toBe(bits);
  });

  it.each(['', '100', '100mbps', 'fast'])('refuses "%s"', (rate) => {
    expect(() => parseRate(rate)).toThrow(expect.objectContaining({ code: 'bad-input' }));
  });
});
