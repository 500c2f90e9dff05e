import { z } from 'zod';
import { KedgeError } from '../domain/kedge-error.js';
import { NOT_LIVE_POLICIES, type ClusterSnapshot } from '../domain/plan/snapshot.js';
import { nodeNameSchema, vmidSchema } from './id-schemas.js';
import { mustOf, shown, snapshotProblems, valueAt } from './snapshot-problems.js';

const bytes = z.int().min(0);
const percent = z.number().min(0).max(100);

const nodeSchema = z.strictObject({
  name: nodeNameSchema,
  state: z.enum(['online', 'cordoned', 'silent']).default('online').describe('A node that takes no new guests, or gives no answer, is no target'),
  cores: z.int().min(1),
  speed: z.number().positive().default(1).describe('Speed of one core against a usual one of the cluster'),
  accelerator: z.enum(['kvm', 'tcg']).default('kvm'),
  cpuFlags: z.array(z.string()).default([]),
  memoryBytes: bytes,
  reservedBytes: bytes.default(0).describe('What guests may not have: for the node itself, and what shall stay free'),
  qemu: z.string().default('0').describe('Version of QEMU: a live guest does not move to an older one'),
  machineTypes: z.array(z.string()).default([]),
  bridges: z.array(z.string()).default([]),
  storages: z
    .array(
      z.strictObject({
        id: z.string(),
        identity: z.string().nullable().default(null).describe('Nodes with the same identity see the same files; null: this node alone has it'),
        freeBytes: bytes.default(0),
      }),
    )
    .default([]),
  pressure: z
    .strictObject({ memory: percent, cpu: percent })
    .optional()
    .describe('Share of the time in which something had to wait for memory or a processor, as Linux tells it (PSI, some avg60)'),
});

const guestSchema = z.strictObject({
  vmid: vmidSchema,
  kind: z.enum(['qemu', 'lxc']).default('qemu'),
  node: nodeNameSchema,
  running: z.boolean().default(true),
  memoryBytes: bytes,
  cores: z.int().min(1).default(1),
  cpuLoad: z.number().min(0).default(0).describe('Cores of a usual node that it keeps busy, over some time'),
  disks: z.array(z.strictObject({ storage: z.string(), bytes })).default([]),
  bridges: z.array(z.string()).default([]),
  cpuFlags: z.array(z.string()).default([]).describe('Flags that it was shown and may use'),
  machineType: z.string().nullable().default(null).describe('Versioned type that it runs with or is pinned to; null: whichever the node has'),
  localDevices: z.array(z.string()).default([]).describe('Keys of devices and paths of its node: it can not move'),
  pinned: z.boolean().default(false),
  priority: z.number().default(0).describe('Higher goes first'),
  whenNotLive: z.enum(NOT_LIVE_POLICIES).default('skip').describe('What happens to it when it runs, can not move live, and its node has to be empty'),
  home: nodeNameSchema.nullable().default(null).describe('Where it belongs; null: where it is'),
  unmovable: z.string().optional().describe('Why it is not to be planned for now'),
});

const ruleOf = { id: z.string(), guests: z.array(vmidSchema), required: z.boolean().default(true) };
const ruleSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('together'), ...ruleOf }),
  z.strictObject({ kind: z.literal('apart'), ...ruleOf }),
  z.strictObject({ kind: z.literal('nodes'), ...ruleOf, nodes: z.array(nodeNameSchema) }),
]);

/** What `kedge plan --snapshot` reads; docs/snapshot.schema.json is made from it. */
export const clusterSnapshotSchema = z
  .strictObject({
    v: z.literal(1),
    takenAt: z.string().default('').describe('RFC 3339'),
    nodes: z.array(nodeSchema).min(1),
    guests: z.array(guestSchema).default([]),
    rules: z.array(ruleSchema).default([]).describe('A required rule is never broken by a plan; another one costs a node points'),
    survivesOneNode: z
      .boolean()
      .default(false)
      .describe('Keep so much memory free that the guests of any one node would fit into what the other nodes have left'),
  })
  .check((context) => {
    for (const { path, message } of snapshotProblems(context.value)) context.issues.push({ code: 'custom', input: context.value, path: [...path], message });
  })
  .describe('A cluster as the planner sees it; sizes are bytes');

/** Reads a snapshot. @throws KedgeError `bad-input` that names the place, its value and what it must be */
export function parseClusterSnapshot(text: string): ClusterSnapshot {
  const input = readJson(text);
  const result = clusterSnapshotSchema.safeParse(input);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = [...(issue?.path ?? []), ...(issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [])];
  const field = path.join('.') || 'snapshot';
  const value = valueAt(input, path);
  const must = issue === undefined ? 'must be as docs/snapshot.schema.json says' : mustOf(issue);
  throw new KedgeError('bad-input', `Cannot read the snapshot: ${field}: current value is ${shown(value)}, ${must}`, {
    details: { field, value: value ?? null, remedy: `Correct ${field} in the file: it ${must}` },
  });
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new KedgeError('bad-input', `Cannot read the snapshot: it is no JSON (${error instanceof Error ? error.message : String(error)})`);
  }
}
