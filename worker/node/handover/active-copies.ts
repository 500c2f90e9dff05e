import type { Vmid } from '../../../src/domain/ids.js';

/**
 * Guests that a living activity of this worker is moving right now. Local recovery leaves them alone: the activity itself
 * looks at records and QEMU at each turn, and settles its own failures.
 */
export class ActiveCopies {
  readonly #vmids = new Set<Vmid>();

  has(vmid: Vmid): boolean {
    return this.#vmids.has(vmid);
  }

  /** Runs `work` with the guest marked as being moved. */
  async during<Result>(vmid: Vmid, work: () => Promise<Result>): Promise<Result> {
    this.#vmids.add(vmid);
    try {
      return await work();
    } finally {
      this.#vmids.delete(vmid);
    }
  }
}
