import type { NodeContext } from '../node-context.js';

/** Does a migration use this node's migration network just now, as far as presence knows? */
export function isBusy(node: NodeContext): boolean {
  return [...node.summaries.values()].some(({ migrationId, record }) => migrationId !== null && record !== 'released' && record !== 'revoked');
}
