/** A crash folder for this process. To be imported before anything that imports the crash points: their folder is read once. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CRASH_HITS_FILE, type CrashMoment, type CrashPoint } from '../../src/domain/crash-points.js';

const folder = mkdtempSync(join(tmpdir(), 'kedge-crash-'));
process.env['KEDGE_CRASH_FOLDER'] = folder;
writeFileSync(join(folder, CRASH_HITS_FILE), '');

export function arm(point: CrashPoint, moment: CrashMoment): void {
  writeFileSync(join(folder, point), moment);
}

/** `<point>` for each that was passed, `<point> <moment>` for each that struck. */
export function crashHits(): readonly string[] {
  return readFileSync(join(folder, CRASH_HITS_FILE), 'utf8').split('\n');
}

export function removeCrashFolder(): void {
  rmSync(folder, { recursive: true });
}
