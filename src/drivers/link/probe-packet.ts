/**
 * What a probe of a link is made of: datagrams that begin with the secret of their probe and a number, and a stream that begins with
 * the secret. Whatever bears another secret is not for us.
 */

/** Bytes of the secret. */
export const TOKEN_BYTES = 16;
const HEADER_BYTES = TOKEN_BYTES + 4;
/** As small as an acknowledgement of TCP. */
export const SMALL_BYTES = 64;

/** One datagram of `bytes`, at least as long as its header. */
export function printProbe(token: Buffer, number: number, bytes: number): Buffer {
  const packet = Buffer.alloc(Math.max(HEADER_BYTES, bytes));
  token.copy(packet);
  packet.writeUInt32BE(number, TOKEN_BYTES);
  return packet;
}

/** The number of a datagram; null: it is none of this probe. */
export function parseProbe(token: Buffer, packet: Buffer): number | null {
  if (packet.length < HEADER_BYTES || !packet.subarray(0, TOKEN_BYTES).equals(token)) return null;
  return packet.readUInt32BE(TOKEN_BYTES);
}
