import { setTimeout as delay } from 'node:timers/promises';
import { KedgeError } from '../../domain/kedge-error.js';
import { isAlive, type ProcessIdentity } from '../host/process-identity.js';

const POLL_MS = 5;

export interface KillQemuOptions {
  /** SIGTERM lets QEMU flush and end; after `termTimeoutMs` (or at once with 0) comes SIGKILL. */
  readonly termTimeoutMs?: number;
  /** How long the kernel may take to end a killed process (it may hang in a disk request). */
  readonly killTimeoutMs?: number;
}

/**
 * Ends exactly this process and returns once it is seen gone; one that is gone already is fine.
 *
 * Node has no pidfd, so the end is polled in /proc, and between the check of the identity and the signal the pid could
 * pass to another process only if 4 million pids were used up in microseconds.
 * @throws KedgeError `outcome-unknown` when it does not end even after SIGKILL
 */
export async function killQemu(identity: ProcessIdentity, options: KillQemuOptions = {}): Promise<void> {
  const termTimeoutMs = options.termTimeoutMs ?? 0;
  if (termTimeoutMs > 0 && (await signalAndWait(identity, 'SIGTERM', termTimeoutMs))) return;
  if (await signalAndWait(identity, 'SIGKILL', options.killTimeoutMs ?? 10_000)) return;
  throw new KedgeError('outcome-unknown', `Cannot end QEMU process ${identity.pid}: it is still there after SIGKILL`, { details: { ...identity } });
}

/** Returns true once the process is seen gone, false when it is still there after `timeoutMs`. */
export async function waitUntilGone(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (isAlive(identity)) {
    if (performance.now() >= deadline) return false;
    await delay(POLL_MS);
  }
  return true;
}

async function signalAndWait(identity: ProcessIdentity, signal: 'SIGTERM' | 'SIGKILL', timeoutMs: number): Promise<boolean> {
  if (!isAlive(identity)) return true;
  try {
    process.kill(identity.pid, signal);
  } catch (error) {
    if (isAlive(identity)) throw new KedgeError('internal', `Cannot send ${signal} to QEMU process ${identity.pid}`, { cause: error });
  }
  return waitUntilGone(identity, timeoutMs);
}
