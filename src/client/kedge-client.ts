import type { Client } from '@temporalio/client';
import type { GuestCommandResult, NodeAudit } from '../../activities/interface.js';
import type { SlotRelease, SlotRequest } from '../domain/admission.js';
import type { LimitSettings } from '../domain/admission-limits.js';
import type { AuditedSchedule, AuditedSlot, RunningRecovery } from '../domain/audit-types.js';
import type { EvacuateNodeInput, EvacuationReport } from '../domain/evacuation.js';
import type { FencingReport } from '../domain/fence-test.js';
import type { NodeName, Vmid } from '../domain/ids.js';
import type { MigrateGuestInput, OperatorDecision } from '../domain/migration.js';
import type { CheckMigrationInput, MigrationCheck } from '../domain/migration-check.js';
import type { NodeStatus } from '../domain/node-facts.js';
import type { RecoveryReport, RecoverNodeInput } from '../domain/recovery.js';
import type { Placement } from '../domain/plan/placement.js';
import type { ClusterSnapshot } from '../domain/plan/snapshot.js';
import type { RepairResult } from '../domain/repair.js';
import type { VoidedGuest } from '../domain/voided-guest.js';
import type { Occurrence } from '../domain/window/window.js';
import { admissionVerbs, ensureAdmission, type AdmissionVerbs } from './admission/admission-verbs.js';
import { balanceVerbs, type BalanceVerbs } from './balance.js';
import { auditNode } from './audit-node.js';
import { checkMigration } from './check-migration.js';
import { ensureNamespace } from './ensure-namespace.js';
import { eventVerbs, type EventVerbs } from './events/event-verbs.js';
import { failLostAttempts } from './fail-lost-attempts.js';
import { failTaskTokens } from './fail-task-tokens.js';
import { hookVerbs, type HookVerbs } from './hooks.js';
import { findMigration } from './find-migration.js';
import { isRunning } from './is-running.js';
import { listMigrations, type ListMigrationsFilter } from './list-migrations.js';
import { cancelEvacuation, readEvacuation, startEvacuation, type EvacuationRef, type EvacuationView } from './evacuation.js';
import { manageGuest, type GuestRequest } from './manage-guest.js';
import type { MigrationRef, MigrationView } from './migration-view.js';
import { changeAway, cordonNode, dropVoided, registerNode, voidGuest } from './node-entity.js';
import { findNodeStatus, readNodeStatus } from './node-status.js';
import { readMigration } from './read-migration.js';
import { readSchedules } from './read-schedules.js';
import { readMoves, readSlots } from './read-slots.js';
import { confirmDead, readRecoveries, readRecovery, startRecovery } from './recover-node.js';
import { releaseSlot } from './release-slot.js';
import { repair, type RepairRequest } from './repair.js';
import { requestSlot } from './request-slot.js';
import { startMigration } from './start-migration.js';
import { takeSnapshot } from './take-snapshot.js';
import { testFencing } from './test-fencing.js';
import { cancelMigration, decideMigration, releaseMigration } from './update-migration.js';
import { scheduleWindow } from './window/change-window.js';
import { windowVerbs, type WindowVerbs } from './window/window-verbs.js';
import { watchMigration, type WatchOptions } from './watch-migration.js';

/** What the verbs share. */
export interface ClientContext {
  readonly client: Client;
  readonly nodes: readonly NodeName[];
}

/**
 * The cluster's verbs, for the CLI, the workers and the API. An `id` of a migration is what users type: `<vmid>-<generation>`, a
 * bare vmid for its newest migration, or a workflow id. All reject with KedgeError.
 */
