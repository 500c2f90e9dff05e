/** Shape of `lab.json`: what a lab consists of, so that `status`, `break` and `down` find everything again. */
import { z } from 'zod';
import { NETWORKS, ROLES } from './address-plan.js';
import { CRASH_MOMENTS, CRASH_POINTS } from '../src/domain/crash-points.js';

/** A process as an identity: the pid alone may be somebody else's later. */
const processSchema = z.object({
  pid: z.number().int().positive(),
  /** Field 22 of /proc/<pid>/stat, clock ticks since boot. */
  startTime: z.number().int().nonnegative(),
});
export type ProcessIdentity = z.infer<typeof processSchema>;

const directionSchema = z.enum(['in', 'out', 'both']);
export type Direction = z.infer<typeof directionSchema>;

const faultSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('cut'), network: z.enum(NETWORKS), direction: directionSchema, peer: z.string().nullable() }),
  z.object({ kind: z.literal('lose'), network: z.enum(NETWORKS), direction: directionSchema, peer: z.string().nullable(), percent: z.number().gt(0).max(100) }),
  z.object({ kind: z.literal('shape'), network: z.enum(NETWORKS), direction: directionSchema, rate: z.string() }),
  z.object({ kind: z.literal('delay'), network: z.enum(NETWORKS), direction: directionSchema, delayMs: z.number().positive() }),
  z.object({ kind: z.literal('stop'), target: z.string(), processes: z.array(processSchema) }),
  z.object({ kind: z.literal('power-off') }),
  z.object({ kind: z.literal('fill'), leaveBytes: z.number().int().nonnegative() }),
  z.object({ kind: z.literal('slow-disk'), writesPerSecond: z.number().int().positive() }),
  z.object({ kind: z.literal('clock'), shift: z.string() }),
  z.object({ kind: z.literal('claim'), key: z.string(), value: z.string() }),
  z.object({ kind: z.literal('crash-at'), point: z.enum(CRASH_POINTS), moment: z.enum(CRASH_MOMENTS) }),
]);
/** A fault that lasts until it is healed. Kills are no faults in this sense: the supervisor heals them. */
export type Fault = z.infer<typeof faultSchema>;

const breakSchema = z.object({ id: z.number().int().positive(), machine: z.string(), at: z.string(), fault: faultSchema });
export type Break = z.infer<typeof breakSchema>;

const machineSchema = z.object({
  name: z.string(),
  role: z.enum(ROLES),
  /** Machine's folder on the host: seed, logs, disk image. */
  folder: z.string(),
  /** Cgroup folders, one for each hierarchy in use. */
  cgroups: z.array(z.string()),
  /** PID 1 of the machine as the host sees it; null while its power is off. */
  init: processSchema.nullable(),
  /** `unshare`, the parent of init, outside of the PID namespace. */
  launcher: processSchema.nullable(),
  /** Kind of namespace → inode name, e.g. `net` → `net:[4026532281]`. */
  namespaces: z.record(z.string(), z.string()),
  memoryBytes: z.number().int().positive().nullable(),
  cores: z.number().positive().nullable(),
});
export type Machine = z.infer<typeof machineSchema>;

/** What `up` was asked for; a second `up` compares it. */
const optionsSchema = z.object({
  nodes: z.number().int().positive(),
  nodeMemoryBytes: z.number().int().positive(),
  nodeCores: z.number().positive(),
  nodeDiskBytes: z.number().int().positive(),
  /** Node → part of its declared speed, e.g. node3 → 0.5. */
  slow: z.record(z.string(), z.number().gt(0).max(1)),
  /** A power supply that a fence agent switches, configured in the control machine. */
  fencing: z.boolean().optional(),
});
export type LabOptions = z.infer<typeof optionsSchema>;

export const labStateSchema = z.object({
  v: z.literal(1),
  name: z.string(),
  folder: z.string(),
  state: z.enum(['building', 'up']),
  createdAt: z.string(),
  options: optionsSchema,
  /** How limits are enforced: `v1`, `v2`, or the reason why they are not. */
  limits: z.string(),
  temporal: z.object({ labAddress: z.string(), hostAddress: z.string(), port: z.number().int() }),
  /** kedge.yaml of clients on the host. */
  configFile: z.string(),
  sharedFolder: z.string(),
  observer: z.object({ socket: z.string(), state: z.string() }),
  machines: z.array(machineSchema),
  breaks: z.array(breakSchema),
});
export type LabState = z.infer<typeof labStateSchema>;
