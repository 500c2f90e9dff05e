import type {
  ClaimResult,
  CopiedVolumes,
  CopyResult,
  DoubtExamination,
  GuestCommand,
  GuestCommandResult,
  HeldGuestEnd,
  NodeAudit,
  NodeActivities,
  PreparedCopy,
  PreparedTarget,
  SettledMigration,
  ShutDownResult,
  SourceInspection,
  TargetInspection,
} from '../interface.js';
import type { CopyProgress } from '../../src/domain/migration.js';
import type { LostGuests, TakeOverResult } from '../../src/domain/lost-guest.js';
import type { NodeInventory } from '../../src/domain/node-facts.js';
import type { RepairResult } from '../../src/domain/repair.js';
import type { NodeProbe } from '../../src/domain/suspect-node.js';
import type { Revoked } from '../../src/domain/ownership.js';

type InputOf<Name extends keyof NodeActivities> = Parameters<NodeActivities[Name]>[0];

/** Which attempt of a step acts; orders it among all others of the same guest. */
export interface AttemptInfo {
  readonly attempt: number;
}

/** How a long call reports and is told to stop: the signal's reason is a KedgeError `cancelled` or `worker-stopping`. */
export interface LongCall extends AttemptInfo {
  readonly signal: AbortSignal;
  readonly report: (progress: CopyProgress) => void;
}

/** What the activities need of a node: implemented by worker/node, faked by nobody (the saga harness fakes the activities). */
export interface NodeService {
  /** Nodes in the cluster. */
  readonly clusterSize: number;
  /** The cluster begins to hear this node, for the first time or after it has not. */
  presenceBegins(): void;
  /** Facts about this node, fresh. */
  inventory(): Promise<NodeInventory>;
  inspectSource(input: InputOf<'inspectSource'>): Promise<SourceInspection>;
  inspectTarget(input: InputOf<'inspectTarget'>): Promise<TargetInspection>;
  claimGuest(input: InputOf<'claimGuest'>, call: AttemptInfo): Promise<ClaimResult>;
  unclaimGuest(input: InputOf<'unclaimGuest'>, call: AttemptInfo): Promise<void>;
  prepareTarget(input: InputOf<'prepareTarget'>, call: AttemptInfo): Promise<PreparedTarget>;
  prepareCopy(input: InputOf<'prepareCopy'>, call: AttemptInfo): Promise<PreparedCopy>;
  copyVolumes(input: InputOf<'copyVolumes'>, call: LongCall): Promise<CopiedVolumes>;
  shutDownGuest(input: InputOf<'shutDownGuest'>, call: LongCall): Promise<ShutDownResult>;
  verifyCopy(input: InputOf<'verifyCopy'>, call: LongCall): Promise<{ verified: number }>;
  handOverCopy(input: InputOf<'handOverCopy'>, call: AttemptInfo): Promise<void>;
  startMoved(input: InputOf<'startMoved'>, call: AttemptInfo): Promise<{ startedAt: string | null }>;
  revokeTarget(input: InputOf<'revokeTarget'>, call: AttemptInfo): Promise<{ ran: Revoked }>;
  cancelStream(input: InputOf<'cancelStream'>, call: AttemptInfo): Promise<void>;
  watchHeldGuest(input: InputOf<'watchHeldGuest'>, call: LongCall): Promise<HeldGuestEnd>;
  releaseHold(input: InputOf<'releaseHold'>, call: AttemptInfo): Promise<void>;
  settleMigration(input: InputOf<'settleMigration'>, call: AttemptInfo): Promise<SettledMigration>;
  examineDoubt(input: InputOf<'examineDoubt'>): Promise<DoubtExamination>;
  takeOverCopy(input: InputOf<'takeOverCopy'>, call: AttemptInfo): Promise<{ startedAt: string | null }>;
  confirmTarget(input: InputOf<'confirmTarget'>, call: AttemptInfo): Promise<{ announced: boolean }>;
  releaseSource(input: InputOf<'releaseSource'>, call: AttemptInfo): Promise<void>;
  manageGuest(input: GuestCommand): Promise<GuestCommandResult>;
  probeNode(input: InputOf<'probeNode'>): Promise<NodeProbe>;
  listLostGuests(input: InputOf<'listLostGuests'>): Promise<LostGuests>;
  takeOverLost(input: InputOf<'takeOverLost'>): Promise<TakeOverResult>;
  auditNode(): Promise<NodeAudit>;
  repairNode(input: InputOf<'repairNode'>): Promise<RepairResult>;
  copyAndSwitchOver(input: InputOf<'copyAndSwitchOver'>, call: LongCall): Promise<CopyResult>;
}