export interface KedgeClient {
  readonly nodes: readonly NodeName[];
  /** All that stands in the way of a migration, and its forecast; without a target for every other node. Changes nothing. */
  checkMigration(input: CheckMigrationInput): Promise<MigrationCheck>;
  /** @throws `already-migrating` that names the migration in the way */
  startMigration(input: MigrateGuestInput): Promise<MigrationRef>;
  /** Yields a view a second until the migration has ended; the last view is the end. */
  watchMigration(id: string | MigrationRef, options?: WatchOptions): AsyncGenerator<MigrationView, void>;
  showMigration(id: string | MigrationRef): Promise<MigrationView>;
  listMigrations(filter?: ListMigrationsFilter): Promise<readonly MigrationView[]>;
  /** Resolves when the cancel surely came in time. @throws `cancel-refused` */
  cancelMigration(id: string | MigrationRef): Promise<void>;
  releaseMigration(id: string | MigrationRef): Promise<void>;
  /** `statedBy`: who decides, for the story. */
  decideMigration(id: string | MigrationRef, decision: OperatorDecision, statedBy?: string): Promise<void>;
  listNodes(): Promise<readonly NodeStatus[]>;
  /** The cluster as the planner sees it now, with these wishes of its operator; none by default. */
  takeSnapshot(placement?: Placement): Promise<ClusterSnapshot>;
  /** @throws `not-found` when the cluster has no such node */
  nodeStatus(node: NodeName): Promise<NodeStatus>;
  /** Like `nodeStatus`, but null for a node that has never registered. */
  findNodeStatus(node: NodeName): Promise<NodeStatus | null>;
  /** Starts the node's entity if need be and registers this boot of it. */
  registerNode(registration: { node: NodeName; bootId: string }): Promise<readonly VoidedGuest[]>;
  /** @throws `node-alive` */
  voidGuest(decision: { node: NodeName; bootId: string; guest: VoidedGuest }): Promise<void>;
  dropVoided(heard: { node: NodeName; guest: Pick<VoidedGuest, 'vmid' | 'migrationId'> }): Promise<void>;
  cordonNode(node: NodeName, cordoned: boolean): Promise<void>;
  /** Has a node that is not heard looked into; joins the recovery that runs. */
  startRecovery(input: RecoverNodeInput): Promise<void>;
  /** @throws `node-alive` while anything says that the node is not off */
  confirmDead(statement: { node: NodeName; statedBy: string }): Promise<void>;
  /** Has a control worker ask the fencing devices, or that of one node, for their status; switches nothing. */
  testFencing(question: { node: NodeName | null }): Promise<FencingReport>;
  /** @throws `not-found` when the node never had one */
  readRecovery(node: NodeName): Promise<RecoveryReport>;
  /** The recoveries that run, and the guests that they owe to somebody. */
  readRecoveries(): Promise<readonly RunningRecovery[]>;
  /** Notes that a guest belongs to a node that it was moved away from, or does not any more. */
  changeAway(change: { node: NodeName; vmid: Vmid; at: string; away: boolean }): Promise<void>;
  /** Empties a node, or brings its guests home. @throws `already-draining` that names who began the one that runs */
  startEvacuation(plan: EvacuationReport['plan'], input: EvacuateNodeInput): Promise<EvacuationRef>;
  /** The drain or undrain that runs, or ran last; null: none is known. */
  readEvacuation(node: NodeName, ref?: EvacuationRef): Promise<EvacuationView | null>;
  /** No move begins any more; those under way go on to their end. @throws `not-found` when none runs */
  cancelEvacuation(node: NodeName): Promise<void>;
  /** One guest verb on the guest's node. */
  manageGuest(request: GuestRequest): Promise<GuestCommandResult>;
  auditNode(node: NodeName): Promise<NodeAudit>;
  isRunning(workflowId: string, runId?: string): Promise<boolean>;
  /** Ends attempts that a dead worker left, so that they are repeated at once; tokens that Temporal knows no more are fine. */
  failTaskTokens(tokens: readonly Uint8Array[]): Promise<void>;
  /** Ends all attempts that a dead worker of this node had been given; answers how many. For the node's new worker, before its first task. */
  failLostAttempts(node: NodeName): Promise<number>;
  /** Retention and search attributes; repeatable. */
  ensureNamespace(): Promise<void>;
  /** Starts the admission entity unless it runs; `limits`: those of kedge.yaml, which it is told if it has others. */
  ensureAdmission(limits?: LimitSettings): Promise<void>;
  /** Hands a request for a slot to admission; the grant comes to the holder as a signal. `limits`: for an entity that has to be started. */
  requestSlot(request: SlotRequest, limits?: LimitSettings): Promise<void>;
  releaseSlot(release: SlotRelease): Promise<void>;
  /** The slots that are held, and whether their holders run. @throws `server-unreachable` when no control worker answers */
  readSlots(): Promise<readonly AuditedSlot[]>;
  /** The migrations that have a slot or wait for one, of those that run. @throws `server-unreachable` when no control worker answers */
  readMoves(): Promise<readonly Pick<SlotRequest, 'holder' | 'nodes'>[]>;
  /** The schedules of this namespace that start workflows of Kedge. */
  readSchedules(): Promise<readonly AuditedSchedule[]>;
  /** One repair of what an audit has found, after a new look. `refused` and `gone` are answers, not errors. */
  repair(request: RepairRequest): Promise<RepairResult>;
  readonly windows: WindowVerbs;
  readonly admission: AdmissionVerbs;
  readonly events: EventVerbs;
  readonly hooks: HookVerbs;
  readonly balance: BalanceVerbs;
  /** Tells a window's schedule the next occurrences, unless the window was changed since `revision`. */
  scheduleWindow(change: { name: string; revision: string; occurrences: readonly Occurrence[] }): Promise<void>;
  close(): Promise<void>;
}

