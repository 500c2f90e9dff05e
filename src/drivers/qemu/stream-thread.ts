/** The thread of QEMU that sends a RAM stream, as the kernel shows it. */
import { readdirSync, readFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** QEMU's name of it (its `debug-threads=on` shows it to the kernel). */
const STREAM_THREAD = 'live_migration';
/** A thread whose stream has ended normally is gone within milliseconds. */
const LOOKS = 50;
const LOOK_AGAIN_MS = 20;

/**
 * Does this QEMU still have the thread of a stream, and not only for another moment? It may outlive the status: QEMU below 9.0 can
 * report `failed` and never end the thread (docs/decisions/0007), and a second stream of that process then hangs for ever.
 */
export async function hasStuckStream(pid: number): Promise<boolean> {
  for (let looks = 1; findStreamThread(pid) !== null; looks += 1) {
    if (looks === LOOKS) return true;
    await delay(LOOK_AGAIN_MS);
  }
  return false;
}

/**
 * Sets how the stream's thread shares the processors: 0 as every thread, up to 19 behind all others. Answers whether it was there. An
 * ended thread is fine.
 */
export function setStreamNiceness(pid: number, niceness: number): boolean {
  const thread = findStreamThread(pid);
  if (thread === null) return false;
  try {
    setPriority(thread, niceness);
    return true;
  } catch {
    return false;
  }
}

function findStreamThread(pid: number): number | null {
  const folder = `/proc/${pid}/task`;
  const thread = threadsOf(folder).find((id) => nameOf(join(folder, id, 'comm')) === STREAM_THREAD);
  return thread === undefined ? null : Number(thread);
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
