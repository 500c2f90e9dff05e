import { z } from 'zod';
import type { Blackout } from '../domain/window/blackout.js';
import { nodeNameSchema, vmidSchema } from './id-schemas.js';
import { lastingField, nameField, startField, zoneField } from './window-fields.js';

/** A freeze over the end of a year fits. */
const LONGEST_DAYS = 60;

const blackoutSchema = z
  .strictObject({
    name: nameField,
    zone: zoneField,
    start: startField,
    /** RRULE; absent: only once. Whether it is one is checked in cluster-config-rules.ts. */
    rule: z.string().optional(),
    duration: lastingField({ longestDays: LONGEST_DAYS, why: '' }),
    nodes: z.array(nodeNameSchema).min(1, 'must name a node, or be left out: then all nodes are meant').optional(),
    guests: z.array(vmidSchema).min(1, 'must name a guest, or be left out: then all guests are meant').optional(),
  })
  .transform(
    ({ name, zone, start, rule, duration, nodes, guests }): Blackout => ({
      name,
      zone,
      start,
      rule: rule ?? null,
      durationMs: duration,
      nodes: nodes ?? null,
      guests: guests ?? null,
    }),
  );

/** `blackouts` of kedge.yaml: when no guest is moved. */
export const blackoutsSchema = z.array(blackoutSchema).default([]);

/** What is wrong with blackouts that only the rest of the file shows. The path begins below `blackouts`. */
export function blackoutProblems(blackouts: readonly Blackout[], known: readonly string[]): readonly { path: (string | number)[]; message: string }[] {
  return blackouts.flatMap(({ name, nodes }, at) => [
    ...(blackouts.findIndex((other) => other.name === name) < at
      ? [{ path: [at, 'name'], message: 'is the name of another blackout, too: choose another one' }]
      : []),
    ...(nodes ?? []).flatMap((node, index) =>
      known.includes(node) ? [] : [{ path: [at, 'nodes', index], message: `${node} is no node of this cluster, must be one of ${known.join(', ')}` }],
    ),
  ]);
}
