/** Names of the Temporal task queues: one for workflows, two for each node. */
import type { NodeName } from './ids.js';

/** Workflows, and the activities of the control worker. */
export const CONTROL_QUEUE = 'control';

/** Short calls to one node. */
export const nodeControlQueue = (node: NodeName): string => `node-${node}-ctl`;

/** Copies and switchovers from one node; its slots bound them. */
export const nodeBulkQueue = (node: NodeName): string => `node-${node}-bulk`;
