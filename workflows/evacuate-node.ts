/**
 * Empties a node. Its end, as an operator and a program see it:
 * - completed with the report, whose `end` tells whether all have gone; `cancelled` after the update `cancel` and after Temporal's own cancel alike;
 * - failed with type `bad-input` or `not-found`: nothing was touched.
 * The node stays cordoned in every case but those. Moves that were begun go on to their own end, whatever becomes of this.
 *
 * How it works, and why it ends: docs/architecture.md, "Draining a node".
 */
import type { EvacuationReport } from '../src/domain/evacuation.js';
import { drainNode, type DrainInput } from './drain-node.js';

/** Workflow type `evacuateNode`. Its id is `evacuation-<node>`, the same as that of `restoreNode`. */
export async function evacuateNode(input: DrainInput): Promise<EvacuationReport> {
  return drainNode('evacuate', input);
}
