import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { parseVmid } from '../../../../src/domain/ids.js';
import { ShutdownMarks } from '../../../../worker/node/journal/shutdown-marks.js';

const vmid = parseVmid(101);
const MINUTE = 60_000;
const START = Date.parse('2026-03-01T12:00:00Z');
let folder: string;
let marks: ShutdownMarks;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.setSystemTime(START);
  folder = mkdtempSync(join(tmpdir(), 'kedge-marks-'));
  marks = new ShutdownMarks(folder);
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
});

/** A worker that comes `minutes` later. */
function later(minutes: number): ShutdownMarks {
  vi.setSystemTime(START + minutes * MINUTE);
  return new ShutdownMarks(folder);
}

describe('a guest that a migration has told to shut down', () => {
  test('may obey for ten minutes, whichever worker sees it', async () => {
    await marks.begin(vmid);
    expect(await marks.isAsked(vmid)).toBe(true);
    expect(await later(9).isAsked(vmid)).toBe(true);
    expect(await later(11).isAsked(vmid)).toBe(false);
    expect(await later(60 * 24).isAsked(vmid)).toBe(false);
  });

  test('has ten minutes more with every further word', async () => {
    await marks.begin(vmid);
    await later(8).begin(vmid);
    expect(await later(17).isAsked(vmid)).toBe(true);
    expect(await later(19).isAsked(vmid)).toBe(false);
  });

  test('is judged by the time when it went off, not by when somebody looks', async () => {
    await marks.begin(vmid);
    const muchLater = later(30);
    expect(await muchLater.isAsked(vmid, START + 5 * MINUTE)).toBe(true);
    expect(await muchLater.isAsked(vmid, START + 25 * MINUTE)).toBe(false);
  });

  test('that went off right before it was told once more may have obeyed an earlier word', async () => {
    await marks.begin(vmid);
    expect(await marks.isAsked(vmid, START - 1)).toBe(true);
  });

  test('is not marked for longer because the clock is set back', async () => {
    await marks.begin(vmid);
    expect(await later(-60 * 24).isAsked(vmid)).toBe(false);
  });
});

describe('a mark', () => {
  test('is gone once it was ended, also when it was being written', async () => {
    const telling = marks.begin(vmid);
    await Promise.all([telling, marks.end(vmid)]);
    expect(await marks.isAsked(vmid)).toBe(false);
  });

  test('is removed when it is too old for any end, and not before', async () => {
    await marks.begin(vmid);
    for (const minutes of [0, 9, 19]) await later(minutes).endIfOld(vmid);
    expect(existsSync(join(folder, '101.shutdown'))).toBe(true);
    await later(21).endIfOld(vmid);
    expect(existsSync(join(folder, '101.shutdown'))).toBe(false);
    await later(22).endIfOld(vmid);
  });

  test('without a time says nothing, and is removed', async () => {
    writeFileSync(join(folder, '101.shutdown'), 'a migration has told this guest to shut down\n');
    expect(await marks.isAsked(vmid)).toBe(false);
    await marks.endIfOld(vmid);
    expect(existsSync(join(folder, '101.shutdown'))).toBe(false);
  });
});
