import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseMigrationId, parseVmid } from '../../../../src/domain/ids.js';
import { StreamJournal, type StreamEntry } from '../../../../worker/node/journal/stream-journal.js';

const vmid = parseVmid(101);
const { id: migrationId } = parseMigrationId('101-7');
const ENTRY: StreamEntry = {
  migrationId,
  state: 'started',
  startedAt: '2026-03-01T12:00:00.000Z',
  reattached: 0,
  held: false,
  holdBeganAt: null,
  rounds: [],
  memoryLost: false,
  limits: { bandwidthLimit: 5_000, maxDowntimeMs: 80 },
};
let folder: string;
let journal: StreamJournal;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kedge-streams-'));
  journal = new StreamJournal(folder);
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('the journal of streams', () => {
  test('keeps the limits that a stream was started with', async () => {
    await journal.write(vmid, ENTRY);
    expect(await journal.read(vmid, migrationId)).toEqual(ENTRY);
    expect(await journal.read(vmid, parseMigrationId('101-8').id)).toBeNull();
  });

  test('still knows a stream whose limits nobody noted', async () => {
    const { limits, ...older } = ENTRY;
    expect(limits).not.toBeNull();
    await writeFile(join(folder, '101.stream.json'), `${JSON.stringify(older)}\n`);
    expect(await journal.read(vmid, migrationId)).toEqual({ ...ENTRY, limits: null });
  });
});
