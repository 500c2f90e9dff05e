import { KedgeError } from '../src/domain/kedge-error.js';
import { parseNodeName, parseVmid } from '../src/domain/ids.js';
import type { LabState } from './lab-state.js';
import { machineOf } from './lab-store.js';
import { waitUntil } from './processes.js';
import { connectLab } from './wait-for-lab.js';
import { observerSocket } from './witness-place.js';
import { readObserverReport } from './witness/read-witness.js';
import { witnessGuestConfig, type WitnessGuest } from './witness/witness-guest-config.js';

/** Emulated guests on a busy machine boot in some ten seconds. */
const FIRST_TICK_TIMEOUT_MS = 120_000;

/** Creates a witness through the product, as any client would, and starts it; returns when it ticks. @throws KedgeError as the product says, `lab-failed` without a tick */
export async function createWitness(lab: LabState, guest: WitnessGuest, options: { node: string; start: boolean }): Promise<void> {
  machineOf(lab, options.node);
  const node = parseNodeName(options.node);
  const vmid = parseVmid(guest.vmid);
  const client = await connectLab(lab);
  try {
    await client.manageGuest({ node, command: { verb: 'create', vmid, config: witnessGuestConfig(guest) } });
    if (!options.start) return;
    await client.manageGuest({ node, command: { verb: 'start', vmid } });
  } finally {
    await client.close();
  }
  const socket = observerSocket(lab);
  await waitUntil(`the first tick of guest ${guest.vmid}`, () => hasTicked(socket, guest.vmid), { timeoutMs: FIRST_TICK_TIMEOUT_MS, pauseMs: 50 });
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
