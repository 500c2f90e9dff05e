import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { migrationIdOf, parseGeneration, parseVmid } from '../../../../src/domain/ids.js';
import { StepJournal } from '../../../../worker/node/journal/step-journal.js';

const vmid = parseVmid(101);
const step = (sequence: number, generation = 2) => ({
  vmid,
  generation: parseGeneration(generation),
  migrationId: migrationIdOf(vmid, parseGeneration(generation)),
  sequence,
});

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kedge-journal-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('a step claim', () => {
  test('is fenced by the next attempt of the same step', async () => {
    const journal = new StepJournal(folder);
    const first = await journal.claim(step(3), 1);
    first.assertCurrent();
    await journal.claim(step(3), 2);
    expect(() => {
      first.assertCurrent();
    }).toThrow(expect.objectContaining({ code: 'stale-claim' }));
    expect(first.fenced.aborted).toBe(true);
  });

  test('is refused to an attempt that wakes up after a newer one', async () => {
    const journal = new StepJournal(folder);
    await journal.claim(step(3), 2);
    await expect(journal.claim(step(3), 1)).rejects.toMatchObject({ code: 'stale-claim' });
  });

  test('is refused to an older step after a restart of the worker', async () => {
    await new StepJournal(folder).claim(step(4), 1);
    await expect(new StepJournal(folder).claim(step(3), 9)).rejects.toMatchObject({ code: 'stale-claim' });
  });

  test('of a greater generation wins over any sequence of an older one', async () => {
    const journal = new StepJournal(folder);
    await journal.claim(step(9, 2), 5);
    const next = await journal.claim(step(1, 4), 1);
    next.assertCurrent();
    await expect(journal.claim(step(10, 2), 1)).rejects.toMatchObject({ code: 'stale-claim' });
  });
});
