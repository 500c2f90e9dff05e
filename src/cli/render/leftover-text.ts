import type { Leftover } from '../../domain/audit-types.js';
import { repairText, type RepairResult } from '../../domain/repair.js';
import type { TriedRepair } from '../repair-leftovers.js';

/** One finding: what and where it is, what it means, what an operator can do, what `--repair` does, and its id. */
export function leftoverText({ id, node, vmid, kind, what, meaning, remedy, repair }: Leftover): string {
  const where = [node, vmid === null ? null : `guest ${String(vmid)}`].filter((part) => part !== null).join(', ');
  const safe = repair === null ? 'none that is safe' : repairText(repair);
  return `${kind}${where === '' ? '' : ` on ${where}`}: ${what}\n  ${meaning}\n  → ${remedy}\n  repair: ${safe}\n  id: ${id}\n`;
}

const OUTCOMES: Readonly<Record<RepairResult['outcome'], string>> = { done: 'Repaired', gone: 'Gone by itself', refused: 'Not repaired' };

/** What came of one repair. */
export function triedText({ id, repair, outcome, because }: TriedRepair): string {
  return `${OUTCOMES[outcome]}: ${id} (${repairText(repair)})${because === 'done' ? '' : `: ${because}`}\n`;
}
