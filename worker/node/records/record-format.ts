import { parseGeneration, parseMigrationId, parseNodeName, parseVmid } from '../../../src/domain/ids.js';
import { GUEST_KINDS, RECORD_STATES, WANTED_STATES, type OwnershipRecord } from '../../../src/domain/ownership.js';
import { openSealed, sealJson } from '../../../src/drivers/host/sealed-json.js';

/** Version of the file format; a reader refuses any other. */
const FORMAT = 1;

/** Prints a record as the content of its file: sealed JSON. */
export function printRecord(record: OwnershipRecord): string {
  return sealJson({ format: FORMAT, ...record });
}

/**
 * Reads the content of a record file. Strict: a half-written, altered or foreign file must never become a permission.
 * @throws Error that says which field is wrong
 */
export function parseRecord(text: string): OwnershipRecord {
  const fields = open(text);
  if (fields['format'] !== FORMAT) throw new Error(`Cannot read record: ${whyNotFormat(fields['format'])}`);
  const base = {
    vmid: parseVmid(number(fields, 'vmid')),
    kind: oneOf(fields, 'kind', GUEST_KINDS),
    generation: parseGeneration(number(fields, 'generation')),
    wanted: oneOf(fields, 'wanted', WANTED_STATES),
    bootId: string(fields, 'bootId'),
  };
  const state = oneOf(fields, 'state', RECORD_STATES);
  if (state === 'owned' && fields['migrationId'] === undefined) return { ...base, state };
  const claim = {
    migrationId: parseMigrationId(string(fields, 'migrationId')).id,
    peer: parseNodeName(string(fields, 'peer')),
    ...(fields['mode'] === undefined ? {} : { mode: oneOf(fields, 'mode', ['offline'] as const) }),
  };
  if (state === 'revoked') return { ...base, ...claim, state, ran: oneOf(fields, 'ran', ['no', 'maybe'] as const) };
  return { ...base, ...claim, state };
}

type Fields = Readonly<Record<string, unknown>>;

function open(text: string): Fields {
  try {
    return openSealed(text);
  } catch (cause) {
    throw new Error(`Cannot read record: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function whyNotFormat(format: unknown): string {
  const found = `format is ${format === undefined ? 'absent' : JSON.stringify(format)}, expected ${FORMAT}`;
  return typeof format === 'number' && format > FORMAT ? `${found}: a newer Kedge wrote it, update Kedge on this node` : found;
}

function number(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number') throw new Error(`Cannot read record: field ${name} is not a number`);
  return value;
}

function string(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string' || value === '') throw new Error(`Cannot read record: field ${name} is not a text`);
  return value;
}

function oneOf<Value extends string>(fields: Fields, name: string, values: readonly Value[]): Value {
  const found = values.find((value) => value === fields[name]);
  if (found === undefined) throw new Error(`Cannot read record: field ${name} is ${String(fields[name])}, expected one of ${values.join(', ')}`);
  return found;
}
