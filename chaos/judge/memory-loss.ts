/** When may a guest have lost its memory? Pure. */
import type { RunSpan } from '../observe/guest-watch.js';

/** The copy of a guest on `node` was destroyed at this moment, by a kill or with the node's power; wall-clock milliseconds. */
export interface MemoryLoss {
  readonly vmid: number;
  readonly node: string;
  readonly atMs: number;
}

/**
 * A copy that was destroyed while another node ran the guest took nothing with it: the guest must go on there. Otherwise, the copy ran, or the
 * guest stood still between two nodes: then a start from disk is allowed (faults.md F3, G5).
 */
export function mayHaveLostMemory(losses: readonly MemoryLoss[], guest: { readonly vmid: number; readonly spans: readonly RunSpan[] }): boolean {
  return losses
    .filter(({ vmid }) => vmid === guest.vmid)
    .some(({ node, atMs }) => !guest.spans.some((span) => span.node !== node && span.fromMs <= atMs && (span.toMs ?? Infinity) > atMs));
}
