/**
 * The crash-point primitive: a named place where a test run kills this process, or does what it is about to do twice.
 *
 * Armed by the file `<KEDGE_CRASH_FOLDER>/<point>` that holds a moment. The file is removed before the moment strikes, so that the
 * restarted process passes. While `<KEDGE_CRASH_FOLDER>/.hits` exists, each point that is passed adds its name to it, and each that
 * strikes its name and the moment. Without `KEDGE_CRASH_FOLDER` a point costs one branch.
 */
import { closeSync, constants, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { CRASH_HITS_FILE, CRASH_MOMENTS, type CrashMoment, type CrashPoint } from '../../domain/crash-points.js';

const folder = process.env['KEDGE_CRASH_FOLDER'];

/** Runs `effect`; with the point armed the process dies before or after it, or it runs a second time, and that answer counts. */
export async function crashPoint<Result>(point: CrashPoint, effect: () => Promise<Result>): Promise<Result> {
  if (folder === undefined) return effect();
  note(folder, point);
  const repeats = strike(folder, point, ['before', 'repeat']);
  let result = await effect();
  if (repeats) result = await effect();
  strike(folder, point, ['after', 'lost-reply']);
  return result;
}

/** Does nothing and answers false unless the point is armed with one of these moments; answers true when that is `repeat`. */
function strike(armed: string, point: CrashPoint, moments: readonly CrashMoment[]): boolean {
  const moment = armedMoment(armed, point);
  if (moment === undefined || !moments.includes(moment)) return false;
  note(armed, `${point} ${moment}`);
  unlinkSync(join(armed, point));
  if (moment === 'repeat') return true;
  process.kill(process.pid, 'SIGKILL');
  // The signal is delivered when the kernel next returns to user space; nothing of ours may run until then.
  for (;;);
}

function armedMoment(armed: string, point: CrashPoint): CrashMoment | undefined {
  let text: string;
  try {
    text = readFileSync(join(armed, point), 'utf8').trim();
  } catch {
    return undefined;
  }
  return CRASH_MOMENTS.find((moment) => moment === text);
}

/** Without `O_CREAT`: whoever wants to know makes the file. */
function note(armed: string, line: string): void {
  let hits: number;
  try {
    hits = openSync(join(armed, CRASH_HITS_FILE), constants.O_WRONLY | constants.O_APPEND);
  } catch {
    return;
  }
  try {
    writeSync(hits, `${line}\n`);
  } finally {
    closeSync(hits);
  }
}
