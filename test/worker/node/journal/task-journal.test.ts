import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, symlinkSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KedgeError } from '../../../../src/domain/kedge-error.js';
import { TaskJournal } from '../../../../worker/node/journal/task-journal.js';

const TOKEN = new Uint8Array([1, 2, 3, 4]);

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kedge-tasks-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** A worker that was killed while an activity ran: its journal keeps the token. */
function dieWith(token: Uint8Array): Promise<void> {
  return new Promise((begun) => {
    void new TaskJournal(folder).during(token, () => {
      begun();
      return new Promise<never>(() => undefined);
    });
  });
}

describe('the tokens of running activities', () => {
  test('are gone when their activities have ended', async () => {
    await new TaskJournal(folder).during(TOKEN, () => Promise.resolve());
    expect(readdirSync(folder)).toEqual([]);
  });

  test('outlive the worker, and are handed over once', async () => {
    await dieWith(TOKEN);
    const failed: number[][] = [];
    const fail = (tokens: readonly Uint8Array[]): Promise<void> => {
      failed.push(...tokens.map((token) => [...token]));
      return Promise.resolve();
    };
    await new TaskJournal(folder).failOrphans(fail);
    await new TaskJournal(folder).failOrphans(fail);
    expect(failed).toEqual([[...TOKEN]]);
  });

  test('are not needed for the work: on a full disk it is done all the same', async () => {
    const name = createHash('sha256').update(TOKEN).digest('hex').slice(0, 32);
    symlinkSync('/dev/full', join(folder, name));
    await expect(new TaskJournal(folder).during(TOKEN, () => Promise.resolve('done'))).resolves.toBe('done');
    expect(readdirSync(folder)).toEqual([]);
  });

  test('are kept for the next worker when this one could not tell Temporal', async () => {
    await dieWith(TOKEN);
    await expect(new TaskJournal(folder).failOrphans(() => Promise.reject(new Error('the server is away')))).rejects.toThrow('away');
    const failed: Uint8Array[] = [];
    await new TaskJournal(folder).failOrphans((tokens) => {
      failed.push(...tokens);
      return Promise.resolve();
    });
    expect(failed.map((token) => [...token])).toEqual([[...TOKEN]]);
  });

  test('that the server refuses for good are dropped', async () => {
    await dieWith(TOKEN);
    await new TaskJournal(folder).failOrphans(() => Promise.reject(new KedgeError('internal', 'Cannot read the token')));
    expect(readdirSync(folder)).toEqual([]);
  });

  test('that a crash cut off are dropped: Temporal would refuse them for ever', async () => {
    await dieWith(TOKEN);
    for (const name of readdirSync(folder)) truncateSync(join(folder, name), 2);
    const failed: Uint8Array[] = [];
    await new TaskJournal(folder).failOrphans((tokens) => {
      failed.push(...tokens);
      return Promise.resolve();
    });
    expect(failed).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });
});
