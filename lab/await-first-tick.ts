import { KedgeError } from '../src/domain/kedge-error.js';
import type { LabState } from './lab-state.js';
import { waitUntil } from './processes.js';
import { observerSocket } from './witness-place.js';
import { readObserverReport } from './witness/read-witness.js';

/** Emulated guests on a busy machine boot in some ten seconds. */
const FIRST_TICK_TIMEOUT_MS = 120_000;

/** Returns once the observer has heard of a witness. @throws KedgeError `lab-failed` when it never does */
export async function awaitFirstTick(lab: LabState, vmid: number): Promise<void> {
  const socket = observerSocket(lab);
  await waitUntil(`the first tick of guest ${vmid}`, () => hasTicked(socket, vmid), { timeoutMs: FIRST_TICK_TIMEOUT_MS, pauseMs: 50 });
}

async function hasTicked(socket: string, vmid: number): Promise<boolean> {
  try {
    await readObserverReport({ observerSocket: socket, vmid });
    return true;
  } catch (error) {
    if (error instanceof KedgeError && error.code === 'not-found') return false;
    throw error;
  }
}
