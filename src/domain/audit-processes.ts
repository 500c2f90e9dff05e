import { certainOwner, isMigrating, recordOn } from './audit-owner.js';
import type { AuditedNode, AuditedProcess, AuditFinding, AuditInput } from './audit-types.js';
import type { GuestSummary } from './node-facts.js';
import type { Repair } from './repair.js';

/**
 * Processes that no record of their node allows. The node's own process of a guest may live under owned, incoming, armed and releasing;
 * under any other record only while its migration runs. A process of the guest's number that the node's worker has not started is allowed
 * by none.
 */
export function auditProcesses(node: AuditedNode, input: AuditInput): readonly AuditFinding[] {
  return node.processes.flatMap((process): readonly AuditFinding[] => {
    const record = recordOn(node, process.vmid);
    const isJustified = process.own !== false && (record === 'owned' || record === 'incoming' || record === 'armed' || record === 'releasing');
    if (isJustified || (process.vmid !== null && isMigrating(input, process.vmid))) return [];
    return [strayProcess(node, process, { record, repair: repairOf(node, process, input) })];
  });
}

function strayProcess(node: AuditedNode, process: AuditedProcess, judged: { record: GuestSummary['record']; repair: Repair | null }): AuditFinding {
  const { record, repair } = judged;
  return {
    node: node.node,
    vmid: process.vmid,
    kind: process.incoming && record !== 'unreadable' ? 'incoming-process' : 'stray-process',
    key: process.pid,
    what: `pid ${String(process.pid)} (${process.command.slice(0, 80)}), record ${record}`,
    meaning:
      process.own === false && record === 'owned' ? 'A second process of the guest, which Kedge has not started' : 'A QEMU that no record of this node allows',
    remedy: `Make sure with "kedge guest show" who owns the guest, then end the process on ${node.node} by its pid`,
    repair,
  };
}

/**
 * Who could still need it? The owner's node runs the guest by another process, so that this one is a second copy, and not the owner's; or it
 * waits for a stream that no living migration sends, and has never run. Where neither is certain it may be the only copy: nothing is stopped.
 */
function repairOf(node: AuditedNode, process: AuditedProcess, input: AuditInput): Repair | null {
  const { vmid, pid, startTime } = process;
  if (vmid === null || startTime === undefined) return null;
  const record = recordOn(node, vmid);
  const isRevoked = process.own === true && record === 'revoked';
  // What is revoked can never be told to go: all that came with it goes too, as its worker does it at each start.
  const end: Repair = isRevoked ? { do: 'end-revoked' } : { do: 'end-process', pid, startTime };
  if (process.own === true && process.waiting === true && (record === 'missing' || isRevoked)) return end;
  const owner = certainOwner(input, vmid);
  if (owner?.guest.qemu !== 'running') return null;
  return owner.node !== node || process.own === false ? end : null;
}
