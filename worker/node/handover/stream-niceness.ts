import { setStreamNiceness } from '../../../src/drivers/qemu/stream-thread.js';
import { findGuestProcess } from '../guests/look-at-guest.js';
import type { NodeContext } from '../node-context.js';
import type { CopyMeter } from './copy-meter.js';
import type { RunningCopy } from './copy-task.js';

/** Behind the threads that encrypt, send and receive, and behind the guests. */
const BULK_NICENESS = 10;
/** So much before its end the first pass is no bulk any more; more than a stream moves between two looks. */
const END_OF_BULK_BYTES = 256 * 2 ** 20;

/**
 * Keeps the thread that feeds multifd from taking a processor away from those who do the work. QEMU below 8.1 counts its free channels
 * wrong and spins while all are busy: on two processors that cost a third of the speed. With less of a share it spins in the gaps.
 *
 * Only in the bulk of the first pass: later it walks the dirty bitmap with QEMU's big lock held, and the guest would wait with it.
 */
export class StreamNiceness {
  readonly #node: NodeContext;
  readonly #copy: RunningCopy;
  /** What the thread was last told by us; null: nothing yet, an attempt before may have told it something. */
  #now: number | null = null;

  constructor(node: NodeContext, copy: RunningCopy) {
    this.#node = node;
    this.#copy = copy;
  }

  update(meter: CopyMeter): void {
    if (this.#copy.task.prepared.multifdChannels === 0) return;
    this.#set(meter.round === 1 && meter.bytesLeft > END_OF_BULK_BYTES ? BULK_NICENESS : 0);
  }

  /** For the switchover: every microsecond of it counts. */
  restore(): void {
    if (this.#copy.task.prepared.multifdChannels > 0) this.#set(0);
  }

  #set(niceness: number): void {
    if (niceness === this.#now) return;
    const process = findGuestProcess(this.#node, this.#copy.task.step.vmid);
    if (process !== null && setStreamNiceness(process.pid, niceness)) this.#now = niceness;
  }
}
