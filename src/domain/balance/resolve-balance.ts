/** Reads the input of `balanceCluster`, by hand, inside the workflow: see resolve-migration-options.ts. */
import type { SlotPriority } from '../admission.js';
import { readMoveOptions } from '../drain/resolve-evacuation.js';
import type { StayedGuest } from '../evacuation.js';
import { isRecord } from '../is-record.js';
import type { MigrationOptions } from '../migration.js';
import { DEFAULT_BALANCE_LIMITS, type BalanceLimits } from '../plan/plan-balance.js';
import { badInput, readInstant, refuseUnknownFields } from '../read-input.js';
import { resolveMigrationOptions } from '../resolve-migration-options.js';
import type { WorkflowTimings } from '../workflow-timings.js';
import type { LoadMemory } from './load-memory.js';

export interface ResolvedBalance {
  readonly requestedBy: string;
  readonly priority: SlotPriority;
  readonly limits: BalanceLimits;
  readonly parallel: number;
  readonly until: string | null;
  /** As typed: what is left out is for the migrations to fill in. */
  readonly options: Partial<MigrationOptions>;
  readonly leave: readonly StayedGuest[];
  readonly memory: LoadMemory | null;
  readonly timings: WorkflowTimings;
}

const FIELDS = ['requestedBy', 'maxMoves', 'tolerance', 'parallel', 'until', 'options', 'leave', 'memory', 'timings', 'carried'];
export const DEFAULT_BALANCE_PARALLEL = 2;
export const MOST_BALANCE_MOVES = 100;

/** Fills in the defaults. @throws KedgeError `bad-input` that names the field, its value and what it must be. */
export function resolveBalance(given: unknown): ResolvedBalance {
  if (!isRecord(given)) throw badInput('input', given, 'one JSON object, which may be empty');
  refuseUnknownFields(given, { known: FIELDS, prefix: '' });
  const { tolerance = DEFAULT_BALANCE_LIMITS.tolerance, leave = [], memory = null } = given;
  if (typeof tolerance !== 'number' || !(tolerance >= 0 && tolerance <= 1)) throw badInput('tolerance', tolerance, 'a number from 0 to 1');
  if (!isLeft(leave)) throw badInput('leave', leave, 'a list like [{"vmid": 101, "reason": "it has just moved"}]');
  if (memory !== null && !isMemory(memory)) throw badInput('memory', memory, 'absent, or what the balancer remembers');
  const options = readMoveOptions(given['options']);
  // The rest means the same as in a migration, and is read by the same rules.
  const { requestedBy, priority, timings } = resolveMigrationOptions({
    vmid: 100,
    target: 'any',
    options,
    requestedBy: given['requestedBy'],
    priority: 'balance',
    timings: given['timings'],
  });
  return {
    requestedBy,
    priority,
    limits: { ...DEFAULT_BALANCE_LIMITS, tolerance, maxMoves: count('maxMoves', given['maxMoves'] ?? DEFAULT_BALANCE_LIMITS.maxMoves) },
    parallel: count('parallel', given['parallel'] ?? DEFAULT_BALANCE_PARALLEL),
    until: readInstant('until', given['until']),
    options,
    leave,
    memory,
    timings,
  };
}

function count(field: string, value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= MOST_BALANCE_MOVES) return value;
  throw badInput(field, value, `a whole number from 1 to ${MOST_BALANCE_MOVES}`);
}

function isLeft(value: unknown): value is readonly StayedGuest[] {
  return Array.isArray(value) && value.every((each) => isRecord(each) && typeof each['vmid'] === 'number' && typeof each['reason'] === 'string');
}

function isMemory(value: unknown): value is LoadMemory {
  return isRecord(value) && typeof value['sinceMs'] === 'number' && typeof value['atMs'] === 'number' && Array.isArray(value['nodes']);
}
