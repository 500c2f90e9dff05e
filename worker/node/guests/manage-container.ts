import { rm } from 'node:fs/promises';
import type { Vmid } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { OwnershipRecord } from '../../../src/domain/ownership.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { containerFiles } from '../../../src/drivers/lxc/container-ref.js';
import { stopContainer } from '../../../src/drivers/lxc/stop-container.js';
import { parseContainerConfig } from '../../../src/schema/container-config.js';
import type { NodeContext } from '../node-context.js';
import { containerOf } from './container-of.js';
import { containerStart } from './container-start.js';
import { removeContainerVolumes } from './container-volumes.js';
import { quitGuestCopy } from './end-guest.js';

/** Answers the config, unchanged, when a container can be started from it. @throws KedgeError `bad-config`, `unsupported` */
export function checkContainerConfig(vmid: Vmid, text: string): string {
  containerStart(vmid, parseContainerConfig(text), (volume) => volume);
  return text.endsWith('\n') ? text : `${text}\n`;
}

/**
 * Asks the container's init to shut down and waits for it. Never a silent kill.
 * @throws KedgeError `deadline-exceeded` when it still runs after `timeoutMs`
 */
export async function shutDownContainer(node: NodeContext, vmid: Vmid, timeoutMs: number): Promise<void> {
  if ((await crashPoint('node.shut-down-container', () => stopContainer(containerOf(node, vmid), { timeoutMs }))) === 'late') {
    throw new KedgeError(
      'deadline-exceeded',
      `Cannot shut container ${vmid} down: it still runs after ${Math.round(timeoutMs / 1_000)} s; use "kedge guest stop" to end it`,
    );
  }
  await quitGuestCopy(node, vmid);
}

/** Removes the container's folders and what LXC keeps of it; it is off. */
export async function destroyContainer(node: NodeContext, vmid: Vmid, text: string): Promise<void> {
  await removeContainerVolumes(node, vmid, text);
  await crashPoint('node.remove-container-folder', () => rm(containerFiles(containerOf(node, vmid)).folder, { recursive: true, force: true }));
}

/** @throws KedgeError `unsupported` for a container */
export function refuseContainer(record: OwnershipRecord, verb: 'pause' | 'resume'): void {
  if (record.kind === 'lxc') {
    throw new KedgeError('unsupported', `Cannot ${verb} guest ${record.vmid}: it is a container; use "kedge guest shutdown" and "kedge guest start"`);
  }
}
