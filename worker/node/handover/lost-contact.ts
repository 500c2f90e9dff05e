import type { MigrationId, Vmid } from '../../../src/domain/ids.js';

/** So long the attempts of a copy may go without one answer of the guest's QEMU, one after the other; milliseconds. */
const LONGEST_MS = 120_000;

/**
 * Since when the monitors of guests that are being copied have been silent, over all attempts. One attempt that gets no answer says
 * nothing about the stream, so it is repeated; but a monitor that hangs for good would be asked for ever, and nobody would be told.
 * In memory: a restarted worker begins to count anew.
 */
export class LostContact {
  readonly #longestMs: number;
  readonly #since = new Map<Vmid, { readonly migrationId: MigrationId; readonly sinceMs: number }>();

  constructor(longestMs = LONGEST_MS) {
    this.#longestMs = longestMs;
  }

  /** QEMU has answered. */
  isBack(vmid: Vmid): void {
    this.#since.delete(vmid);
  }

  /** Notes an attempt that ended without an answer. Answers whether the silence has lasted too long by now. */
  isTooLong({ vmid, migrationId }: { readonly vmid: Vmid; readonly migrationId: MigrationId }): boolean {
    const noted = this.#since.get(vmid);
    const sinceMs = noted?.migrationId === migrationId ? noted.sinceMs : performance.now();
    this.#since.set(vmid, { migrationId, sinceMs });
    return performance.now() - sinceMs >= this.#longestMs;
  }
}