/** The verbs over one connected client of Temporal. */
export function createKedgeClient({ client, nodes, close }: ClientContext & { readonly close: () => Promise<void> }): KedgeClient {
  const context: ClientContext = { client, nodes };
  const find = (id: string | MigrationRef): Promise<MigrationRef> => (typeof id === 'string' ? findMigration(context, id) : Promise.resolve(id));
  return {
    nodes,
    checkMigration: (input) => checkMigration(context, input),
    startMigration: (input) => startMigration(context, input),
    watchMigration: async function* watch(id, options) {
      yield* watchMigration(context, { ref: await find(id), ...options });
    },
    showMigration: async (id) => readMigration(context, { ref: await find(id) }),
    listMigrations: (filter) => listMigrations(context, filter ?? {}),
    cancelMigration: async (id) => cancelMigration(context, await find(id)),
    releaseMigration: async (id) => releaseMigration(context, await find(id)),
    decideMigration: async (id, decision, statedBy) =>
      decideMigration(context, { ref: await find(id), decision, ...(statedBy === undefined ? {} : { statedBy }) }),
    listNodes: () => Promise.all(nodes.map((node) => readNodeStatus(context, node))),
    takeSnapshot: (placement) => takeSnapshot(context, placement),
    nodeStatus: (node) => readNodeStatus(context, node),
    findNodeStatus: (node) => findNodeStatus(context, node),
    registerNode: (registration) => registerNode(context, registration),
    voidGuest: (decision) => voidGuest(context, decision),
    dropVoided: (heard) => dropVoided(context, heard),
    changeAway: (change) => changeAway(context, change),
    startEvacuation: (plan, input) => startEvacuation(context, plan, input),
    readEvacuation: (node, ref) => readEvacuation(context, node, ref),
    cancelEvacuation: (node) => cancelEvacuation(context, node),
    cordonNode: (node, cordoned) => cordonNode(context, { node, cordoned }),
    startRecovery: (input) => startRecovery(context, input),
    confirmDead: (statement) => confirmDead(context, statement),
    testFencing: (question) => testFencing(context, question),
    readRecovery: (node) => readRecovery(context, node),
    readRecoveries: () => readRecoveries(context),
    manageGuest: (request) => manageGuest(context, request),
    auditNode: (node) => auditNode(context, node),
    isRunning: (workflowId, runId) => isRunning(context, workflowId, runId),
    failTaskTokens: (tokens) => failTaskTokens(context, tokens),
    failLostAttempts: (node) => failLostAttempts(context, node),
    ensureNamespace: () => ensureNamespace(context),
    ensureAdmission: (limits) => ensureAdmission(context, limits),
    requestSlot: (request, limits) => requestSlot(context, { request, ...(limits === undefined ? {} : { limits }) }),
    releaseSlot: (release) => releaseSlot(context, release),
    readSlots: () => readSlots(context),
    readMoves: () => readMoves(context),
    readSchedules: () => readSchedules(context),
    repair: (request) => repair(context, request),
    windows: windowVerbs(context),
    admission: admissionVerbs(context),
    events: eventVerbs(context),
    hooks: hookVerbs(context),
    balance: balanceVerbs(context),
    scheduleWindow: (change) => scheduleWindow(context, change),
    close,
  };
}
