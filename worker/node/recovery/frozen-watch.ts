import type { GuestLook } from '../guests/look-at-guest.js';

/** A final pass that sends nothing for so long hangs on a silent peer: only `yank` gets out of it. */
const FROZEN_AFTER_MS = 10_000;

/** Tells whether the final pass moves. QEMU may not even answer while it hangs, which counts as standing still. */
export class FrozenWatch {
  #bytes = -1;
  #movedAtMs = performance.now();

  isFrozen(look: GuestLook): boolean {
    const bytes = look.reading?.migration.ram?.transferred ?? this.#bytes;
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#movedAtMs = performance.now();
    }
    return performance.now() - this.#movedAtMs > FROZEN_AFTER_MS;
  }
}
