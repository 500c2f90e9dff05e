import { crc32 } from 'node:zlib';

/** Bytes of one record, and of one sector of the guest's disk. */
export const JOURNAL_RECORD_BYTES = 512;

const MAGIC = 0x314a574b;
const VERSION = 1;
const CRC_OFFSET = JOURNAL_RECORD_BYTES - 4;

/** One record as the witness wrote it; the layout is `struct journal_record` in wire.h. */
export interface JournalRecord {
  readonly vmid: number;
  /** Records that the ring holds. */
  readonly slots: number;
  /** The boot that wrote it: 16 hexadecimal digits. */
  readonly nonce: string;
  /** 1, 2, 3 … over all boots; stands in slot (seq - 1) modulo slots. */
  readonly seq: number;
  /** First sequence number of that boot. */
  readonly first: number;
  readonly tick: number;
  /** The guest's monotonic clock in nanoseconds. */
  readonly clockNs: bigint;
}

export type ParsedRecord =
  | { readonly kind: 'record'; readonly record: JournalRecord }
  | { readonly kind: 'empty' }
  | { readonly kind: 'bad'; readonly why: string };

/** Parses the record that begins at `offset`; never throws, because damaged records are what the reader looks for. */
export function parseJournalRecord(bytes: Buffer, offset = 0): ParsedRecord {
  const record = bytes.subarray(offset, offset + JOURNAL_RECORD_BYTES);
  if (record.length < JOURNAL_RECORD_BYTES) return { kind: 'bad', why: 'the image ends inside the record' };
  const magic = record.readUInt32LE(0);
  if (magic === 0 && record.every((byte) => byte === 0)) return { kind: 'empty' };
  if (crc32(record.subarray(0, CRC_OFFSET)) !== record.readUInt32LE(CRC_OFFSET)) return { kind: 'bad', why: 'wrong checksum' };
  if (magic !== MAGIC || record.readUInt16LE(4) !== VERSION || record.readUInt16LE(6) !== JOURNAL_RECORD_BYTES) {
    return { kind: 'bad', why: 'not a record of this version' };
  }
  return {
    kind: 'record',
    record: {
      vmid: record.readUInt32LE(8),
      slots: record.readUInt32LE(12),
      nonce: record.readBigUInt64LE(16).toString(16).padStart(16, '0'),
      seq: Number(record.readBigUInt64LE(24)),
      first: Number(record.readBigUInt64LE(32)),
      tick: Number(record.readBigUInt64LE(40)),
      clockNs: record.readBigUInt64LE(48),
    },
  };
}
