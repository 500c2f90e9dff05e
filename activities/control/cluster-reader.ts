import type { NodeName } from '../../src/domain/ids.js';
import type { NodeStatus } from '../../src/domain/node-facts.js';

/** What the activities of the control worker ask the cluster; the worker composes it from src/client. */
export interface ClusterReader {
  /** Names of all configured nodes. */
  readonly nodes: readonly NodeName[];
  /** Null when the node has never registered. */
  nodeStatus(node: NodeName): Promise<NodeStatus | null>;
  /** Does an execution with this workflow id run now? */
  isRunning(workflowId: string): Promise<boolean>;
}
