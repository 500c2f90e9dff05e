import { parseNodeName, parseVmid } from '../src/domain/ids.js';
import { awaitFirstTick } from './await-first-tick.js';
import type { LabState } from './lab-state.js';
import { machineOf } from './lab-store.js';
import { connectLab } from './wait-for-lab.js';
import { witnessGuestConfig, type WitnessGuest } from './witness/witness-guest-config.js';

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
  await awaitFirstTick(lab, guest.vmid);
}
