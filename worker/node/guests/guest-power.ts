/** Switching guests off, of either kind. Starts are in start-guest.ts. */
import { setTimeout as delay } from 'node:timers/promises';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { OwnershipRecord } from '../../../src/domain/ownership.js';
import type { NodeContext } from '../node-context.js';
import { quitGuestCopy } from './end-guest.js';
import { findGuestProcess } from './look-at-guest.js';

type Guest = Pick<OwnershipRecord, 'vmid' | 'kind'>;

/** Is there a process of the guest on this node? */
export function isGuestOn(node: NodeContext, { vmid }: Guest): boolean {
  return findGuestProcess(node, vmid) !== null;
}

/** Tells the guest to shut down: the ACPI power button. What it makes of it, and when, is its own matter. */
export async function powerDown(node: NodeContext, { vmid }: Guest): Promise<void> {
  const qmp = await node.monitors.of(vmid);
  await qmp.execute('system_powerdown');
}

/** From the end of the monitor to the end of the process: QEMU has flushed its disks before. */
const EXIT_TIMEOUT_MS = 10_000;
const LOOK_EVERY_MS = 20;

/**
 * Answers whether the guest has ended in time, or at once when `signal` aborts. Its process alone tells: a monitor may also be lost
 * while the guest runs on.
 * @throws KedgeError `qmp-disconnected`, `qmp-busy`
 */
export async function waitForGuestEnd(node: NodeContext, guest: Guest, options: { timeoutMs: number; signal?: AbortSignal }): Promise<boolean> {
  if (!isGuestOn(node, guest)) return true;
  const qmp = await node.monitors.of(guest.vmid);
  const timer = new AbortController();
  const signal = options.signal === undefined ? timer.signal : AbortSignal.any([timer.signal, options.signal]);
  const late = delay(options.timeoutMs, undefined, { signal, ref: false }).catch(() => undefined);
  await Promise.race([qmp.closed, late]);
  timer.abort();
  for (let waitedMs = 0; qmp.isClosed && isGuestOn(node, guest) && waitedMs < EXIT_TIMEOUT_MS; waitedMs += LOOK_EVERY_MS) await delay(LOOK_EVERY_MS);
  if (!isGuestOn(node, guest)) return true;
  if (qmp.isClosed) throw new KedgeError('qmp-disconnected', `Cannot wait for the end of guest ${guest.vmid}: its monitor was lost while it runs on`);
  return false;
}

/** Ends what is left of the guest here, its process too, and removes its devices and sockets. The caller holds the guest's lock. */
export async function endGuestProcess(node: NodeContext, { vmid }: Guest): Promise<void> {
  await quitGuestCopy(node, vmid);
}
