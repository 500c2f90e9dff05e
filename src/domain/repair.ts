/**
 * The repairs of `kedge audit --repair` and `kedge reconcile --repair`: what may be done without a human, and what it is in words.
 * Why each is safe: docs/protocol.md, section 6. Plain JSON: it crosses to the node that does it.
 */
import { assertNever } from './assert-never.js';
import type { JournalKind } from './audit-types.js';
import type { Generation, NodeName, Vmid } from './ids.js';

/** Done by a node's worker, under the lock of the guest, after a new look at what is there. */
export type NodeRepair =
  | { readonly do: 'end-process'; readonly pid: number; readonly startTime: number }
  | { readonly do: 'settle'; readonly migrationId: string }
  | { readonly do: 'release-source' }
  | { readonly do: 'end-revoked' }
  | { readonly do: 'replace-record' }
  | { readonly do: 'adopt' }
  | { readonly do: 'remove-config'; readonly digest: string }
  | { readonly do: 'remove-note'; readonly storage: string; readonly generation: Generation | null }
  | { readonly do: 'remove-run-file'; readonly file: string }
  | { readonly do: 'remove-interface'; readonly name: string }
  | { readonly do: 'remove-packet-rules'; readonly table: string }
  | { readonly do: 'remove-stages' }
  | { readonly do: 'discard-copy'; readonly volumeId: string; readonly migrationId: string }
  | { readonly do: 'close-journal'; readonly journal: JournalKind; readonly key: string };

/** Done in Temporal. */
export type ClusterRepair =
  | { readonly do: 'release-slot'; readonly holder: string; readonly runId: string }
  | { readonly do: 'end-workflow'; readonly workflowId: string; readonly runId: string }
  | { readonly do: 'pause-schedule'; readonly scheduleId: string };

export type Repair = NodeRepair | ClusterRepair;

/** A repair and where it is done; `vmid` is null for what belongs to no guest. */
export interface NodeRepairRequest {
  readonly node: NodeName;
  readonly vmid: Vmid | null;
  readonly repair: NodeRepair;
}

/**
 * What came of it. `gone`: what was found is not there any more, or belongs to somebody by now. `refused`: it is there, and the new look did
 * not show that the repair is safe; nothing was changed.
 */
export const REPAIR_OUTCOMES = ['done', 'gone', 'refused'] as const;
export interface RepairResult {
  readonly outcome: (typeof REPAIR_OUTCOMES)[number];
  readonly because: string;
}

/** In the order in which they are done: what runs where it must not comes first, then sources of dead migrations before their targets. */
const ORDER: readonly Repair['do'][] = [
  'end-process',
  'end-workflow',
  'settle',
  'release-source',
  'end-revoked',
  'replace-record',
  'adopt',
  'close-journal',
  'discard-copy',
  'remove-config',
  'remove-note',
  'remove-stages',
  'remove-run-file',
  'remove-interface',
  'remove-packet-rules',
  'release-slot',
  'pause-schedule',
];

/** Sorts by the order in which repairs are done; equal ones stay as they are. */
export function inRepairOrder<Item>(items: readonly Item[], repairOf: (item: Item) => Repair): readonly Item[] {
  return [...items].sort((one, other) => ORDER.indexOf(repairOf(one).do) - ORDER.indexOf(repairOf(other).do));
}

/** What a repair does, in words. */
export function repairText(repair: Repair): string {
  switch (repair.do) {
    case 'end-process':
      return `end process ${String(repair.pid)}, and no other`;
    case 'settle':
      return `settle migration ${repair.migrationId} by asking both nodes: the guest stays with the node that may have it`;
    case 'release-source':
      return 'end the release that was cut off, once the target itself says that it owns the guest; disks stay';
    case 'end-revoked':
      return 'remove process, devices, copies and config of the revoked attempt';
    case 'replace-record':
      return 'set the record aside as evidence, and put the tombstone "revoked" in its place';
    case 'adopt':
      return 'write a record for the guest where it runs: no other node can run it';
    case 'remove-config':
      return "remove the config, which equals the owner's to the byte";
    case 'remove-note':
      return `remove config and markers of the guest from the folder .kedge of storage ${repair.storage}; no disk`;
    case 'remove-run-file':
      return `remove ${repair.file}`;
    case 'remove-interface':
      return `remove network device ${repair.name}`;
    case 'remove-packet-rules':
      return `delete the nftables table ${repair.table}`;
    case 'remove-stages':
      return 'remove what writes of records left before their rename';
    case 'discard-copy':
      return `take the permission to write to it back and remove the unfinished copy of ${repair.volumeId}`;
    case 'close-journal':
      return 'close the entry, with what it stands for';
    case 'release-slot':
      return 'give the slot back';
    case 'end-workflow':
      return `terminate workflow ${repair.workflowId} and give its slot back`;
    case 'pause-schedule':
      return `pause schedule ${repair.scheduleId}`;
    default:
      return assertNever(repair);
  }
}

/** Is it done in Temporal, not on a node? */
export function isClusterRepair(repair: Repair): repair is ClusterRepair {
  return repair.do === 'release-slot' || repair.do === 'end-workflow' || repair.do === 'pause-schedule';
}
