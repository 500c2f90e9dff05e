import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { migrationIdOf, parseGeneration, parseNodeName, parseVmid } from '../../../../src/domain/ids.js';
import type { OwnershipRecord } from '../../../../src/domain/ownership.js';
import { sealJson } from '../../../../src/drivers/host/sealed-json.js';
import { parseRecord, printRecord } from '../../../../worker/node/records/record-format.js';
import { flipsOf, prefixesOf } from '../../../support/damage.js';

const vmid = parseVmid(101);
const generation = parseGeneration(7);
const claim = { migrationId: migrationIdOf(vmid, generation), peer: parseNodeName('node2') };
const base = { vmid, kind: 'qemu', generation, wanted: 'running', bootId: 'boot-one-id' } as const;

const RECORDS: readonly OwnershipRecord[] = [
  { ...base, state: 'owned' },
  { ...base, ...claim, state: 'owned' },
  { ...base, ...claim, state: 'incoming' },
  { ...base, ...claim, state: 'armed' },
  { ...base, ...claim, state: 'releasing' },
  { ...base, ...claim, state: 'released' },
  { ...base, ...claim, state: 'revoked', ran: 'maybe' },
];

function readOrRefusal(text: string): OwnershipRecord | string {
  try {
    return parseRecord(text);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

describe('an ownership record', () => {
  test.each(RECORDS)('comes back as it was written ($state)', (record) => {
    expect(parseRecord(printRecord(record))).toEqual(record);
  });

  test.each(RECORDS)('that is cut off anywhere is never read as a record ($state)', (record) => {
    for (const text of prefixesOf(printRecord(record))) expect(() => parseRecord(text)).toThrow('Cannot read record: ');
  });

  test.each(RECORDS)('with one bit changed is refused, or says what it said before ($state)', (record) => {
    const seen = flipsOf(printRecord(record)).map(readOrRefusal);
    expect(seen.filter((value) => typeof value !== 'string')).toEqual(seen.filter((value) => typeof value !== 'string').map(() => record));
    for (const value of seen) if (typeof value === 'string') expect(value).toMatch(/^Cannot read /);
  });

  test('of a Kedge that wrote no checksum is read, so that nodes are updated one by one', () => {
    for (const record of RECORDS) expect(parseRecord(`${JSON.stringify({ format: 1, ...record })}\n`)).toEqual(record);
  });

  test('of a newer Kedge is refused with the remedy', () => {
    const newer = `${JSON.stringify({ format: 2, ...RECORDS[0] })}\n`;
    expect(() => parseRecord(newer)).toThrow('Cannot read record: format is 2, expected 1: a newer Kedge wrote it, update Kedge on this node');
    expect(() => parseRecord(newer.replace('"format":2,', ''))).toThrow('format is absent, expected 1');
  });

  test('that is any other text is refused, not guessed', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json().map((text) => `${text}\n`),
        ),
        (text) => {
          expect(() => parseRecord(text)).toThrow();
        },
      ),
    );
  });

  test('that was edited by hand is refused, whatever it says now', () => {
    const altered = printRecord({ ...base, ...claim, state: 'revoked', ran: 'maybe' }).replace('"revoked"', '"owned"');
    expect(() => parseRecord(altered)).toThrow(/checksum/);
    expect(() => parseRecord(printRecord({ ...base, state: 'owned' }).replace('"generation":7', '"generation":8'))).toThrow(/checksum/);
  });

  test('with a field missing is refused by the name of the field', () => {
    const { bootId, ...other } = base;
    expect(() => parseRecord(sealJson({ format: 1, ...other, state: 'owned' }))).toThrow('Cannot read record: field bootId is not a text');
    expect(parseRecord(sealJson({ format: 1, ...other, bootId, state: 'owned' }))).toEqual(RECORDS[0]);
  });
});
