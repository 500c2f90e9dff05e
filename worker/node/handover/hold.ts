import { ITERATING_LIMIT_MS } from '../../../src/domain/convergence.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { raiseDowntimeLimit, setBandwidth } from '../../../src/drivers/qemu/migration-commands.js';
import type { HoldRelease } from '../journal/stream-journal.js';
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
/**
 * Until the hold begins the stream is kept so slow that QEMU can't converge between two looks of ours: empty pages may end its first
 * pass at any moment, and the next ones take milliseconds at full speed. A whole guest takes at least this long.
 */
const APPROACH = { shortestMs: 8_000, leastBandwidth: 64 * 2 ** 20 };
const HELD_INTERVAL_MS = 500;

/**
 * The hold of one copy: its stream is slowed until `kedge migration release`. QEMU keeps the speed and the downtime limit that an
 * attempt before has set, and that may be out of date: a stream that was attached to is always told both.
 */
export class Hold {
  readonly #node: NodeContext;
  readonly #copy: RunningCopy;
  readonly #meter: CopyMeter;
  /** A stream that another attempt started may have been slowed by it. */
  #stream: 'free' | 'approaching' | 'slowed' | 'unknown';
  /** RFC 3339; null while no attempt has slowed the stream, undefined until the journal was asked. */
  #beganAt: string | null | undefined;
  #heldMs = 0;

  constructor(node: NodeContext, copy: RunningCopy, meter: CopyMeter) {
    this.#node = node;
    this.#copy = copy;
    this.#meter = meter;
    this.#stream = copy.reattached > 0 || copy.task.options.hold ? 'unknown' : 'free';
  }

  /** For how long the copy was held, known once it is released; milliseconds. */
  get heldMs(): number {
    return this.#heldMs;
  }

  /** How soon the stream must be read again, in milliseconds. */
  get readIntervalMs(): number {
    return this.#copy.task.options.hold && this.#stream !== 'slowed' ? APPROACHING_INTERVAL_MS : HELD_INTERVAL_MS;
  }

  /** Slows or frees the stream as the journal says; answers whether it is held. */
  async update(): Promise<boolean> {
    const release = await this.#readRelease();
    // A stream that was slowed stays slow over a restart, even when the guest has much to send again.
    const waits = this.#copy.task.options.hold && release === null;
    const holds = waits && ((await this.#readBegan()) !== null || this.#isNear());
    if (holds && this.#stream !== 'slowed') await this.#slow();
    if (waits && !holds && this.#stream !== 'approaching') await this.#approach();
    if (!waits && this.#stream !== 'free') await this.#free();
    if (release !== null) this.#heldMs = await this.#heldUntil(release);
    return holds;
  }

  /** A guest that runs must not stand still for the length of a hold; one that is paused anyway waits here. */
  async assertNotHeld(): Promise<void> {
    const { task, record, qmp } = this.#copy;
    while (task.options.hold && (await this.#readRelease()) === null) {
      if (record.wanted === 'running') {
        throw new KedgeError(
          'stream-failed',
          `Cannot hold guest ${task.step.vmid}: it is so idle that QEMU has finished the copy by itself; migrate it without --hold`,
        );
      }
      task.report(this.#meter.progress('holding', this.#copy.reattached));
      await qmp
        .waitForEvent(() => true, { after: qmp.lastSequence, timeoutMs: HELD_INTERVAL_MS, signal: task.signal })
        .catch((error: unknown) => {
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

  async #approach(): Promise<void> {
    const { qmp, limits } = this.#copy;
    const { bytesTotal } = this.#meter;
    if (bytesTotal === 0) return;
    const slow = Math.max(APPROACH.leastBandwidth, Math.round((bytesTotal / APPROACH.shortestMs) * 1_000));
    await crashPoint('source.hold-approach', () => setBandwidth(qmp, Math.min(slow, limits.bandwidthLimit)));
    this.#stream = 'approaching';
  }

  async #slow(): Promise<void> {
    const { qmp, task } = this.#copy;
    const { vmid, migrationId } = task.step;
    await crashPoint('source.hold-slow', async () => {
      await setBandwidth(qmp, HOLDING_BANDWIDTH);
      await raiseDowntimeLimit(qmp, ITERATING_LIMIT_MS);
    });
    this.#stream = 'slowed';
    if ((await this.#readBegan()) !== null) return;
    this.#beganAt = new Date().toISOString();
    const entry = await this.#node.streams.read(vmid, migrationId);
    if (entry === null) return;
    const began = { ...entry, holdBeganAt: this.#beganAt };
    await crashPoint('source.hold-began', () => this.#node.streams.write(vmid, began));
  }

  async #free(): Promise<void> {
    const { qmp, limits } = this.#copy;
    await crashPoint('source.hold-free', async () => {
      await raiseDowntimeLimit(qmp, ITERATING_LIMIT_MS);
      await setBandwidth(qmp, limits.bandwidthLimit);
    });
    this.#stream = 'free';
    // What a slowed stream had left, and for how long, must not count as a stall.
    this.#meter.judgeAnew();
  }

  async #readRelease(): Promise<HoldRelease | null> {
    const { options, step } = this.#copy.task;
    return options.hold ? this.#node.streams.readRelease(step.vmid, step.migrationId) : null;
  }

  /** When this attempt or one before first slowed the stream. */
  async #readBegan(): Promise<string | null> {
    const { vmid, migrationId } = this.#copy.task.step;
    if (this.#beganAt === undefined) this.#beganAt = (await this.#node.streams.read(vmid, migrationId))?.holdBeganAt ?? null;
    return this.#beganAt;
  }

  async #heldUntil({ releasedAt }: HoldRelease): Promise<number> {
    const began = await this.#readBegan();
    return began === null ? 0 : Math.max(0, Date.parse(releasedAt) - Date.parse(began));
  }
}
