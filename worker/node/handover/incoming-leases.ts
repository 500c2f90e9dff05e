import type { Vmid } from '../../../src/domain/ids.js';

/**
 * Leases of `incoming` guests: a target that hears nothing from its source for the length of a lease gives its copy up
 * alone, since nobody else may ever come to kill it (QEMU waits in `inmigrate` for ever when the source is cancelled over a
 * dead link). Judged by the monotonic clock, so that no clock jump ends a lease. A restarted worker begins each lease anew.
 */
export class IncomingLeases {
  readonly #lengthMs: number;
  readonly #lastHeard = new Map<Vmid, number>();

  constructor(lengthMs: number) {
    this.#lengthMs = lengthMs;
  }

  /** The source has spoken about this guest. */
  renew(vmid: Vmid): void {
    this.#lastHeard.set(vmid, performance.now());
  }

  /** The source has asked about this guest; without a lease there is nothing to renew. */
  renewIfKnown(vmid: Vmid): void {
    if (this.#lastHeard.has(vmid)) this.renew(vmid);
  }

  /** The guest is no longer `incoming` here. */
  end(vmid: Vmid): void {
    this.#lastHeard.delete(vmid);
  }

  /** Guests whose source has been silent for longer than the lease. */
  expired(): readonly Vmid[] {
    const limit = performance.now() - this.#lengthMs;
    return [...this.#lastHeard].flatMap(([vmid, heard]) => (heard < limit ? [vmid] : []));
  }
}
