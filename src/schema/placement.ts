import { z } from 'zod';
import { parseNodeName, parseVmid, type NodeName } from '../domain/ids.js';
import { NOT_LIVE_POLICIES } from '../domain/plan/snapshot.js';
import type { Placement } from '../domain/plan/placement.js';
import { nodeNameSchema, vmidSchema } from './id-schemas.js';

const vmidKey = z.string().refine(isVmid, 'must be a vmid: a number from 100 on');
const guests = z
  .array(vmidSchema)
  .min(1, 'must name a guest, or remove the rule')
  .refine((list) => new Set(list).size === list.length, 'names a guest twice, remove one');
const several = guests.refine((list) => list.length > 1, 'must name two guests or more, or remove the rule');
const rule = { id: z.string().min(1, 'must be a word that plans can name'), required: z.boolean().default(true) };

/** `placement` of kedge.yaml: what the operator wants of where guests run. */
export const placementSchema = z.strictObject({
  /** What happens to a guest that runs and can't move live, when its node has to be empty; for guests that have no own word. */
  whenNotLive: z.enum(NOT_LIVE_POLICIES).default('skip'),
  /** Keep so much memory free that the guests of any one node would fit into what the others have left. */
  survivesOneNode: z.boolean().default(false),
  /** By vmid. */
  guests: z
    .record(
      vmidKey,
      z.strictObject({
        pinned: z.boolean().default(false),
        /** Higher goes first. */
        priority: z.int().min(-1_000).max(1_000).default(0),
        whenNotLive: z.enum(NOT_LIVE_POLICIES).optional(),
      }),
    )
    .default({}),
  rules: z
    .array(
      z.discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('together'), ...rule, guests: several }),
        z.strictObject({ kind: z.literal('apart'), ...rule, guests: several }),
        z.strictObject({ kind: z.literal('nodes'), ...rule, guests, nodes: z.array(nodeNameSchema).min(1, 'must name a node, or remove the rule') }),
      ]),
    )
    .default([]),
  /** By name; what is absent is as node.yaml of the node has it. */
  nodes: z
    .record(
      z.string(),
      z.strictObject({
        /** Memory that guests may not have. */
        reserveBytes: z.int().min(0).optional(),
        /** Of one core against a usual one of the cluster, which is 1. */
        speed: z.number().min(0.01).max(100).optional(),
      }),
    )
    .default({}),
});

type PlacementConfig = z.output<typeof placementSchema>;

/** What is wrong with a placement that only the rest of the file shows. The path begins below `placement`. */
export function placementProblems(placement: PlacementConfig, known: readonly string[]): readonly { path: (string | number)[]; message: string }[] {
  const unknownNode = (name: string): string => `${name} is no node of this cluster, must be one of ${known.join(', ')}`;
  const { rules, nodes } = placement;
  return [
    ...Object.keys(nodes).flatMap((name) => (known.includes(name) ? [] : [{ path: ['nodes', name], message: unknownNode(name) }])),
    ...rules.flatMap((each, at) =>
      each.kind !== 'nodes'
        ? []
        : each.nodes.flatMap((name, index) => (known.includes(name) ? [] : [{ path: ['rules', at, 'nodes', index], message: unknownNode(name) }])),
    ),
    ...rules.flatMap(({ id }, at) =>
      rules.findIndex((other) => other.id === id) < at ? [{ path: ['rules', at, 'id'], message: 'is the id of another rule, too: choose another one' }] : [],
    ),
    ...rules.flatMap((one, at) => {
      const other = rules.find((each) => contradict(one, each));
      return other === undefined
        ? []
        : [{ path: ['rules', at], message: `contradicts the rule ${other.id}: make one of them "required: false", or remove it` }];
    }),
  ];
}

/** Only `apart` is named, once. */
function contradict(one: PlacementConfig['rules'][number], other: PlacementConfig['rules'][number]): boolean {
  if (one.kind !== 'apart' || other.kind !== 'together' || !one.required || !other.required) return false;
  return one.guests.filter((vmid) => other.guests.includes(vmid)).length > 1;
}

/** The placement as the planner has it. */
export function placementOf({ whenNotLive, survivesOneNode, guests: said, rules, nodes }: PlacementConfig): Placement {
  return {
    whenNotLive,
    survivesOneNode,
    guests: new Map(
      Object.entries(said).map(([vmid, own]) => [parseVmid(vmid), { pinned: own.pinned, priority: own.priority, whenNotLive: own.whenNotLive ?? whenNotLive }]),
    ),
    rules,
    nodes: new Map(Object.entries(nodes).map(([name, own]): [NodeName, typeof own] => [parseNodeName(name), own])),
  };
}

function isVmid(value: string): boolean {
  try {
    parseVmid(value);
    return true;
  } catch {
    return false;
  }
}
