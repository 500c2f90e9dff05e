import { crc32 } from 'node:zlib';

export interface Tick {
  readonly vmid?: number;
  readonly nonce?: bigint;
  readonly tick: number;
  /** Default: 5 ms a tick, as a guest that never stops. */
  readonly clockNs?: number;
  readonly journalFirst?: number;
  readonly journalAcked?: number;
  readonly pagesWritten?: number;
  readonly memoryErrors?: number;
}

const BYTES = 100;

/** A tick as the C program sends it (`struct tick_packet`). */
export function tickPacket(input: Tick): Buffer {
  const packet = Buffer.alloc(BYTES);
  packet.write('KWT1', 0, 'latin1');
  packet.writeUInt16LE(1, 4);
  packet.writeUInt16LE(BYTES, 6);
  packet.writeUInt32LE(input.vmid ?? 101, 8);
  packet.writeUInt32LE(5, 12);
  const numbers = [
    input.nonce ?? 0xfeedn,
    input.tick,
    input.clockNs ?? input.tick * 5_000_000,
    input.journalFirst ?? 1,
    input.journalAcked ?? 0,
    0, // journal errors
    input.pagesWritten ?? input.tick * 25,
    input.tick * 40, // pages verified
    0, // passes
    input.memoryErrors ?? 0,
  ];
  for (const [index, value] of numbers.entries()) packet.writeBigUInt64LE(BigInt(value), 16 + index * 8);
  packet.writeUInt32LE(crc32(packet.subarray(0, BYTES - 4)), BYTES - 4);
  return packet;
}
