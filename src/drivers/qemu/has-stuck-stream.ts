import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** QEMU's name of the thread that sends a RAM stream (its `debug-threads=on` shows it to the kernel). */
const STREAM_THREAD = 'live_migration';

/** A thread whose stream has ended normally is gone within milliseconds. */
const LOOKS = 50;
const LOOK_AGAIN_MS = 20;

/**
 * Does this QEMU still have the thread of a stream, and not only for another moment? It outlives the status: QEMU below 9.0 may report `failed` and never end the
 * thread (docs/decisions/0007), and a second stream of that process then hangs for ever.
 */
export async function hasStuckStream(pid: number): Promise<boolean> {
  for (let looks = 1; hasStreamThread(pid); looks += 1) {
    if (looks === LOOKS) return true;
    await delay(LOOK_AGAIN_MS);
  }
  return false;
}

function hasStreamThread(pid: number): boolean {
  const folder = `/proc/${pid}/task`;
  return threadsOf(folder).some((thread) => nameOf(join(folder, thread, 'comm')) === STREAM_THREAD);
}

function threadsOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Null for a thread that has ended meanwhile. */
function nameOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trimEnd();
  } catch {
    return null;
  }
}
