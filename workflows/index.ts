/** The workflow types, by the names in src/domain/workflow-names.ts: what the bundle contains. */
export { admission } from './admission.js';
export { auditNode } from './audit-node.js';
export { balanceCluster } from './balance-cluster.js';
export { balancer } from './balancer.js';
export { checkMigration } from './check-migration.js';
export { deliverEvent } from './deliver-event.js';
export { fenceLostNode } from './fence-lost-node.js';
export { hookMark } from './hook-mark.js';
export { maintainNode } from './maintain-node.js';
export { maintainNodes } from './maintain-nodes.js';
export { evacuateNode } from './evacuate-node.js';
export { manageGuest } from './manage-guest.js';
export { migrateGuest } from './migrate-guest.js';
export { nodePresence } from './node-presence.js';
export { recoverNode } from './recover-node.js';
export { repairNode } from './repair-node.js';
export { restoreNode } from './restore-node.js';
