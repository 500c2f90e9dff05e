import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { guestRunFolder } from '../../../src/config/paths.js';
import type { Vmid } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { listTaps, removeTap } from '../../../src/drivers/host/tap.js';
import { containerFiles } from '../../../src/drivers/lxc/container-ref.js';
import { killContainer } from '../../../src/drivers/lxc/kill-container.js';
import { killQemu } from '../../../src/drivers/qemu/kill-qemu.js';
import { quitQemu } from '../../../src/drivers/qemu/quit-qemu.js';
import type { QemuProcess } from '../../../src/drivers/qemu/qemu-process.js';
import type { NodeContext } from '../node-context.js';
import { containerOf } from './container-of.js';
import { findGuestProcess } from './look-at-guest.js';

/**
 * Kills this node's copy of a guest and returns once its process is seen gone, its network devices and sockets removed.
 * The caller holds the guest's lock and a record that forbids this copy to run. No process is fine.
 */
export async function killGuestCopy(node: NodeContext, vmid: Vmid): Promise<void> {
  await crashPoint('target.kill', async () => {
    const process = findGuestProcess(node, vmid);
    if (process !== null) await killQemu(process);
    await endContainer(node, vmid);
  });
  await removeTraces(node, vmid);
}

/** Lets this node's QEMU flush and quit (a container is killed), sees it gone and removes its traces. For the source after a hand-over. */
export async function quitGuestCopy(node: NodeContext, vmid: Vmid): Promise<void> {
  await crashPoint('source.quit', async () => {
    const process = findGuestProcess(node, vmid);
    if (process !== null) await quitOrKill(node, vmid, process);
    await endContainer(node, vmid);
  });
  await removeTraces(node, vmid);
}

async function quitOrKill(node: NodeContext, vmid: Vmid, process: QemuProcess): Promise<void> {
  try {
    await quitQemu(await node.monitors.of(vmid), process);
  } catch (error) {
    if (!(error instanceof KedgeError)) throw error;
    // The monitor is silent: the process is what counts.
    await killQemu(process, { termTimeoutMs: 5_000 });
  }
}

/**
 * A container is not asked: who wants it to shut down first asks it before (`shutDownContainer`). Its console and log stay, to be read;
 * its config goes, so that nobody starts it past its record.
 */
async function endContainer(node: NodeContext, vmid: Vmid): Promise<void> {
  const container = containerOf(node, vmid);
  const { folder, config } = containerFiles(container);
  if (!existsSync(folder)) return;
  await killContainer(container);
  await rm(config, { force: true });
}

async function removeTraces(node: NodeContext, vmid: Vmid): Promise<void> {
  await crashPoint('node.remove-traces', async () => {
    for (const tap of await listTaps(vmid)) await removeTap(tap.name);
    await rm(guestRunFolder(node.paths, vmid), { recursive: true, force: true });
  });
}
