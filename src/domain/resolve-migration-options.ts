/**
 * Reads the input of `migrateGuest`, by hand: it runs inside the workflow, where a schema library would cost cache and
 * start-up, and where input typed into `temporal workflow start` must fail cleanly.
 */
import { SLOT_PRIORITIES, type SlotPriority } from './admission.js';
import { parseNodeName, parseVmid, type NodeName, type Vmid } from './ids.js';
import { isRecord } from './is-record.js';
import { DEFAULT_MIGRATION_OPTIONS, MIGRATION_TYPES, SHUTDOWN_POLICIES, STALL_POLICIES, type MigrationOptions } from './migration.js';
import { badInput, isInstant, readInstant, refuseUnknownFields } from './read-input.js';
import { DEFAULT_TIMINGS, type WorkflowTimings } from './workflow-timings.js';

export interface ResolvedMigration {
  readonly vmid: Vmid;
  /** Null: to be looked up in the nodes' inventories. */
  readonly source: NodeName | null;
  readonly target: NodeName;
  readonly options: MigrationOptions;
  readonly requestedBy: string;
  readonly priority: SlotPriority;
  readonly notAfter: string | null;
  readonly timings: WorkflowTimings;
}

const INPUT_FIELDS = ['vmid', 'target', 'source', 'options', 'requestedBy', 'priority', 'notAfter', 'timings'];
const OPTION_FIELDS = [...Object.keys(DEFAULT_MIGRATION_OPTIONS), 'holdUntil'];
/** What looks like CIDR; the nodes, which have to find their addresses in it, read it exactly. */
const NETWORK = /^[0-9A-Fa-f.:]+\/\d{1,3}$/;

/** Fills in the defaults. @throws KedgeError `bad-input` that names the field, its value and what it must be. */
export function resolveMigrationOptions(input: unknown): ResolvedMigration {
  if (!isRecord(input)) throw badInput('input', input, 'one JSON object like {"vmid": 101, "target": "node2"}');
  refuseUnknownFields(input, { known: INPUT_FIELDS, prefix: '' });
  const { vmid, target, source } = input;
  if (typeof vmid !== 'number') throw badInput('vmid', vmid, 'a number from 100 to 999999999');
  if (typeof target !== 'string') throw badInput('target', target, 'the name of a node');
  if (source !== undefined && source !== null && typeof source !== 'string') throw badInput('source', source, 'the name of a node, or absent');
  return {
    vmid: parseVmid(vmid),
    source: typeof source === 'string' ? parseNodeName(source) : null,
    target: parseNodeName(target),
    options: resolveOptions(input['options'] ?? {}),
    requestedBy: textOr(input['requestedBy'], { field: 'requestedBy', fallback: 'unknown' }),
    priority: priorityOf(input['priority']),
    notAfter: readInstant('notAfter', input['notAfter']),
    timings: resolveTimings(input['timings'] ?? {}),
  };
}

/** The same for a check, whose target may be left out. @throws KedgeError `bad-input` */
export function resolveCheckOptions(input: unknown): Omit<ResolvedMigration, 'target'> & { readonly target: NodeName | null } {
  if (!isRecord(input) || (input['target'] !== undefined && input['target'] !== null)) return resolveMigrationOptions(input);
  return { ...resolveMigrationOptions({ ...input, target: 'any' }), target: null };
}

function priorityOf(value: unknown): SlotPriority {
  if (value === undefined || value === null) return 'user';
  const found = SLOT_PRIORITIES.find((known) => known === value);
  if (found === undefined) throw badInput('priority', value, `one of ${SLOT_PRIORITIES.join(', ')}`);
  return found;
}

