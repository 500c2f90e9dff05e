import { setTimeout as delay } from 'node:timers/promises';
import type { HeldGuestEnd } from '../../../activities/interface.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { OwnershipRecord } from '../../../src/domain/ownership.js';
import { readContainerEnding } from '../../../src/drivers/lxc/container-ending.js';
import { waitForContainerEnd } from '../../../src/drivers/lxc/wait-for-container-end.js';
import { containerOf } from '../guests/container-of.js';
import { isGuestOn, waitForMachineEnd } from '../guests/guest-power.js';
import { isShutdownOfGuest, noteShutdown } from '../guests/note-shutdown.js';
import type { NodeContext } from '../node-context.js';
import type { OfflineTask } from './copy-task.js';

/** A timer can hold no more than this: after it the guest is waited for anew. */
const LONGEST_WAIT_MS = 2_000_000_000;
/** LXC also says "stopped" of a container that reboots; and of one whose monitor has died, for as long as anything of it runs. */
const LOOK_AGAIN_MS = 5_000;

/**
 * Waits until a guest that is held before its shutdown goes off, which nobody has told it to: by the end of its monitor's connection, or LXC's
 * event. A guest that is off already (its node has restarted, or this worker was away) is found so at once.
 *
 * No claim: a step that comes after the hold must not wait for this one, and nothing of the guest is acted on.
 * @throws KedgeError `rolled-back` when the guest is not held here any more; `qmp-disconnected`, `qmp-busy` (the next attempt looks again); the signal's reason
 */
export async function watchHeldGuest(node: NodeContext, { step, signal }: Pick<OfflineTask, 'step' | 'signal'>): Promise<HeldGuestEnd> {
  const guest = await readHeld(node, step);
  const hasShutDown = await (guest.kind === 'lxc' ? containerEnd(node, guest, signal) : machineEnd(node, guest, signal));
  signal.throwIfAborted();
  return node.locks.withLock(step.vmid, async () => {
    const { wanted } = await readHeld(node, step);
    // With a mark a migration that was rolled back before has told it to: it is still wanted running.
    if (wanted === 'stopped' || !hasShutDown || (await node.shutdowns.isAsked(step.vmid))) return { wanted };
    await noteShutdown(node, step.vmid);
    return { wanted: 'stopped' };
  });
}

/** Answers whether the guest has shut itself down. One that ended while no worker listened counts as crashed, as ever. */
async function machineEnd(node: NodeContext, guest: OwnershipRecord, signal: AbortSignal): Promise<boolean> {
  if (!isGuestOn(node, guest)) return false;
  const qmp = await node.monitors.of(guest.vmid);
  while (!(await waitForMachineEnd(node, guest, { timeoutMs: LONGEST_WAIT_MS, signal }))) signal.throwIfAborted();
  return qmp.eventsSince(0).some(isShutdownOfGuest);
}

async function containerEnd(node: NodeContext, guest: OwnershipRecord, signal: AbortSignal): Promise<boolean> {
  const container = containerOf(node, guest.vmid);
  while (isGuestOn(node, guest) && !(await waitForContainerEnd(container, { signal }))) {
    await delay(LOOK_AGAIN_MS, undefined, { signal }).catch(() => undefined);
    signal.throwIfAborted();
  }
  return (await readContainerEnding(container)) === 'shut-down';
}

async function readHeld(node: NodeContext, { vmid, migrationId }: OfflineTask['step']): Promise<OwnershipRecord> {
  const view = await node.records.read(vmid);
  if (view.kind === 'record' && view.record.state === 'owned' && view.record.migrationId === migrationId) return view.record;
  throw new KedgeError('rolled-back', `Cannot watch guest ${vmid} in its hold: ${migrationId} does not claim it here`);
}
