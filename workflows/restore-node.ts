import type { EvacuationReport } from '../src/domain/evacuation.js';
import { drainNode, type DrainInput } from './drain-node.js';

/** Workflow type `restoreNode`: lets a node take guests again and brings those home that were moved away from it. Ends like `evacuateNode`. */
export async function restoreNode(input: DrainInput): Promise<EvacuationReport> {
  return drainNode('restore', input);
}
