import { crc32 } from 'node:zlib';
import { JOURNAL_RECORD_BYTES } from '../../../lab/witness/journal-record.js';

export interface WrittenRecord {
  readonly seq: number;
  readonly slots: number;
  readonly vmid?: number;
  readonly nonce?: bigint;
  readonly first?: number;
  readonly tick?: number;
  readonly clockNs?: bigint;
}

export const NONCE = 0xfeedn;

/** A record as the C program writes it; this second description of the layout keeps the parser honest. */
export function writeRecord({ seq, slots, vmid = 101, nonce = NONCE, first = 1, tick = seq * 10, clockNs = BigInt(seq) * 50_000_000n }: WrittenRecord): Buffer {
  const record = Buffer.alloc(JOURNAL_RECORD_BYTES);
  record.write('KWJ1', 0, 'latin1');
  record.writeUInt16LE(1, 4);
  record.writeUInt16LE(JOURNAL_RECORD_BYTES, 6);
  record.writeUInt32LE(vmid, 8);
  record.writeUInt32LE(slots, 12);
  record.writeBigUInt64LE(nonce, 16);
  record.writeBigUInt64LE(BigInt(seq), 24);
  record.writeBigUInt64LE(BigInt(first), 32);
  record.writeBigUInt64LE(BigInt(tick), 40);
  record.writeBigUInt64LE(clockNs, 48);
  record.fill(0xa5, 64, JOURNAL_RECORD_BYTES - 4);
  record.writeUInt32LE(crc32(record.subarray(0, JOURNAL_RECORD_BYTES - 4)), JOURNAL_RECORD_BYTES - 4);
  return record;
}

/** The image of a ring of `slots` after records 1 to `newest` were written in turn; `change` may write some of them differently. */
export function writeImage(
  { slots, newest }: { slots: number; newest: number },
  change: (seq: number) => Partial<WrittenRecord> | 'not written' = () => ({}),
): Buffer {
  const image = Buffer.alloc(slots * JOURNAL_RECORD_BYTES);
  for (let seq = 1; seq <= newest; seq += 1) {
    const changed = change(seq);
    if (changed !== 'not written') writeRecord({ seq, slots, ...changed }).copy(image, ((seq - 1) % slots) * JOURNAL_RECORD_BYTES);
  }
  return image;
}
