/** What is wrong with a snapshot that only its other parts show, and how a fault of it is told. */
import type { z } from 'zod';
import { isRecord } from '../domain/is-record.js';
import type { ClusterSnapshot } from '../domain/plan/snapshot.js';

export interface SnapshotProblem {
  readonly path: readonly (string | number)[];
  /** What the value there must be. */
  readonly message: string;
}

/** Names that come twice, and nodes that are named and not there. Rules may name guests that are not there: those of kedge.yaml outlive them. */
export function snapshotProblems({ nodes, guests, rules }: Pick<ClusterSnapshot, 'nodes' | 'guests' | 'rules'>): readonly SnapshotProblem[] {
  const names = new Set<string>(nodes.map(({ name }) => name));
  const known = `the snapshot has no such node, it has ${[...names].join(', ')}`;
  const mustExist = (name: string, path: SnapshotProblem['path']): readonly SnapshotProblem[] =>
    names.has(name) ? [] : [{ path, message: `must be one of its nodes: ${known}` }];
  return [
    ...repeated(nodes, ({ name }) => name).map((at) => ({
      path: ['nodes', at, 'name'],
      message: 'must be a name that no other node has: it is in the snapshot twice',
    })),
    ...nodes.flatMap(({ storages }, at) =>
      repeated(storages, ({ id }) => id).map((index) => ({
        path: ['nodes', at, 'storages', index, 'id'],
        message: 'must be an id that no other storage of the node has',
      })),
    ),
    ...repeated(guests, ({ vmid }) => vmid).map((at) => ({
      path: ['guests', at, 'vmid'],
      message: 'must be a number that no other guest has: it is in the snapshot twice',
    })),
    ...guests.flatMap(({ node }, at) => mustExist(node, ['guests', at, 'node'])),
    ...repeated(rules, ({ id }) => id).map((at) => ({ path: ['rules', at, 'id'], message: 'must be an id that no other rule has' })),
    ...rules.flatMap((rule, at) => (rule.kind === 'nodes' ? rule.nodes.flatMap((name, index) => mustExist(name, ['rules', at, 'nodes', index])) : [])),
  ];
}

/** Places of those whose key an earlier one has. */
function repeated<Item>(items: readonly Item[], keyOf: (item: Item) => unknown): readonly number[] {
  const seen = new Set<unknown>();
  return items.flatMap((item, at) => {
    const key = keyOf(item);
    if (seen.has(key)) return [at];
    seen.add(key);
    return [];
  });
}

/** What the value at fault must be. */
export function mustOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${issue.expected === 'int' ? 'a whole number' : `of type ${issue.expected}`}`;
    case 'too_small':
      if (issue.origin === 'array') return `must have at least ${String(issue.minimum)}`;
      return `must be ${issue.inclusive === false ? 'more than' : 'at least'} ${String(issue.minimum)}`;
    case 'too_big':
      return `must be at most ${String(issue.maximum)}`;
    case 'invalid_value':
      return `must be ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`;
    case 'invalid_union':
      return 'must be "together", "apart" or "nodes"';
    case 'unrecognized_keys':
      return 'must be absent: there is no such field, see docs/snapshot.schema.json';
    default:
      // Ids tell their field and value, too.
      return /must .*$/.exec(issue.message)?.[0] ?? `must be otherwise: ${issue.message}`;
  }
}

/** What stands there; undefined: nothing. */
export function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => {
    if (Array.isArray(value)) return value[Number(key)];
    return isRecord(value) ? value[String(key)] : undefined;
  }, input);
}

const SHOWN = 60;

/** A value as a message shows it: a large one by its beginning. */
export function shown(value: unknown): string {
  if (value === undefined) return 'absent';
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}…`;
}
