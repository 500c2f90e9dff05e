import { z } from 'zod';
import { nodeNameSchema } from './id-schemas.js';

/** node.yaml: what is true of this node alone. Unknown keys are refused. */
export const nodeConfigSchema = z.strictObject({
  name: nodeNameSchema,
  /** Identity of this boot. The kernel's by default; the nodes of a lab share one kernel and have a file each. */
  bootIdFile: z.string().startsWith('/', 'must be an absolute path').default('/proc/sys/kernel/random/boot_id'),
  slots: z
    .strictObject({
      /** Copies that may run on this node at once. */
      bulk: z.int().min(1).max(64).default(2),
    })
    .prefault({}),
  /** Prometheus metrics of the Temporal runtime; none when absent. */
  metrics: z.strictObject({ address: z.string().regex(/^.+:[0-9]{1,5}$/, 'must be <address>:<port>') }).optional(),
  /** Declared size of the node, when it is less than what the kernel shows. */
  memoryBytes: z.int().positive().optional(),
  cores: z.int().positive().optional(),
  /** Memory that the planner leaves to the node itself; `placement` of kedge.yaml wins. */
  reserveBytes: z.int().min(0).optional(),
  /** Of one core against a usual one of the cluster, which is 1; `placement` of kedge.yaml wins. */
  speed: z.number().min(0.01).max(100).optional(),
});

/** node.yaml as read, defaults filled in. */
export type NodeConfig = Readonly<z.output<typeof nodeConfigSchema>>;
