import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Generation, Vmid } from '../../../src/domain/ids.js';
import type { OwnershipRecord } from '../../../src/domain/ownership.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { removeDurably, writeDurably } from '../../../src/drivers/host/durable-file.js';
import { errnoOf } from '../../../src/drivers/host/storage-error.js';

/**
 * Starts that a migration owes to guests which it shut down: the guest is to run under this generation and has not been started yet. A
 * reboot of the node in between does not cancel that, as it does for a guest without `onboot` that the reboot itself has ended.
 *
 * Written before the record that makes the guest this node's; named by generation, so that whatever a crash or an older migration left
 * means nothing. It ends with the first start.
 */
export class DueStarts {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async begin(vmid: Vmid, generation: Generation): Promise<void> {
    await crashPoint('node.due-start', () => writeDurably(this.#file(vmid), `${generation}\n`));
  }

  async end(vmid: Vmid): Promise<void> {
    await crashPoint('node.due-start-end', () => removeDurably(this.#file(vmid)));
  }

  /** A file that can't be read, or was damaged, is due: one start too many is less than a guest that stays off. */
  async isDue({ vmid, generation }: Pick<OwnershipRecord, 'vmid' | 'generation'>): Promise<boolean> {
    try {
      const text = await readFile(this.#file(vmid), 'utf8');
      return !/^[1-9][0-9]*\n$/.test(text) || Number(text) === generation;
    } catch (error) {
      return errnoOf(error) !== 'ENOENT';
    }
  }

  #file(vmid: Vmid): string {
    return join(this.#folder, `${vmid}.due`);
  }
}
