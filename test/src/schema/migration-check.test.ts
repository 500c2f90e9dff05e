import { expect, test } from 'vitest';
import { z } from 'zod';
import { finding } from '../../../src/domain/checks.js';
import { forecastMigration } from '../../../src/domain/forecast.js';
import { DEFAULT_MIGRATION_OPTIONS } from '../../../src/domain/migration.js';
import type { MigrationCheck } from '../../../src/domain/migration-check.js';
import { migrationCheckSchema } from '../../../src/schema/migration-check.js';
import { disk, LIMITS, link, node1, node2, vmid } from '../../support/migration-facts.js';

test('docs/check.schema.json is made from the schema: -u writes it anew', async () => {
  const schema = z.toJSONSchema(migrationCheckSchema, { io: 'input' });
  await expect(`${JSON.stringify(schema, undefined, 2)}\n`).toMatchFileSnapshot('../../../docs/check.schema.json');
});

test('the schema takes an answer, and nothing that it does not describe', () => {
  const answer: MigrationCheck = {
    v: 1,
    vmid,
    source: node1,
    checkedAt: '2026-01-01T00:00:00Z',
    targets: [
      {
        target: node2,
        possible: false,
        kind: 'restart',
        findings: [finding('memory-short', 'Full')],
        forecast: forecastMigration({
          kind: 'restart',
          memoryBytes: 1e9,
          touchedBytes: null,
          volumes: [disk()],
          link: link(),
          options: DEFAULT_MIGRATION_OPTIONS,
          limits: LIMITS,
        }),
      },
    ],
  };
  expect(migrationCheckSchema.parse(answer)).toEqual(answer);
  expect(migrationCheckSchema.safeParse({ ...answer, more: 1 }).success).toBe(false);
});
