import type { SlotRequest } from '../admission.js';
import { vmidOfMigrationWorkflow } from '../workflow-names.js';
import type { Travel } from './plan-view.js';

/** Where the migrations go that have a slot or wait for one: they name source and target, in this order. */
export function travelsOf(moves: readonly Pick<SlotRequest, 'holder' | 'nodes'>[]): readonly Travel[] {
  return moves.flatMap(({ holder, nodes: [from, to] }) =>
    holder.startsWith('migration-') && from !== undefined && to !== undefined ? [{ vmid: vmidOfMigrationWorkflow(holder), from, to }] : [],
  );
}
