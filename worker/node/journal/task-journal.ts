import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunningTasks } from '../../../activities/node/running-tasks.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { storageError } from '../../../src/drivers/host/storage-error.js';

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
    const file = join(this.#folder, nameOf(taskToken));
    await crashPoint('node.task-noted', () => this.#note(file, taskToken));
    try {
      return await work();
    } finally {
      await crashPoint('node.task-ended', () => rm(file, { force: true }));
    }
  }

  /**
   * A node whose disk is full must still be able to give up what it has begun, so the work goes on without the note: if this worker
   * is killed now, the attempt ends by its timeout.
   */
  async #note(file: string, taskToken: Uint8Array): Promise<void> {
    try {
      await writeFile(file, taskToken, { mode: 0o600 });
    } catch (error) {
      const failure = storageError(`note a running task in "${file}"`, error);
      if (failure.code !== 'no-space') throw failure;
    }
  }

  /**
   * Hands the tokens that a dead worker left to `fail`, and forgets each only after that: a worker that dies while the server is away
   * leaves them to the next one. To be called before any activity runs.
   * @throws what `fail` throws and may be retried
   */
  async failOrphans(fail: (taskTokens: readonly Uint8Array[]) => Promise<void>): Promise<void> {
    for (const name of await readdir(this.#folder)) {
      const file = join(this.#folder, name);
      const token = await readFile(file);
      // A file that was cut off by the crash is no token: the server would refuse it at every start.
      if (nameOf(token) === name) await failUnlessRefused(token, fail);
      await crashPoint('node.task-ended', () => rm(file, { force: true }));
    }
  }
}

/** A token that the server refuses for good must not end every worker to come: its attempt ends by its timeout. */
async function failUnlessRefused(token: Uint8Array, fail: (taskTokens: readonly Uint8Array[]) => Promise<void>): Promise<void> {
  try {
    await fail([token]);
  } catch (error) {
    if (!(error instanceof KedgeError) || error.retryable) throw error;
  }
}

function nameOf(taskToken: Uint8Array): string {
  return createHash('sha256').update(taskToken).digest('hex').slice(0, 32);
}
