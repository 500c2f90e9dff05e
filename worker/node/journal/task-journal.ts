import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunningTasks } from '../../../activities/node/running-tasks.js';

/**
 * The task tokens of the running activities, one small file each. Not fsynced: they serve a worker that was killed while its
 * node lives; after a power cut the attempts end by their timeouts.
 */
export class TaskJournal implements RunningTasks {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  async during<Result>(taskToken: Uint8Array, work: () => Promise<Result>): Promise<Result> {
    const file = join(this.#folder, createHash('sha256').update(taskToken).digest('hex').slice(0, 32));
    await writeFile(file, taskToken);
    try {
      return await work();
    } finally {
      await rm(file, { force: true });
    }
  }

  /** Takes the tokens that a dead worker left, each once. To be called before any activity runs. */
  async takeOrphans(): Promise<readonly Uint8Array[]> {
    const files = (await readdir(this.#folder)).map((name) => join(this.#folder, name));
    const tokens = await Promise.all(files.map((file) => readFile(file)));
    await Promise.all(files.map((file) => rm(file, { force: true })));
    return tokens;
  }
}
