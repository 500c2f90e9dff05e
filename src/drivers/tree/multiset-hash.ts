import { createHash } from 'node:crypto';

const MODULUS = 1n << 256n;

/**
 * A hash over a set of facts, whatever their order: the sum of the facts' SHA-256 sums modulo 2^256. So several programs may list a
 * tree each in its own order, and nothing has to be sorted or kept. It finds what copying does wrong; it is no proof against someone
 * who makes up trees to collide, who could only deceive himself here.
 */
export class MultisetHash {
  #sum = 0n;

  /** Adds one fact; its parts are kept apart. */
  add(...parts: readonly string[]): void {
    const text = parts.map((part) => `${part.length}:${part}`).join('');
    this.#sum = (this.#sum + BigInt(`0x${createHash('sha256').update(text, 'latin1').digest('hex')}`)) % MODULUS;
  }

  /** 64 hexadecimal digits. */
  digest(): string {
    return this.#sum.toString(16).padStart(64, '0');
  }
}
