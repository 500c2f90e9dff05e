import type { Vmid } from '../../../src/domain/ids.js';

/**
 * Guests that a living activity of this worker is moving right now. Local recovery leaves them alone: the activity itself
 * looks at records and QEMU at each turn, and settles its own failures.
 */
export class ActiveCopies {
  /** How many attempts move each guest: an attempt that was fenced may end after its successor has begun. */
  readonly #attempts = new Map<Vmid, number>();

  has(vmid: Vmid): boolean {
    return this.#attempts.has(vmid);
  }

  /** Runs `work` with the guest marked as being moved. */
  async during<Result>(vmid: Vmid, work: () => Promise<Result>): Promise<Result> {
    this.#attempts.set(vmid, (this.#attempts.get(vmid) ?? 0) + 1);
    try {
      return await work();
    } finally {
      const others = (this.#attempts.get(vmid) ?? 1) - 1;
      if (others > 0) this.#attempts.set(vmid, others);
      else this.#attempts.delete(vmid);
    }
  }
}
