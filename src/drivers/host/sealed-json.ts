import { createHash } from 'node:crypto';
import { isRecord } from '../../domain/is-record.js';

/**
 * Small files that decide what may run or be removed: one JSON object and a final newline, with a checksum as its last field.
 *
 * A file that was cut off is no JSON; a single bit that a disk, a memory or an editor has changed may well leave other JSON that is valid
 * (another generation, another peer, another disk), and only the checksum tells. Kedge before the checksum ignores the field, and what it
 * wrote has none: such a file is taken as it is, so that nodes are updated, and set back, one by one.
 */
const CHECK = /,"check":"([0-9a-f]{16})"\}\n$/;

/** Prints the file that {@link openSealed} reads. */
export function sealJson(value: object): string {
  const body = JSON.stringify(value);
  return `${body.slice(0, -1)},"check":"${checksumOf(body)}"}\n`;
}

/**
 * Reads a sealed file, or one of a Kedge that did not seal; the fields are for the caller to judge.
 * @throws Error that continues "Cannot read …: "
 */
export function openSealed(text: string): Readonly<Record<string, unknown>> {
  if (!text.endsWith('\n')) throw new Error('the final newline is missing, the file is cut off');
  const check = CHECK.exec(text);
  if (check !== null && checksumOf(`${text.slice(0, check.index)}}`) !== check[1]) {
    throw new Error('its checksum does not fit, the file was damaged, or altered by hand');
  }
  const value: unknown = JSON.parse(text);
  if (!isRecord(value)) throw new Error('not a JSON object');
  return value;
}

function checksumOf(body: string): string {
  return createHash('sha256').update(body).digest('hex').slice(0, 16);
}
