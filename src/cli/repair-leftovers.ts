import type { AuditInput, Leftover } from '../domain/audit-types.js';
import { parseVmid } from '../domain/ids.js';
import { KedgeError } from '../domain/kedge-error.js';
import { inRepairOrder, isClusterRepair, type Repair, type RepairResult } from '../domain/repair.js';
import type { Cluster } from './cluster.js';
import { collectAudit } from './collect-audit.js';

/** A repair may uncover another one: the sockets of a process that was ended, the disks of a record that was settled. */
const ROUNDS = 3;

/** A leftover that a repair was tried on, and what came of it. */
export interface TriedRepair extends RepairResult {
  readonly id: string;
  readonly repair: Repair;
}

/** What is there after the repairs. */
export interface Repaired {
  readonly tried: readonly TriedRepair[];
  readonly input: AuditInput;
}

type Repairable = Leftover & { readonly repair: Repair };

/**
 * Does the safe repairs of what `find` sees in `input`, one by one, and looks again until there is none left that was not tried. What could not be done is an answer, never an error: the rest goes on.
 */
export async function repairLeftovers(cluster: Cluster, input: AuditInput, find: (input: AuditInput) => readonly Leftover[]): Promise<Repaired> {
  const tried: TriedRepair[] = [];
  let latest = input;
  for (let round = 0; round < ROUNDS; round += 1) {
    const due = find(latest)
      .filter((leftover): leftover is Repairable => leftover.repair !== null)
      .filter((leftover) => !tried.some(({ id }) => id === leftover.id));
    if (due.length === 0) break;
    for (const leftover of inRepairOrder(due, ({ repair }) => repair)) {
      const { id, repair } = leftover;
      tried.push({ id, repair, ...(await tryRepair(cluster, leftover)) });
    }
    latest = await collectAudit(cluster);
  }
  return { tried, input: latest };
}

async function tryRepair(cluster: Cluster, { node, vmid, repair }: Repairable): Promise<RepairResult> {
  try {
    if (isClusterRepair(repair)) return await cluster.repair({ node: null, repair });
    if (node === null) return { outcome: 'refused', because: 'it is on no node' };
    return await cluster.repair({ node, vmid: vmid === null ? null : parseVmid(vmid), repair });
  } catch (error) {
    if (error instanceof KedgeError) return { outcome: 'refused', because: error.message };
    throw error;
  }
}
