import type { NodeName } from './ids.js';

/**
 * What a node worker is called at the Temporal server, which notes it with each attempt that it hands out: the node, and this process of
 * it, so that a later process of the same node knows which attempts died with an earlier one.
 */
export const nodeWorkerIdentity = (node: NodeName, incarnation: string): string => `${prefixOf(node)}${incarnation}`;

/** Is this the name of a worker of `node`, of whichever process? */
export const isWorkerOfNode = (identity: string, node: NodeName): boolean => identity.startsWith(prefixOf(node));

/** A node's name holds no slash, so no name is the beginning of another's. */
const prefixOf = (node: NodeName): string => `kedge/${node}/`;
