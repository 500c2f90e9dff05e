import { setTimeout as delay } from 'node:timers/promises';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { yankStream } from '../../../src/drivers/qemu/migration-commands.js';
import { parseMigrationInfo } from '../../../src/drivers/qemu/migration-info.js';
import type { QmpConnection } from '../../../src/drivers/qmp/qmp-connection.js';
import { isMigrationEvent } from './migration-event.js';

/** A forced switchover sends all that is left, however long it takes; a timer can hold no more than this. */
const LONGEST_PASS_MS = 2_000_000_000;
const LOOK_INTERVAL_MS = 1_000;
/** A final pass that sends nothing for so long hangs on a silent peer: QEMU itself would wait for TCP, many minutes. */
const FROZEN_AFTER_MS = 8_000;
/** Longer than the patience: a question that QEMU can't answer now must not cost the connection, over which alone it can be yanked. */
const ANSWER_TIMEOUT_MS = 60_000;

/**
 * Waits until QEMU has ended the final pass, one way or the other; how, the caller reads from its state.
 * @throws KedgeError `outcome-unknown` after a pass that stood still was torn down, and those of the connection
 */
export async function waitForFinalPass(qmp: QmpConnection, after: number): Promise<void> {
  const ended = qmp.waitForEvent(isMigrationEvent('completed', 'failed', 'cancelled'), { after, timeoutMs: LONGEST_PASS_MS });
  const watch = new PassWatch(qmp);
  const outcome = ended.then(() => 'ended' as const);
  outcome.catch(() => undefined);
  while ((await Promise.race([outcome, delay(LOOK_INTERVAL_MS, 'look' as const, { ref: false })])) === 'look') {
    watch.look();
    if (watch.stillForMs < FROZEN_AFTER_MS) continue;
    await crashPoint('source.yank', () => yankStream(qmp));
    throw new KedgeError(
      'outcome-unknown',
      `Cannot finish the switchover: the final pass has stood still for ${Math.round(watch.stillForMs / 1_000)} s and was torn down`,
    );
  }
}

/** Tells for how long no byte has moved; no answer at all counts as standing still. */
class PassWatch {
  readonly #qmp: QmpConnection;
  #bytes = -1;
  #movedAtMs = performance.now();
  #asking = false;

  constructor(qmp: QmpConnection) {
    this.#qmp = qmp;
  }

  get stillForMs(): number {
    return performance.now() - this.#movedAtMs;
  }

  look(): void {
    if (this.#asking) return;
    this.#asking = true;
    this.#qmp
      .execute('query-migrate', {}, { timeoutMs: ANSWER_TIMEOUT_MS })
      .then((answer) => {
        const bytes = parseMigrationInfo(answer).ram?.transferred ?? this.#bytes;
        if (bytes !== this.#bytes) this.#movedAtMs = performance.now();
        this.#bytes = bytes;
      })
      .catch(() => undefined)
      .finally(() => {
        this.#asking = false;
      });
  }
}
