import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { CRASH_HITS_FILE } from '../../../../src/domain/crash-points.js';

const folder = mkdtempSync(join(tmpdir(), 'crash-point-'));
process.env['KEDGE_CRASH_FOLDER'] = folder;
// After the folder is named: it is read once.
const { crashPoint } = await import('../../../../src/drivers/host/crash-point.js');

const POINT = 'source.released-record';
const armed = join(folder, POINT);
const hits = join(folder, CRASH_HITS_FILE);

describe('a crash point', () => {
  let runs = 0;
  const effect = (): Promise<number> => {
    runs += 1;
    return Promise.resolve(runs);
  };
  beforeEach(() => {
    runs = 0;
    rmSync(armed, { force: true });
    rmSync(hits, { force: true });
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('runs its effect once while it is not armed', async () => {
    expect(await crashPoint(POINT, effect)).toBe(1);
    expect(runs).toBe(1);
  });

  it('armed with "repeat" runs its effect twice, answers what the second run says, and is disarmed', async () => {
    writeFileSync(armed, 'repeat\n');
    expect(await crashPoint(POINT, effect)).toBe(2);
    expect(existsSync(armed)).toBe(false);
    expect(await crashPoint(POINT, effect)).toBe(3);
  });

  it('armed with a word that is no moment does nothing and stays armed', async () => {
    writeFileSync(armed, 'sometime\n');
    expect(await crashPoint(POINT, effect)).toBe(1);
    expect(existsSync(armed)).toBe(true);
  });

  it('is noted when it is passed and when it strikes, for as long as somebody wants to know', async () => {
    await crashPoint(POINT, effect);
    expect(existsSync(hits)).toBe(false);
    writeFileSync(hits, '');
    writeFileSync(armed, 'repeat\n');
    await crashPoint(POINT, effect);
    await crashPoint('target.cont', effect);
    expect(readFileSync(hits, 'utf8')).toBe(`${POINT}\n${POINT} repeat\ntarget.cont\n`);
  });
});
