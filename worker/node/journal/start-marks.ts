import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Vmid } from '../../../src/domain/ids.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { removeDurably, writeDurably } from '../../../src/drivers/host/durable-file.js';

/**
 * Marks of starts from disk that have begun and not ended. Recovery finishes a marked start; without a mark a guest that is wanted
 * running and has no process has crashed, which is for its policy to judge.
 */
export class StartMarks {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async begin(vmid: Vmid): Promise<void> {
    await crashPoint('node.start-mark', () => writeDurably(this.#file(vmid), 'a start of this guest is under way\n'));
  }

  async end(vmid: Vmid): Promise<void> {
    await crashPoint('node.start-mark-end', () => removeDurably(this.#file(vmid)));
  }

  isUnderWay(vmid: Vmid): boolean {
    return existsSync(this.#file(vmid));
  }

  #file(vmid: Vmid): string {
    return join(this.#folder, `${vmid}.start`);
  }
}
