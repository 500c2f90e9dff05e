import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Vmid } from '../../../src/domain/ids.js';
import { removeDurably, writeDurably } from '../../../src/drivers/host/durable-file.js';

/**
 * Marks of guests that a migration has told to shut down. A guest with a mark that goes off has not ended by its own will: it is still
 * wanted running, here if the migration is rolled back meanwhile, however late it obeys.
 */
export class ShutdownMarks {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Before the guest is told. */
  async begin(vmid: Vmid): Promise<void> {
    if (!this.isAsked(vmid)) await writeDurably(this.#file(vmid), 'a migration has told this guest to shut down\n');
  }

  async end(vmid: Vmid): Promise<void> {
    await removeDurably(this.#file(vmid));
  }

  isAsked(vmid: Vmid): boolean {
    return existsSync(this.#file(vmid));
  }

  #file(vmid: Vmid): string {
    return join(this.#folder, `${vmid}.shutdown`);
  }
}
