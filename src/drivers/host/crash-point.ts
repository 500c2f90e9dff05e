/**
 * The crash-point primitive: a named place where a test run kills this process.
 *
 * Armed by the file `<KEDGE_CRASH_FOLDER>/<point>` that holds a moment (`before`, `after`, `lost-reply`). The file is
 * removed before the kill, so that the restarted process passes. Without `KEDGE_CRASH_FOLDER` a point costs one branch.
 */
import { readFileSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { CRASH_MOMENTS, type CrashMoment, type CrashPoint } from '../../domain/crash-points.js';

const folder = process.env['KEDGE_CRASH_FOLDER'];

/** Runs `effect` with the process dying before or after it when the point is armed so. */
export async function crashPoint<Result>(point: CrashPoint, effect: () => Promise<Result>): Promise<Result> {
  if (folder === undefined) return effect();
  dieIfArmed(point, 'before');
  const result = await effect();
  dieIfArmed(point, 'after');
  dieIfArmed(point, 'lost-reply');
  return result;
}

/** For an effect whose answer goes out as a message: dies after the effect, before the answer, when armed `lost-reply`. */
export function dieIfArmed(point: CrashPoint, moment: CrashMoment): void {
  if (folder === undefined || armedMoment(point) !== moment) return;
  unlinkSync(join(folder, point));
  process.kill(process.pid, 'SIGKILL');
  // The signal is delivered when the kernel next returns to user space; nothing of ours may run until then.
  for (;;);
}

function armedMoment(point: CrashPoint): CrashMoment | undefined {
  let text: string;
  try {
    text = readFileSync(join(folder ?? '', point), 'utf8').trim();
  } catch {
    return undefined;
  }
  return CRASH_MOMENTS.find((moment) => moment === text);
}
