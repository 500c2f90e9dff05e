import { z } from 'zod';
import { parseNodeName } from '../domain/ids.js';
import { MIGRATION_TYPES } from '../domain/migration.js';
import { STREAM_COMPRESSIONS } from '../domain/stream-layout.js';
import { blackoutProblems, blackoutsSchema } from './blackouts.js';
import { admissionLimitsSchema, limitProblems } from './admission-limits.js';
import { hooksConfigSchema } from './hooks-config.js';
import { balanceSchema } from './balance.js';
import { placementProblems, placementSchema } from './placement.js';

// Never with a hyphen in front: what begins with one is an option to many a program.
const address = z.string().regex(/^[0-9A-Za-z:][0-9A-Za-z.:-]*$/, 'must be an IP address or a host name');
const addressAndPort = z.string().regex(/^(?:[0-9A-Za-z][0-9A-Za-z.-]*|\[[0-9A-Fa-f:]+\]):[0-9]{1,5}$/, 'must be <address>:<port>');
const nodeName = z.string().refine(isNodeName, 'must be a node name: letters, digits and inner hyphens');

const clusterNode = z
  .strictObject({
    /** On the control network: sshd and the peers. */
    address,
    /** On the migration network: the RAM stream. The control address when absent. */
    migrationAddress: address.optional(),
  })
  .transform((node) => ({ address: node.address, migrationAddress: node.migrationAddress ?? node.address }));

const clusterConfigFields = z.strictObject({
  /** Name of the cluster, in messages and certificates. */
  cluster: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,62}$/, 'must be letters, digits and hyphens'),
  temporal: z
    .strictObject({
      address: addressAndPort.default('127.0.0.1:7233'),
      namespace: z.string().min(1).default('default'),
    })
    .prefault({}),
  nodes: z.record(nodeName, clusterNode),
  /** What becomes of the guests of a node that is not heard. Off: nothing, until an operator says that it is off. */
  recovery: z
    .strictObject({
      enabled: z.boolean().default(false),
      /** So long a node must be silent before it is looked into. */
      suspectAfterSeconds: z.int().min(10).max(86_400).default(60),
      /** How many nodes may be fenced at the same moment. */
      fencesAtOnce: z.int().min(1).max(16).default(1),
      /** Shared storage on which nodes write heartbeats; absent: none. */
      storageHeartbeat: z
        .string()
        .regex(/^[A-Za-z][A-Za-z0-9._-]*[A-Za-z0-9]$/, 'must be the name of a shared storage')
        .optional(),
    })
    .prefault({}),
  /** Of every migration. What is absent here is as the config files that Kedge shares with PVE have it; the command line wins. */
  migration: z
    .strictObject({
      type: z.enum(MIGRATION_TYPES).optional(),
      /** Bytes per second; 0: no limit, whatever else says so. */
      bandwidthLimit: z.int().min(0).optional(),
      /** 1 to 2,000,000: QEMU's own bounds of downtime-limit. */
      maxDowntimeMs: z.int().min(1).max(2_000_000).optional(),
      /** Parallel connections of the RAM stream, 1 to 255 as QEMU allows; QEMU below 9.0 always gets one (docs/decisions/0007). */
      multifdChannels: z.int().min(1).max(255).default(2),
      /** Of the RAM stream; a held migration uses none. */
      compression: z.enum(STREAM_COMPRESSIONS).default('zstd'),
    })
    .prefault({}),
  placement: placementSchema.prefault({}),
  blackouts: blackoutsSchema,
  /** How many guests may move at a time, and how fast. */
  limits: admissionLimitsSchema.prefault({}),
  /** Who is told of events; of control workers. */
  hooks: hooksConfigSchema.prefault({}),
  balance: balanceSchema.prefault({}),
});

/** kedge.yaml: what all nodes and clients of a cluster must agree on. Unknown keys are refused. */
export const clusterConfigSchema = clusterConfigFields.superRefine(({ placement, limits, blackouts, nodes }, context) => {
  for (const { path, message } of limitProblems(limits, Object.keys(nodes))) context.addIssue({ code: 'custom', path: ['limits', ...path], message });
  for (const { path, message } of placementProblems(placement, Object.keys(nodes))) context.addIssue({ code: 'custom', path: ['placement', ...path], message });
  for (const { path, message } of blackoutProblems(blackouts, Object.keys(nodes))) context.addIssue({ code: 'custom', path: ['blackouts', ...path], message });
});

/** kedge.yaml as read, defaults filled in. */
export type ClusterConfig = Readonly<z.output<typeof clusterConfigSchema>>;

/** Is it a name that a node may have? */
export function isNodeName(value: string): boolean {
  try {
    parseNodeName(value);
    return true;
  } catch {
    return false;
  }
}
