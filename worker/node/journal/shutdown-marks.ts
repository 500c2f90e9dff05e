import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseVmid, type Vmid } from '../../../src/domain/ids.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { removeDurably, writeDurably } from '../../../src/drivers/host/durable-file.js';
import { errnoOf } from '../../../src/drivers/host/storage-error.js';
import { GuestLocks } from '../guests/guest-locks.js';

/**
 * How long after the last word to a guest its end may still be due to that word.
 *
 * Too short, and a guest that obeys late stays off, unnoticed; too long, and one that its user shuts down from inside is started again.
 * What makes a guest late is a boot that it ends first, or a service that holds its shutdown up (90 s is what systemd grants each):
 * minutes. Who wants it off within that time asks for it with `kedge guest shutdown` or `stop`, which end the mark at once.
 */
const OBEYS_WITHIN_MS = 10 * 60_000;
/** How long a mark lies at least: whoever deals late with an end that was seen in time must still find it. */
const KEPT_MS = 2 * OBEYS_WITHIN_MS;
const MARK_NAME = /^([1-9]\d{2,8})\.shutdown$/;

/**
 * Marks of guests that a migration has told to shut down, with the time of its last word. A guest that goes off soon after that has not ended
 * by its own will: it is still wanted running, here if the migration is rolled back meanwhile.
 *
 * A mark that is too old means nothing, and is removed by the watch over the guests.
 */
export class ShutdownMarks {
  readonly #folder: string;
  /** In order of the calls: an end must not be overtaken by a telling that began before it. */
  readonly #order = new GuestLocks();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Before the guest is told, each time that it is. */
  async begin(vmid: Vmid): Promise<void> {
    await this.#order.withLock(vmid, () => crashPoint('source.shutdown-mark', () => writeDurably(this.#file(vmid), `${new Date().toISOString()}\n`)));
  }

  async end(vmid: Vmid): Promise<void> {
    await this.#order.withLock(vmid, () => this.#remove(vmid));
  }

  /** The guests that have a mark, of whatever age. */
  async list(): Promise<readonly Vmid[]> {
    return (await readdir(this.#folder)).flatMap((name) => {
      const vmid = MARK_NAME.exec(name)?.[1];
      return vmid === undefined ? [] : [parseVmid(vmid)];
    });
  }

  /** Removes a mark that is too old for any end, or that no longer can be read. */
  async endIfOld(vmid: Vmid): Promise<void> {
    await this.#order.withLock(vmid, async () => {
      const toldMs = await this.#toldMs(vmid);
      if (toldMs !== null && !(Math.abs(Date.now() - toldMs) <= KEPT_MS)) await this.#remove(vmid);
    });
  }

  /**
   * Was the guest told so shortly before `atMs` (the time of its end, default: now) that it may have obeyed?
   *
   * Shortly after counts, too: it may have been told once more meanwhile. That also ends marks when the clock is set back.
   */
  async isAsked(vmid: Vmid, atMs: number = Date.now()): Promise<boolean> {
    try {
      const toldMs = await this.#toldMs(vmid);
      return toldMs !== null && Math.abs(atMs - toldMs) <= OBEYS_WITHIN_MS;
    } catch {
      // There is one, whatever it says: one start too many is less than a guest that stays off.
      return true;
    }
  }

  /** Unix milliseconds; null: no mark. NaN: one that tells no time. */
  async #toldMs(vmid: Vmid): Promise<number | null> {
    try {
      return Date.parse((await readFile(this.#file(vmid), 'utf8')).trim());
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return null;
      throw error;
    }
  }

  async #remove(vmid: Vmid): Promise<void> {
    await crashPoint('node.shutdown-mark-end', () => removeDurably(this.#file(vmid)));
  }

  #file(vmid: Vmid): string {
    return join(this.#folder, `${vmid}.shutdown`);
  }
}
