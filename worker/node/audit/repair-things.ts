import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Vmid } from '../../../src/domain/ids.js';
import type { RepairResult } from '../../../src/domain/repair.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { removeDurably } from '../../../src/drivers/host/durable-file.js';
import { isIdleLink, readLinks, removeLink } from '../../../src/drivers/host/links.js';
import { containerProcesses } from '../../../src/drivers/lxc/container-processes.js';
import { scanQemu } from '../../../src/drivers/qemu/scan-qemu.js';
import { containerOf } from '../guests/container-of.js';
import type { NodeContext } from '../node-context.js';
import { askForOwner } from './certain-owner.js';
import { gone, refuse, repaired } from './repair-result.js';

/**
 * A config of a guest that this node has no record of, if it equals the owner's to the byte: nothing is lost with it. The caller has compared
 * them; here the bytes are compared again with what was found, so that an edit or a guest that is being created meanwhile is left alone.
 */
export async function removeConfig(node: NodeContext, vmid: Vmid, digest: string): Promise<RepairResult> {
  return node.locks.withLock(vmid, async () => {
    const text = await node.guestConfigs.read(vmid).catch(() => null);
    if (text === null) return gone('the config is gone');
    if ((await node.records.read(vmid)).kind !== 'missing') return gone('the node has a record of the guest by now');
    if (configDigest(text) !== digest) return refuse("it was edited since it was compared with the owner's");
    const evidence = await askForOwner(node, vmid);
    if (!evidence.certain) return refuse(`the owner is not certain: ${evidence.because}`);
    await node.guestConfigs.remove(vmid);
    return repaired;
  });
}

/** What two configs are compared by. */
export function configDigest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A socket or pid file of a QEMU that is gone. Nobody else makes files in that folder, and a start makes them anew under this lock. */
export async function removeRunFile(node: NodeContext, vmid: Vmid, file: string): Promise<RepairResult> {
  if (!new RegExp(`^qemu/${vmid}/[\\w.-]+$`).test(file) || file.endsWith('/..')) return refuse(`"${file}" is no file of guest ${vmid}`);
  return node.locks.withLock(vmid, async () => {
    if (isAnyProcess(node, vmid)) return gone('the guest has a process here');
    await crashPoint('node.run-file-removal', () => removeDurably(join(node.paths.run, file)));
    return repaired;
  });
}

/** A device of a guest that has no process here, and that nobody holds open: see `isIdleLink`. */
export async function removeInterface(node: NodeContext, vmid: Vmid, name: string): Promise<RepairResult> {
  if (!new RegExp(`^(?:tap|veth)${vmid}i\\d+$`).test(name)) return refuse(`"${name}" is no device of guest ${vmid}`);
  return node.locks.withLock(vmid, async () => {
    if (isAnyProcess(node, vmid)) return gone('the guest has a process here');
    const link = (await readLinks()).find(({ ifname }) => ifname === name);
    if (link === undefined) return gone('the device is gone');
    if (!isIdleLink(link)) return refuse('somebody uses the device: it may be a guest that Kedge does not know');
    await crashPoint('node.link-removal', () => removeLink(name));
    return repaired;
  });
}

function isAnyProcess(node: NodeContext, vmid: Vmid): boolean {
  return scanQemu({ vmid }).length > 0 || containerProcesses(containerOf(node, vmid)).length > 0;
}
