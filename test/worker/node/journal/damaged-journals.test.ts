import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isErrorCode } from '../../../../src/domain/error-codes.js';
import { parseGeneration, parseMigrationId, parseVmid } from '../../../../src/domain/ids.js';
import { KedgeError } from '../../../../src/domain/kedge-error.js';
import { DueStarts } from '../../../../worker/node/journal/due-starts.js';
import { StepJournal } from '../../../../worker/node/journal/step-journal.js';
import { StreamJournal, type StreamEntry } from '../../../../worker/node/journal/stream-journal.js';
import { KeptVolumes } from '../../../../worker/node/offline/kept-volumes.js';
import { VolumeJournal, type VolumeEntry } from '../../../../worker/node/offline/volume-journal.js';
import { flipsOf, prefixesOf } from '../../../support/damage.js';

const VMID = parseVmid(101);
const { id: migrationId, generation } = parseMigrationId('101-8');
const STREAM: StreamEntry = {
  migrationId,
  state: 'started',
  startedAt: '2026-03-01T12:00:00.000Z',
  reattached: 1,
  held: true,
  holdBeganAt: null,
  rounds: [{ round: 1, bytesLeft: 10, bytesSent: 20, durationMs: 30 }],
  memoryLost: false,
  limits: { bandwidthLimit: 5_000, maxDowntimeMs: 80 },
};
const VOLUMES: VolumeEntry = {
  migrationId,
  volumes: [
    {
      from: 'local:101/vm-101-disk-0.raw',
      to: 'local:101/vm-101-disk-1.raw',
      kind: 'file',
      allocatedBytes: 4_096,
      token: '0123456789abcdef0123456789abcdef',
      state: 'publishing',
    },
  ],
};
const KEPT = [{ volumeId: 'local:101/vm-101-disk-0.raw', migrationId }];
const GARBAGE = ['\n', '{}\n', '[]\n', 'null\n', '[[[[[[\n', '\u0000\u0000\u0000\u0000', '{"migrationId":"101-8"}\n', '{"__proto__":{"state":"started"}}\n'];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kedge-damaged-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** What reading a file says after each damage to it: its value, or the code of its error. Any other error fails the test. */
async function readEach(name: string, damages: readonly string[], read: () => Promise<unknown>): Promise<readonly unknown[]> {
  const seen: unknown[] = [];
  for (const damaged of damages) {
    writeFileSync(join(folder, name), damaged);
    seen.push(await read().catch((error: unknown) => codeOf(error)));
  }
  return seen;
}

function codeOf(error: unknown): string {
  if (!(error instanceof KedgeError) || !isErrorCode(error.code)) throw error;
  return error.code;
}

const written = (name: string): string => readFileSync(join(folder, name), 'utf8');

describe('a journal of volumes', () => {
  let journal: VolumeJournal;
  const read = (): Promise<unknown> => journal.read(VMID);
  beforeEach(async () => {
    journal = new VolumeJournal(folder);
    await journal.write(VMID, VOLUMES);
  });

  test('that was cut off or is garbage is an error: what it names must not be forgotten', async () => {
    const text = written('101.volumes.json');
    expect(new Set(await readEach('101.volumes.json', [...prefixesOf(text), ...GARBAGE], read))).toEqual(new Set(['storage-failed']));
  });

  test('with one bit changed never names another disk', async () => {
    const seen = await readEach('101.volumes.json', flipsOf(written('101.volumes.json')), read);
    for (const value of seen) expect(['storage-failed', VOLUMES]).toContainEqual(value);
  });

  test('of a Kedge that wrote no checksum is read', async () => {
    expect(await readEach('101.volumes.json', [`${JSON.stringify(VOLUMES)}\n`], read)).toEqual([VOLUMES]);
  });
});

describe('a journal of a stream', () => {
  let journal: StreamJournal;
  const read = (): Promise<unknown> => journal.read(VMID, migrationId);
  beforeEach(async () => {
    journal = new StreamJournal(folder);
    await journal.write(VMID, STREAM);
    await journal.release(VMID, migrationId);
  });

  test('that was cut off or is garbage is none: QEMU is asked, and nothing is taken for ours', async () => {
    const text = written('101.stream.json');
    expect(new Set(await readEach('101.stream.json', [...prefixesOf(text), ...GARBAGE], read))).toEqual(new Set([null]));
  });

  test('with one bit changed is none, or what it was', async () => {
    for (const value of await readEach('101.stream.json', flipsOf(written('101.stream.json')), read)) expect([null, STREAM]).toContainEqual(value);
  });

  test('whose release is damaged is not released: the hold goes on', async () => {
    const release = await journal.readRelease(VMID, migrationId);
    const damages = [...prefixesOf(written('101.release.json')), ...flipsOf(written('101.release.json')), ...GARBAGE];
    for (const value of await readEach('101.release.json', damages, () => journal.readRelease(VMID, migrationId)))
      expect([null, release]).toContainEqual(value);
  });
});

describe('a claim of a step', () => {
  const step = { vmid: VMID, generation, migrationId, sequence: 4 };
  const claimAgain = async (): Promise<string> => {
    await new StepJournal(folder).claim(step, 2);
    return 'claimed';
  };

  test('that was cut off, flipped or is garbage keeps no step of today from its claim', async () => {
    await new StepJournal(folder).claim(step, 1);
    const text = written('101.claim.json');
    expect(new Set(await readEach('101.claim.json', [...prefixesOf(text), ...flipsOf(text), ...GARBAGE], claimAgain))).toEqual(new Set(['claimed']));
  });
});

describe('a note of kept disks', () => {
  test('that was cut off or is garbage is an error: a disk that somebody kept must not count as left behind', async () => {
    const kept = new KeptVolumes(folder);
    await kept.add(VMID, [KEPT[0]!.volumeId], migrationId);
    // The last prefix lacks the final newline alone.
    const damages = [...prefixesOf(written('101.kept.json')).slice(0, -1), ...GARBAGE.filter((text) => text !== '[]\n')];
    expect(new Set(await readEach('101.kept.json', damages, () => kept.read(VMID)))).toEqual(new Set(['storage-failed']));
  });
});

describe('a start that is due', () => {
  test('is due also when its mark was damaged: one start too many is less than a guest that stays off', async () => {
    const marks = new DueStarts(folder);
    await marks.begin(VMID, parseGeneration(12));
    const guest = { vmid: VMID, generation: parseGeneration(12) };
    const isDue = (): Promise<boolean> => marks.isDue(guest);
    expect(new Set(await readEach('101.due', [...prefixesOf('12\n'), 'garbage', '\u0000\n'], isDue))).toEqual(new Set([true]));
    expect(await readEach('101.due', ['12\n', '11\n'], isDue)).toEqual([true, false]);
  });
});
