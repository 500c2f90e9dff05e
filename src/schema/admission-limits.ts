import { z } from 'zod';
import {
  isLimit,
  limitRule,
  type NETWORK_LIMITS,
  type NODE_LIMITS,
  type STORAGE_LIMITS,
  type LimitedKind,
  type LimitName,
  type LimitSettings,
} from '../domain/admission-limits.js';
import { NAMES_OF, readLimitSettings } from '../domain/read-limit-change.js';

/** A number, or `none`; `own`: of one node, network or storage. */
const limit = (name: LimitName, { own }: { own: boolean }) =>
  z
    .unknown()
    .transform((value, context) => {
      // What YAML calls null is a value that was forgotten.
      const read = value === 'none' ? null : value === null ? 'null' : value;
      if (isLimit(read, name, { own })) return read;
      context.addIssue({ code: 'custom', message: `must be ${limitRule(name, { own }).must}` });
      return z.NEVER;
    })
    .optional();

const nodeLimits = (own: boolean) =>
  ({ perNode: limit('perNode', { own }), in: limit('in', { own }), out: limit('out', { own }) }) satisfies Of<typeof NODE_LIMITS>;
const networkLimits = (own: boolean) =>
  ({ perNetwork: limit('perNetwork', { own }), bandwidth: limit('bandwidth', { own }) }) satisfies Of<typeof NETWORK_LIMITS>;
const storageLimits = (own: boolean) => ({ perStorage: limit('perStorage', { own }) }) satisfies Of<typeof STORAGE_LIMITS>;
type Of<Names extends readonly LimitName[]> = Record<Names[number], z.ZodType>;

const named = <Shape extends z.ZodRawShape>(kind: LimitedKind, shape: Shape) =>
  z.record(z.string().refine(NAMES_OF[kind].isName, `must be ${NAMES_OF[kind].must}`), z.strictObject(shape)).optional();

/** `limits` of kedge.yaml: how many guests may move at a time, and how fast. What is absent is as Kedge has it by itself. */
export const admissionLimitsSchema = z.strictObject({
  cluster: limit('cluster', { own: false }),
  ...nodeLimits(false),
  ...networkLimits(false),
  ...storageLimits(false),
  nodes: named('nodes', nodeLimits(true)),
  networks: named('networks', networkLimits(true)),
  storages: named('storages', storageLimits(true)),
});

type LimitsConfig = z.output<typeof admissionLimitsSchema>;

/** What is wrong with limits that only the rest of the file shows. The path begins below `limits`. */
export function limitProblems({ nodes = {} }: LimitsConfig, known: readonly string[]): readonly { path: string[]; message: string }[] {
  return Object.keys(nodes)
    .filter((name) => !known.includes(name))
    .map((name) => ({ path: ['nodes', name], message: `${name} is no node of this cluster, must be one of ${known.join(', ')}` }));
}

/** The limits as admission has them: plain JSON without fields that are undefined. */
export function limitSettingsOf(limits: LimitsConfig): LimitSettings {
  return readLimitSettings(limits);
}
