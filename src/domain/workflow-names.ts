/**
 * Names that cross the wire between clients and workflows: workflow types, ids, queries, updates, signals.
 * Renaming one breaks running executions; a test freezes the list.
 */
import { parseVmid, type NodeName, type Vmid } from './ids.js';

export const WORKFLOW_TYPES = {
  migrateGuest: 'migrateGuest',
  checkMigration: 'checkMigration',
  nodePresence: 'nodePresence',
  admission: 'admission',
  manageGuest: 'manageGuest',
  auditNode: 'auditNode',
  repairNode: 'repairNode',
  recoverNode: 'recoverNode',
  fenceLostNode: 'fenceLostNode',
  testFencing: 'testFencing',
  evacuateNode: 'evacuateNode',
  restoreNode: 'restoreNode',
  maintainNodes: 'maintainNodes',
  maintainNode: 'maintainNode',
  deliverEvent: 'deliverEvent',
  hookMark: 'hookMark',
  balanceCluster: 'balanceCluster',
  balancer: 'balancer',
} as const;

export const QUERIES = { story: 'story', status: 'status', slots: 'slots', evacuation: 'evacuation', recovery: 'recovery', balance: 'balance' } as const;
export const UPDATES = {
  cancel: 'cancel',
  release: 'release',
  decide: 'decide',
  registerBoot: 'registerBoot',
  cordon: 'cordon',
  addAway: 'addAway',
  dropAway: 'dropAway',
  voidGuest: 'voidGuest',
  dropVoided: 'dropVoided',
  confirmDead: 'confirmDead',
  workAnswer: 'workAnswer',
  setLimits: 'setLimits',
} as const;
export const SIGNALS = { request: 'request', release: 'release', granted: 'granted', stopWaiting: 'stop-waiting' } as const;

/** Keyword search attributes of a migration, set by the client at its start. */
export const SEARCH_ATTRIBUTES = { guest: 'KedgeGuest', source: 'KedgeSource', target: 'KedgeTarget' } as const;

/** The one admission entity of a cluster. */
export const ADMISSION_ID = 'admission';

/** One balance of the cluster at a time. */
export const BALANCE_ID = 'balance';
/** What looks whether one is due, where that is wanted. */
export const BALANCER_ID = 'balancer';

/** The mutex of a guest: one migration at a time. */
export const migrationWorkflowId = (vmid: Vmid): string => `migration-${vmid}`;
export const nodeWorkflowId = (node: NodeName): string => `node-${node}`;
/** One recovery of a node at a time. */
export const recoveryWorkflowId = (node: NodeName): string => `recovery-${node}`;
/** A place to fence from; there are as many as nodes may be fenced at once. */
export const fenceWorkflowId = (place: number): string => `fence-${place}`;
/** Tests exclude nothing. */
export const fenceTestWorkflowId = (unique: string): string => `try-fencing-${unique}`;
/** One command of one kind at a time for a guest. */
export const guestCommandWorkflowId = (vmid: Vmid, verb: string): string => `guest-${vmid}-${verb}`;
/** Checks exclude neither each other nor the migration. */
export const checkWorkflowId = (vmid: Vmid, unique: string): string => `check-${vmid}-${unique}`;
export const repairWorkflowId = (node: NodeName): string => `repair-${node}`;
/** Temporal appends the time of the opening; the schedule lets no two of a window run at once. */
export const maintenanceWorkflowId = (window: string): string => `maintenance-${window}`;
/** One maintenance of a node at a time, of whatever window: from its drain until its guests are back. */
export const upkeepWorkflowId = (node: NodeName): string => `upkeep-${node}`;
export const WINDOW_SCHEDULES = 'window-';
export const windowScheduleId = (window: string): string => `${WINDOW_SCHEDULES}${window}`;
/** A node is emptied or filled again, one at a time. */
export const evacuationWorkflowId = (node: NodeName): string => `evacuation-${node}`;
/** A hook is told of an event once; names of hooks have no dot. */
export const deliveryWorkflowId = (hook: string, eventId: string): string => `deliver-${hook}.${eventId}`;
export const hookWorkflowId = (hook: string): string => `hook-${hook}`;
/** Tests exclude nothing. */
export const hookTestWorkflowId = (hook: string, unique: string): string => `try-hook-${hook}-${unique}`;
export const auditWorkflowId = (node: NodeName): string => `audit-${node}`;

/** The guest of a migration's workflow id. @throws KedgeError `bad-input` when the id is not one of a migration. */
export function vmidOfMigrationWorkflow(workflowId: string): Vmid {
  return parseVmid(workflowId.startsWith('migration-') ? workflowId.slice('migration-'.length) : workflowId);
}
