/** Switching guests off, of either kind. Starts are in start-guest.ts. */
import { setTimeout as delay } from 'node:timers/promises';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { OwnershipRecord } from '../../../src/domain/ownership.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { containerProcesses } from '../../../src/drivers/lxc/container-processes.js';
import { stopContainer } from '../../../src/drivers/lxc/stop-container.js';
import type { NodeContext } from '../node-context.js';
import { containerOf } from './container-of.js';
import { findGuestProcess } from './look-at-guest.js';

type Guest = Pick<OwnershipRecord, 'vmid' | 'kind'>;
interface Patience {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** Is there a process of the guest on this node? */
export function isGuestOn(node: NodeContext, { vmid, kind }: Guest): boolean {
  return kind === 'lxc' ? containerProcesses(containerOf(node, vmid)).length > 0 : findGuestProcess(node, vmid) !== null;
}

/**
 * Tells the guest to shut down: the ACPI power button, again and again, or the signal to a container's init. What it makes of it, and when, is its own
 * matter; it is never killed here. Answers whether it ended in time and before `signal`.
 *
 * It may obey after this call, and after its migration, has ended: the mark (shutdown-marks.ts) tells then why it went off. When this
 * answers, nothing of it is under way any more: no press may reach the guest after it was started anew, no mark may follow its removal.
 */
export async function shutDownNicely(node: NodeContext, guest: Guest, patience: Patience): Promise<boolean> {
  const waiting = new AbortController();
  const ended = patience.signal === undefined ? waiting.signal : AbortSignal.any([waiting.signal, patience.signal]);
  await tell(node, guest, ended);
  const telling = tellAgain(node, guest, ended);
  try {
    if (guest.kind === 'lxc') return (await crashPoint('source.stop-container', () => stopContainer(containerOf(node, guest.vmid), patience))) === 'stopped';
    return await waitForMachineEnd(node, guest, patience);
  } finally {
    waiting.abort();
    await telling;
  }
}

/** A guest that is still booting takes no notice; one that shuts down already takes none either. */
const TELL_EVERY_MS = 20_000;

async function tellAgain(node: NodeContext, guest: Guest, ended: AbortSignal): Promise<void> {
  for (;;) {
    await delay(TELL_EVERY_MS, undefined, { signal: ended, ref: false }).catch(() => undefined);
    if (ended.aborted) return;
    // Best effort: whether the guest has ended, its process tells.
    await tell(node, guest, ended).catch(() => undefined);
  }
}

/** A container is told once, by `stopContainer`; as long as that waits, its mark is kept young. */
async function tell(node: NodeContext, { vmid, kind }: Guest, ended: AbortSignal): Promise<void> {
  await node.shutdowns.begin(vmid);
  if (kind === 'lxc') return;
  const qmp = await node.monitors.of(vmid);
  // A newer attempt may have taken over while this one waited for the disk or the monitor.
  if (!ended.aborted) await crashPoint('source.power-button', () => qmp.execute('system_powerdown'));
}

/** From the end of the monitor to the end of the process: QEMU has flushed its disks before. */
const EXIT_TIMEOUT_MS = 10_000;
const LOOK_EVERY_MS = 20;

/**
 * Waits for a virtual machine that was told to shut down before. Its process alone tells: a monitor may also be lost while the guest runs on.
 * @throws KedgeError `qmp-disconnected`, `qmp-busy`
 */
export async function waitForMachineEnd(node: NodeContext, guest: Guest, { timeoutMs, signal }: Patience): Promise<boolean> {
  if (!isGuestOn(node, guest)) return true;
  const qmp = await node.monitors.of(guest.vmid);
  const timer = new AbortController();
  const ended = signal === undefined ? timer.signal : AbortSignal.any([timer.signal, signal]);
  const late = delay(timeoutMs, undefined, { signal: ended, ref: false }).catch(() => undefined);
  await Promise.race([qmp.closed, late]);
  timer.abort();
  for (let waitedMs = 0; qmp.isClosed && isGuestOn(node, guest) && waitedMs < EXIT_TIMEOUT_MS; waitedMs += LOOK_EVERY_MS) await delay(LOOK_EVERY_MS);
  if (!isGuestOn(node, guest)) return true;
  if (qmp.isClosed) throw new KedgeError('qmp-disconnected', `Cannot wait for the end of guest ${guest.vmid}: its monitor was lost while it runs on`);
  return false;
}
