import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { migrationIdOf, parseGeneration, parseNodeName, parseVmid } from '../../../../src/domain/ids.js';
import type { OwnershipRecord } from '../../../../src/domain/ownership.js';
import { parseRecord, printRecord } from '../../../../worker/node/records/record-format.js';

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

describe('an ownership record', () => {
  test.each(RECORDS)('comes back as it was written ($state)', (record) => {
    expect(parseRecord(printRecord(record))).toEqual(record);
  });

  test.each(RECORDS)('that is cut off anywhere is never read as a record ($state)', (record) => {
    const text = printRecord(record);
    for (let length = 0; length < text.length; length += 1) expect(() => parseRecord(text.slice(0, length))).toThrow();
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

  test('of an older Kedge, which has no checksum, is read', () => {
    const older = printRecord({ ...base, state: 'owned' }).replace(/,"sum":"\w+"/, '');
    expect(older).not.toContain('sum');
    expect(parseRecord(older)).toEqual({ ...base, state: 'owned' });
  });

  test('with a field missing is refused by the name of the field', () => {
    expect(() => parseRecord(printRecord({ ...base, state: 'owned' }).replace('"bootId":"boot-one-id",', ''))).toThrow(/bootId/);
  });
});
