import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { promelaTable } from '../../model/promela-table.js';

describe('model/decide.pml', () => {
  it('is generated from the table that the code uses (else: npm run build && node dist/model/generate.js)', () => {
    expect(readFileSync('model/decide.pml', 'utf8')).toBe(promelaTable());
  });
});
