import { createHash } from 'node:crypto';
import { parseGeneration, parseMigrationId, parseNodeName, parseVmid } from '../../../src/domain/ids.js';
import { GUEST_KINDS, RECORD_STATES, WANTED_STATES, type OwnershipRecord } from '../../../src/domain/ownership.js';

/** Version of the file format; a reader refuses any other. */
const FORMAT = 1;

/**
 * Prints a record as the content of its file: JSON with one final newline. The last field is a sum over the rest, so that a record that was
 * edited by hand, or damaged in a way that leaves JSON, is no record any more.
 */
export function printRecord(record: OwnershipRecord): string {
  const fields = { format: FORMAT, ...record };
  return `${JSON.stringify({ ...fields, sum: sumOf(fields) })}\n`;
}

/** Against accidents and helping hands, not against an enemy: who can write here can also calculate it. */
function sumOf(fields: Fields): string {
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex').slice(0, 16);
}

/**
 * Reads the content of a record file. Strict: a half-written, altered or foreign file must never become a permission.
 * @throws Error that says which field is wrong
 */
export function parseRecord(text: string): OwnershipRecord {
  if (!text.endsWith('\n')) throw new Error('Cannot read record: the final newline is missing, the file is cut off');
  const fields: unknown = JSON.parse(text);
  if (!isObject(fields)) throw new Error('Cannot read record: not a JSON object');
  if (fields['format'] !== FORMAT) throw new Error(`Cannot read record: format is ${String(fields['format'])}, expected ${FORMAT}`);
  const base = {
    vmid: parseVmid(number(fields, 'vmid')),
    kind: oneOf(fields, 'kind', GUEST_KINDS),
    generation: parseGeneration(number(fields, 'generation')),
    wanted: oneOf(fields, 'wanted', WANTED_STATES),
    bootId: string(fields, 'bootId'),
  };
  const state = oneOf(fields, 'state', RECORD_STATES);
  assertUnaltered(fields);
  if (state === 'owned' && fields['migrationId'] === undefined) return { ...base, state };
  const claim = {
    migrationId: parseMigrationId(string(fields, 'migrationId')).id,
    peer: parseNodeName(string(fields, 'peer')),
    ...(fields['mode'] === undefined ? {} : { mode: oneOf(fields, 'mode', ['offline'] as const) }),
  };
  if (state === 'revoked') return { ...base, ...claim, state, ran: oneOf(fields, 'ran', ['no', 'maybe'] as const) };
  return { ...base, ...claim, state };
}

/** A record of an older Kedge has no sum. */
function assertUnaltered({ sum, ...rest }: Fields): void {
  if (sum !== undefined && sum !== sumOf(rest)) throw new Error('Cannot read record: its checksum is wrong, somebody has altered it');
}

type Fields = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
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
