import { readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { KedgeError } from '../../domain/kedge-error.js';
import { errnoOf } from '../host/storage-error.js';

const POLL_MS = 5;

/**
 * Kills every process but this one that has `file` open, under its name or unlinked, and returns once none is left.
 * The caller has unlinked the file: no new one can come, but by a fork of one that is found in the next look.
 * @throws KedgeError `outcome-unknown` when some are still there after `timeoutMs`
 */
export async function endHolders(file: string, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const holders = holdersOf(file);
    if (holders.length === 0) return;
    if (performance.now() >= deadline) {
      throw new KedgeError('outcome-unknown', `Cannot end the copies under ${file}: processes ${holders.join(', ')} are still there after SIGKILL`, {
        details: { pids: holders },
      });
    }
    for (const pid of holders) kill(pid);
    await delay(POLL_MS);
  }
}

function holdersOf(file: string): readonly number[] {
  const names = [file, `${file} (deleted)`];
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => targetsOf(pid).some((target) => names.includes(target)))
    .map(Number);
}

/** What the descriptors of a process point to; a zombie has none, nor has one that is gone. */
function targetsOf(pid: string): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((descriptor) => linkOf(`/proc/${pid}/fd/${descriptor}`));
  } catch {
    return [];
  }
}

function linkOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return '';
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH') throw error;
  }
}