function resolveOptions(options: unknown): MigrationOptions {
  if (!isRecord(options)) throw badInput('options', options, 'a JSON object');
  refuseUnknownFields(options, { known: OPTION_FIELDS, prefix: 'options.' });
  const defaults = DEFAULT_MIGRATION_OPTIONS;
  const hold = flag(options, 'hold', defaults.hold);
  const maxDowntimeMs = amountOrNull(options, 'maxDowntimeMs');
  // QEMU's own bounds of the parameter downtime-limit.
  if (maxDowntimeMs !== null && (maxDowntimeMs < 1 || maxDowntimeMs > 2_000_000))
    throw badInput('options.maxDowntimeMs', maxDowntimeMs, 'milliseconds from 1 to 2000000');
  const online = flag(options, 'online', defaults.online);
  const restart = flag(options, 'restart', defaults.restart);
  if (online && restart) throw badInput('options.restart', restart, 'false, or "online" false: a guest moves either while it runs or switched off');
  return {
    online,
    restart,
    shutdownTimeoutMs: amount(options, 'shutdownTimeoutMs', defaults.shutdownTimeoutMs),
    onShutdownTimeout: choice(options, 'onShutdownTimeout', { of: SHUTDOWN_POLICIES, fallback: defaults.onShutdownTimeout }),
    presync: flag(options, 'presync', defaults.presync),
    keepSource: flag(options, 'keepSource', defaults.keepSource),
    targetStorage: textOr(options['targetStorage'], { field: 'options.targetStorage', fallback: defaults.targetStorage }),
    type: choice(options, 'type', { of: MIGRATION_TYPES, fallback: defaults.type }),
    network: network(options['network']),
    bandwidthLimit: amountOrNull(options, 'bandwidthLimit'),
    maxDowntimeMs,
    timeoutMs: amount(options, 'timeoutMs', defaults.timeoutMs),
    onStall: choice(options, 'onStall', { of: STALL_POLICIES, fallback: defaults.onStall }),
    ignoreBlackout: flag(options, 'ignoreBlackout', defaults.ignoreBlackout),
    hold,
    ...holdUntil(options['holdUntil'], hold),
  };
}

function holdUntil(value: unknown, hold: boolean): { holdUntil?: string } {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'string' || !isInstant(value)) {
    throw badInput('options.holdUntil', value, 'an instant with a time zone like 2026-03-01T02:30:00Z');
  }
  if (!hold) throw badInput('options.holdUntil', value, 'absent, or together with "hold": true');
  return { holdUntil: value };
}

function resolveTimings(timings: unknown): WorkflowTimings {
  if (!isRecord(timings)) throw badInput('timings', timings, 'a JSON object, for tests only');
  refuseUnknownFields(timings, { known: Object.keys(DEFAULT_TIMINGS), prefix: 'timings.' });
  for (const [name, value] of Object.entries(timings)) {
    if (typeof value !== 'number' || !(value > 0)) throw badInput(`timings.${name}`, value, 'milliseconds above 0');
  }
  return { ...DEFAULT_TIMINGS, ...timings };
}

function flag(options: Readonly<Record<string, unknown>>, name: string, fallback: boolean): boolean {
  const value = options[name] ?? fallback;
  if (typeof value !== 'boolean') throw badInput(`options.${name}`, value, 'true or false');
  return value;
}

/** Null: not given. */
function amountOrNull(options: Readonly<Record<string, unknown>>, name: string): number | null {
  return (options[name] ?? null) === null ? null : amount(options, name, 0);
}

function network(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string' || !NETWORK.test(value)) throw badInput('options.network', value, 'a network in CIDR notation like 10.1.0.0/24');
  return value;
}

function amount(options: Readonly<Record<string, unknown>>, name: string, fallback: number): number {
  const value = options[name] ?? fallback;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw badInput(`options.${name}`, value, 'a whole number, 0 or more');
  return value;
}

function choice<Value extends string>(
  options: Readonly<Record<string, unknown>>,
  name: string,
  { of, fallback }: { of: readonly Value[]; fallback: Value },
): Value {
  const value = options[name] ?? fallback;
  const found = of.find((candidate) => candidate === value);
  if (found === undefined) throw badInput(`options.${name}`, value, `one of ${of.join(', ')}`);
  return found;
}

function textOr(value: unknown, { field, fallback }: { field: string; fallback: string }): string {
  if (value === undefined || value === null) return fallback;
  if (typeof value !== 'string') throw badInput(field, value, 'a text');
  return value;
}
