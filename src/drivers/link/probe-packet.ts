/**
 * What a probe of a link is made of: datagrams that begin with the secret of their probe and a number, and a stream that begins with
 * the secret. Whatever bears another secret is not for us.
 */

/** Bytes of the secret. */
export const TOKEN_BYTES = 16;
const HEADER_BYTES = TOKEN_BYTES + 4;
/** As small as an acknowledgement of TCP. */
export const SMALL_BYTES = 64;

/**
 * A stream ends after so many bytes, or when its time is up. Enough to see the rate of 10 Gbit/s; each chunk that the receiver reads is
 * garbage of its own until the next collection, so that more would stay in the memory of its worker.
 */
export const MOST_STREAM_BYTES = 16 * 2 ** 20;

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
