import { assertNever } from '../../../src/domain/assert-never.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { Vmid } from '../../../src/domain/ids.js';
import type { NodeRepair, NodeRepairRequest, RepairResult } from '../../../src/domain/repair.js';
import { removeNftTable } from '../../../src/drivers/host/nft-tables.js';
import type { NodeContext } from '../node-context.js';
import { removeDeadStages } from '../recovery/remove-dead-stages.js';
import { adoptGuest } from './adopt-guest.js';
import { closeJournal } from './close-journal.js';
import { discardCopy } from './discard-copy.js';
import { endProcess } from './end-process.js';
import { refuse, repaired } from './repair-result.js';
import { removeNote } from './remove-note.js';
import { removeConfig, removeInterface, removeRunFile } from './repair-things.js';
import { replaceRecord } from './replace-record.js';
import { endRevokedCopy, finishRelease, settleDead } from './settle-dead.js';

/**
 * One repair of `kedge audit --repair` or `kedge reconcile --repair` on this node. What was found may be gone or belong to somebody else by
 * now, so each looks again, under the guest's lock, right before it acts; each is safe to repeat and to be cut off. Who could still need what
 * goes: docs/protocol.md, section 6.
 */
export async function repairNode(node: NodeContext, { vmid, repair }: NodeRepairRequest): Promise<RepairResult> {
  try {
    const result = vmid === null ? await repairThing(node, repair) : await repairOf(node, vmid, repair);
    node.log.warn({ vmid, repair, ...result }, 'a repair was asked for');
    return result;
  } catch (error) {
    // The next attempt would find the same; whoever asked gets to know why.
    if (!(error instanceof KedgeError) || error.code === 'worker-stopping') throw error;
    node.log.error({ vmid, repair, error }, 'a repair did not succeed');
    return refuse(error.message);
  }
}

async function repairOf(node: NodeContext, vmid: Vmid, repair: NodeRepair): Promise<RepairResult> {
  switch (repair.do) {
    case 'end-process':
      return endProcess(node, vmid, repair);
    case 'settle':
      return settleDead(node, vmid, repair.migrationId);
    case 'release-source':
      return finishRelease(node, vmid);
    case 'end-revoked':
      return endRevokedCopy(node, vmid);
    case 'replace-record':
      return replaceRecord(node, vmid);
    case 'adopt':
      return adoptGuest(node, vmid);
    case 'remove-config':
      return removeConfig(node, vmid, repair.digest);
    case 'remove-note':
      return removeNote(node, vmid, repair);
    case 'remove-run-file':
      return removeRunFile(node, vmid, repair.file);
    case 'remove-interface':
      return removeInterface(node, vmid, repair.name);
    case 'discard-copy':
      return discardCopy(node, vmid, repair);
    case 'close-journal':
      return closeJournal(node, vmid, repair);
    case 'remove-packet-rules':
    case 'remove-stages':
      return repairThing(node, repair);
    default:
      return assertNever(repair);
  }
}

/** What belongs to no guest. */
async function repairThing(node: NodeContext, repair: NodeRepair): Promise<RepairResult> {
  switch (repair.do) {
    case 'remove-packet-rules':
      // The name is all that makes it ours: nothing of Kedge makes rules, and those of others are not judged.
      if (!/^\w+ kedge(?:[-_.][\w.-]*)?$/.test(repair.table)) return refuse(`"${repair.table}" has not Kedge's name`);
      await removeNftTable(repair.table);
      return repaired;
    case 'remove-stages':
      await removeDeadStages(node);
      return repaired;
    default:
      return refuse(`"${repair.do}" is about a guest, and none is named`);
  }
}
