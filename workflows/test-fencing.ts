import type { FencingReport } from '../src/domain/fence-test.js';
import type { NodeName } from '../src/domain/ids.js';
import { withTimings, type WorkflowTimings } from '../src/domain/workflow-timings.js';
import { onFenceTest } from './on-node.js';

export interface TestFencingInput {
  /** Null: all that have a device. */
  readonly node: NodeName | null;
  /** For tests only. */
  readonly timings?: Partial<WorkflowTimings>;
}

/** Workflow type `testFencing`, id `try-fencing-<unique>`: has a control worker ask fencing devices for their status. */
export async function testFencing({ node, timings }: TestFencingInput): Promise<FencingReport> {
  return onFenceTest(withTimings(timings)).testFencing({ node });
}
