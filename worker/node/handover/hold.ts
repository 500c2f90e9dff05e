import { ITERATING_LIMIT_MS } from '../../../src/domain/convergence.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { raiseDowntimeLimit, setBandwidth } from '../../../src/drivers/qemu/migration-commands.js';
import type { NodeContext } from '../node-context.js';
import type { CopyMeter } from './copy-meter.js';
import type { RunningCopy } from './copy-task.js';

/** During a hold the stream is kept so slow that it can't finish: bytes per second. QEMU then sends about a page per 100 ms. */
const HOLDING_BANDWIDTH = 10;
/**
 * A hold begins in the first pass when so much is left: near enough that the pause after its release comes soon, far enough
 * that a fast stream does not run past it between two readings (empty pages go by at gigabytes per second).
 */
const HOLD_AT = { share: 0.25, leastBytes: 32 * 2 ** 20, mostBytes: 256 * 2 ** 20 };
const APPROACHING_INTERVAL_MS = 25;
const HELD_INTERVAL_MS = 500;

/** The hold of one copy: its stream is slowed until `kedge migration release`. Without one, nothing here does anything. */
export class Hold {
  readonly #node: NodeContext;
  readonly #copy: RunningCopy;
  readonly #meter: CopyMeter;
  /** A stream that another attempt started may have been slowed by it. */
  #stream: 'free' | 'slowed' | 'unknown';

  constructor(node: NodeContext, copy: RunningCopy, meter: CopyMeter) {
    this.#node = node;
    this.#copy = copy;
    this.#meter = meter;
    this.#stream = copy.reattached > 0 ? 'unknown' : 'free';
  }

  /** How soon the stream must be read again, in milliseconds. */
  get readIntervalMs(): number {
    return this.#copy.task.options.hold && this.#stream !== 'slowed' ? APPROACHING_INTERVAL_MS : HELD_INTERVAL_MS;
  }

  /** Slows or frees the stream as the journal says; answers whether it is held. */
  async update(): Promise<boolean> {
    const { task, qmp } = this.#copy;
    if (!task.options.hold) return false;
    const held = await this.#isHeld();
    if (held && this.#stream !== 'slowed' && this.#isNear()) {
      await setBandwidth(qmp, HOLDING_BANDWIDTH);
      this.#stream = 'slowed';
    }
    if (!held && this.#stream !== 'free') {
      await setBandwidth(qmp, task.options.bandwidthLimit);
      await raiseDowntimeLimit(qmp, ITERATING_LIMIT_MS);
      this.#stream = 'free';
    }
    return held && this.#stream === 'slowed';
  }

  /** A guest that runs must not stand still for the length of a hold; one that is paused anyway waits here. */
  async assertNotHeld(): Promise<void> {
    const { task, record, qmp } = this.#copy;
    while (await this.#isHeld()) {
      if (record.wanted === 'running') {
        throw new KedgeError('stream-failed', `Cannot hold guest ${task.step.vmid}: it is so idle that QEMU has finished the copy by itself; migrate it without --hold`);
      }
      task.report(this.#meter.progress('holding', this.#copy.reattached));
      await qmp.waitForEvent(() => true, { after: qmp.lastSequence, timeoutMs: HELD_INTERVAL_MS, signal: task.signal }).catch((error: unknown) => {
        if (!(error instanceof KedgeError) || error.code === 'qmp-disconnected') throw error;
      });
      task.signal.throwIfAborted();
    }
  }

  #isNear(): boolean {
    const { bytesSent, bytesLeft, bytesTotal, round } = this.#meter;
    const holdAtBytes = Math.min(HOLD_AT.mostBytes, Math.max(HOLD_AT.leastBytes, bytesTotal * HOLD_AT.share));
    // From the second pass on only what the guest has written anew is left.
    return bytesSent > 0 && (round > 1 || bytesLeft < holdAtBytes);
  }

  async #isHeld(): Promise<boolean> {
    const { task } = this.#copy;
    if (!task.options.hold) return false;
    return (await this.#node.streams.read(task.step.vmid, task.step.migrationId))?.held ?? false;
  }
}
