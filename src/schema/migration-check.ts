import { z } from 'zod';
import { CHECKS, SEVERITIES } from '../domain/checks.js';
import { MIGRATION_KINDS } from '../domain/migration.js';
import { nodeNameSchema, vmidSchema } from './id-schemas.js';

const span = z.strictObject({
  least: z.number().describe('When all goes well'),
  most: z.number().nullable().describe('When the machines are busy; null: without a bound'),
});

const forecast = z.strictObject({
  kind: z.enum(MIGRATION_KINDS),
  bytes: span.describe('To be sent'),
  durationMs: span.describe('From the start to the end of the migration, milliseconds'),
  downtimeMs: span.nullable().describe('How long the guest does not run, milliseconds; null: it is off anyway'),
  bytesPerSecond: z.number().nullable().describe('Rate that was measured between the nodes, or the limit if that is lower; null: unknown'),
});

const findingSchema = z.strictObject({
  id: z.enum(Object.keys(CHECKS)).describe('Stable id of the check, see docs/checks.md'),
  severity: z.enum(SEVERITIES).describe('A blocker refuses the migration, a warning goes into its story, a note is told by a check only'),
  text: z.string().describe('What is wrong'),
  remedy: z.string().describe('What to do about it'),
  subject: z
    .strictObject({
      keys: z.array(z.string()).optional().describe('Keys of the config; "before.scsi0" is in the snapshot "before"'),
      volume: z.string().optional().describe('Volume id, or the path that the config has in its place'),
      storage: z.string().optional(),
      node: z.string().optional(),
      detail: z.string().optional().describe('What is in the way: type of a storage, owner or base of a volume, lock, …'),
    })
    .optional()
    .describe('Names of what it is about; which are there depends on the check'),
});

const targetSchema = z.strictObject({
  target: nodeNameSchema,
  possible: z.boolean().describe('No finding is a blocker'),
  kind: z.enum(MIGRATION_KINDS).nullable().describe('How the guest would move; null: that can not be told'),
  findings: z.array(findingSchema),
  forecast: forecast.nullable(),
});

/** What `kedge check --json` and `kedge migrate --dry-run --json` print; docs/check.schema.json is made from it. */
export const migrationCheckSchema = z
  .strictObject({
    v: z.literal(1),
    vmid: vmidSchema,
    source: nodeNameSchema.nullable().describe('The node that has the guest; null: none that answers'),
    checkedAt: z.string().describe('RFC 3339'),
    targets: z.array(targetSchema),
  })
  .describe('All findings and the forecast of a migration that has not begun');
