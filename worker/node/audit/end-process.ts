import type { Vmid } from '../../../src/domain/ids.js';
import type { RecordView } from '../../../src/domain/ownership.js';
import type { RepairResult } from '../../../src/domain/repair.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import type { ProcessIdentity } from '../../../src/drivers/host/process-identity.js';
import { containerProcesses } from '../../../src/drivers/lxc/container-processes.js';
import { killQemu } from '../../../src/drivers/qemu/kill-qemu.js';
import { scanQemu } from '../../../src/drivers/qemu/scan-qemu.js';
import { containerOf } from '../guests/container-of.js';
import { killGuestCopy } from '../guests/end-guest.js';
import { findGuestProcess, lookAtGuest } from '../guests/look-at-guest.js';
import type { NodeContext } from '../node-context.js';
import { askForOwner } from './certain-owner.js';
import { gone, refuse, repaired } from './repair-result.js';

/**
 * Ends one process of a guest that no record of this node allows: a second running copy, or one that waits for a stream that nobody sends.
 *
 * Who could still be running the guest in it? Only the owner, and a target that was told to go. Under the lock neither is possible here: this
 * node's record allows no process (or allows the other one, which the node's worker knows by its pid file), and nothing can change that record
 * before the process is gone. What is left is a copy without an owner whose memory would be lost: so the owner must be known for
 * sure and must run the guest elsewhere, by its own word of this moment. A process that still waits for its stream has no memory to lose.
 */
export async function endProcess(node: NodeContext, vmid: Vmid, identity: ProcessIdentity): Promise<RepairResult> {
  return node.locks.withLock(vmid, async () => {
    const found = findIt(node, vmid, identity);
    if (found === null) return gone(`process ${identity.pid} has ended`);
    const record = await node.records.read(vmid);
    if (found.isOwn) {
      if (record.kind === 'unreadable') return refuse(`the record of guest ${vmid} can't be read: it may be the one that allows it`);
      if (mayRunUnder(record)) return gone(`the record allows it by now`);
      // Revoked or never here: whatever it waits for can't come, and no go would be taken.
      if (!mayNeedIts(record) && (await lookAtGuest(node, vmid)).view.qemu === 'inmigrate') {
        await killGuestCopy(node, vmid);
        return repaired;
      }
    }
    const why = await whyNotASecondCopy(node, vmid, found);
    if (why !== null) return refuse(why);
    if (found.isOwn) await killGuestCopy(node, vmid);
    else await crashPoint('node.kill-process', () => killQemu(identity));
    return repaired;
  });
}

interface Found extends ProcessIdentity {
  /** It is what this node's worker takes for the guest. */
  readonly isOwn: boolean;
}

function findIt(node: NodeContext, vmid: Vmid, { pid, startTime }: ProcessIdentity): Found | null {
  const isIt = (one: ProcessIdentity): boolean => one.pid === pid && one.startTime === startTime;
  if (containerProcesses(containerOf(node, vmid)).some(isIt)) return { pid, startTime, isOwn: true };
  if (!scanQemu({ vmid }).some(isIt)) return null;
  const own = findGuestProcess(node, vmid);
  return { pid, startTime, isOwn: own !== null && isIt(own) };
}

function mayRunUnder(view: RecordView): boolean {
  return view.kind === 'record' && view.record.state !== 'released' && view.record.state !== 'revoked';
}

/** The memory of a source that has handed over is wanted back if the target revokes. */
const mayNeedIts = (view: RecordView): boolean => view.kind === 'record' && view.record.state === 'released';

/** Null: the owner is certain, runs the guest, and not by this process. */
async function whyNotASecondCopy(node: NodeContext, vmid: Vmid, found: Found): Promise<string | null> {
  const evidence = await askForOwner(node, vmid);
  if (!evidence.certain) return `the owner is not certain, so that nothing is stopped: ${evidence.because}`;
  const { view } = evidence;
  if (view.qemu !== 'running') return `the owner ${view.node} does not run the guest (${view.qemu}): this may be its only copy`;
  if (view.node !== node.node) return null;
  const own = findGuestProcess(node, vmid);
  return own === null || found.isOwn ? 'it is the process of the owner' : null;
}
