/** Reads the input of `evacuateNode` and `restoreNode`, by hand, inside the workflow: see resolve-migration-options.ts. */
import type { SlotPriority } from '../admission.js';
import type { EvacuateNodeInput } from '../evacuation.js';
import { parseNodeName, type NodeName } from '../ids.js';
import { isRecord } from '../is-record.js';
import type { MigrationOptions } from '../migration.js';
import { badInput, readInstant, refuseUnknownFields } from '../read-input.js';
import { resolveMigrationOptions } from '../resolve-migration-options.js';
import type { WorkflowTimings } from '../workflow-timings.js';

export interface ResolvedEvacuation {
  readonly node: NodeName;
  readonly requestedBy: string;
  readonly priority: SlotPriority;
  readonly until: string | null;
  readonly parallel: number;
  readonly waitUntil: string | null;
  readonly force: NonNullable<EvacuateNodeInput['force']>;
  /** As typed: what is left out is for the migrations to fill in. */
  readonly options: Partial<MigrationOptions>;
  readonly timings: WorkflowTimings;
}

const FIELDS = ['node', 'requestedBy', 'priority', 'until', 'parallel', 'waitUntil', 'force', 'options', 'timings', 'carried'];
export const FORCES = ['offline', 'shutdown', 'skip'] as const;
export const DEFAULT_PARALLEL = 2;
const MOST_PARALLEL = 100;

/** Fills in the defaults. @throws KedgeError `bad-input` that names the field, its value and what it must be. */
export function resolveEvacuation(input: EvacuateNodeInput | null | undefined): ResolvedEvacuation {
  const given: unknown = input;
  if (!isRecord(given)) throw badInput('input', given, 'one JSON object like {"node": "node2"}');
  refuseUnknownFields(given, { known: FIELDS, prefix: '' });
  const { node, parallel, force } = given;
  if (typeof node !== 'string') throw badInput('node', node, 'the name of a node');
  const count = parallel ?? DEFAULT_PARALLEL;
  if (typeof count !== 'number' || !Number.isSafeInteger(count) || count < 1 || count > MOST_PARALLEL)
    throw badInput('parallel', parallel, `a whole number from 1 to ${MOST_PARALLEL}`);
  const forced = FORCES.find((known) => known === (force ?? 'skip'));
  if (forced === undefined) throw badInput('force', force, `one of ${FORCES.join(', ')}`);
  const options = readMoveOptions(given['options']);
  // The rest means the same as in a migration, and is read by the same rules.
  const { requestedBy, priority, timings } = resolveMigrationOptions({
    vmid: 100,
    target: node,
    options,
    requestedBy: given['requestedBy'],
    priority: given['priority'] ?? 'maintenance',
    timings: given['timings'],
  });
  return {
    node: parseNodeName(node),
    requestedBy,
    priority,
    until: readInstant('until', given['until']),
    parallel: count,
    waitUntil: readInstant('waitUntil', given['waitUntil']),
    force: forced,
    // What saves guests is never held back.
    options: priority === 'failure' ? { ...options, ignoreBlackout: true } : options,
    timings,
  };
}

/**
 * The same for one that is to begin now. Those that run already may have been begun with less care.
 * @throws KedgeError `bad-input`
 */
export function resolveNewEvacuation(input: EvacuateNodeInput): ResolvedEvacuation {
  const order = resolveEvacuation(input);
  if (input.force !== undefined && order.waitUntil === null)
    throw badInput('force', input.force, 'absent, or together with "waitUntil" (--wait-until), the instant from which on it holds');
  return order;
}

/** How each guest moves the plan decides; a drain holds nothing. */
const DECIDED = ['online', 'restart', 'hold', 'holdUntil'];

/** Options of every move, as typed. @throws KedgeError `bad-input` */
export function readMoveOptions(value: unknown): Partial<MigrationOptions> {
  if (value === undefined || value === null) return {};
  if (!isRecord(value)) throw badInput('options', value, 'a JSON object');
  return Object.fromEntries(Object.entries(value).filter(([name]) => !DECIDED.includes(name)));
}
