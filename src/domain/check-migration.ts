/** The checks that need both nodes' facts; the nodes' own findings are joined in. Pure: no order, no early end. */
import { checkCopies } from './check-copies.js';
import {
  checkClusters,
  checkKedgeVersion,
  checkMachine,
  checkPinnedMachine,
  checkProcessor,
  checkQemuVersion,
  checkRoom,
  checkWork,
  type HostPair,
} from './check-hosts.js';
import { checkNetworks } from './check-network.js';
import { checkRsync, type RsyncLook } from './check-rsync.js';
import { checkStorageMapOfLive, checkStorages, type GuestStorage } from './check-storages.js';
import { finding, withinScope, type Finding } from './checks.js';
import type { GuestNeeds } from './guest-needs.js';
import type { NodeName, Vmid } from './ids.js';
import type { MigrationKind } from './migration.js';
import type { MovingVolume } from './moving-volume.js';
import type { NodeInventory, NodeStatus } from './node-facts.js';
import { checkBlackouts, type OpenBlackout } from './window/blackout.js';

/** What the checks need of the guest that is to move. */
export interface GuestFacts {
  /** How it moves; null when it can't in the way that was asked for. */
  readonly movement?: MigrationKind | null;
  /** What is copied when it moves switched off. */
  readonly volumes: readonly MovingVolume[];
  readonly config: string;
  readonly runningMachine: string | null;
  readonly memoryBytes: number;
  readonly bridges: readonly string[];
  readonly storages: readonly GuestStorage[];
  /** Absent from an older Kedge. */
  readonly needs?: GuestNeeds;
}

/** What one node says of itself; `guest` is null when the source can't tell, then one of its findings says why. */
export interface NodeSide {
  readonly findings: readonly Finding[];
  readonly inventory: NodeInventory;
  /** Absent from an older Kedge. */
  readonly rsync?: RsyncLook;
}
export interface TargetSide extends NodeSide {
  /** Volumes of this guest's number on the target's own storages; absent from an older Kedge. */
  readonly volumes?: readonly string[];
}
export interface SourceSide extends NodeSide {
  readonly guest: GuestFacts | null;
}

/** What is known when a migration is judged; `silent` where the node did not take up the question, `unasked` where it was not put. */
export interface MigrationFacts {
  readonly vmid: Vmid;
  readonly source: NodeName;
  readonly target: NodeName;
  /** Storage map in PVE's grammar. */
  readonly targetStorage: string;
  /** Names of all nodes of the cluster. */
  readonly nodes: readonly NodeName[];
  /** State of the target's entity; null when the target has never registered. */
  readonly targetStatus: NodeStatus | null;
  /** Blackouts that are on; absent from an older control worker. */
  readonly blackouts?: readonly OpenBlackout[] | undefined;
  /** It is not held back by a blackout. */
  readonly pressing?: boolean;
  readonly sourceSide: SourceSide | 'silent' | 'unasked';
  readonly targetSide: TargetSide | 'silent' | 'unasked';
}

interface TargetState {
  readonly targetStatus: Pick<NodeStatus, 'cordoned'> | null;
}

/** All blockers and warnings at once, each id and text once. Empty: the migration may start. */
export function checkMigration(facts: MigrationFacts): readonly Finding[] {
  if (facts.source === facts.target) {
    return [finding('same-node', `Target ${facts.target} is the source: guest ${facts.vmid} is there already`)];
  }
  const { vmid, source, target, blackouts = [], pressing = false } = facts;
  const quiet = checkBlackouts(blackouts, { vmid, nodes: [source, target], pressing });
  return withinScope(unique([...quiet, ...checkTarget(facts), ...checkSource(facts), ...checkPair(facts)]), !isLive(facts));
}

/** Those of the checks whose answer may have changed while the migration waited for its turn. */
export function checkTurn(facts: Pick<MigrationFacts, 'vmid' | 'source' | 'target' | 'blackouts' | 'pressing'> & TargetState): readonly Finding[] {
  const { vmid, source, target, blackouts = [], pressing = false } = facts;
  return [...checkBlackouts(blackouts, { vmid, nodes: [source, target], pressing }), ...checkCordon(facts)];
}

function checkCordon({ target, targetStatus }: Pick<MigrationFacts, 'target'> & TargetState): readonly Finding[] {
  if (targetStatus?.cordoned !== true) return [];
  return [
    finding(
      'target-cordoned',
      `Node ${target} is cordoned: it takes no new guests`,
      `End its maintenance with "kedge node uncordon ${target}", or choose another node`,
    ),
  ];
}

function isLive({ sourceSide }: MigrationFacts): boolean {
  return typeof sourceSide === 'string' || (sourceSide.guest?.movement !== 'restart' && sourceSide.guest?.movement !== 'offline');
}

function checkTarget(facts: MigrationFacts): readonly Finding[] {
  const { target, nodes, targetStatus, targetSide } = facts;
  if (!nodes.includes(target)) {
    return [finding('target-unknown', `Node ${target} is not a node of this cluster: known are ${nodes.join(', ')}`)];
  }
  const findings = [...checkCordon(facts)];
  if (targetSide === 'silent') {
    const since = targetStatus?.silentSince ?? null;
    findings.push(finding('target-silent', `Node ${target} gives no answer${since === null ? '' : ` since ${since}`}`));
    return findings;
  }
  return targetSide === 'unasked' ? findings : [...findings, ...targetSide.findings];
}

function checkSource({ vmid, source, sourceSide }: MigrationFacts): readonly Finding[] {
  if (sourceSide === 'silent') {
    return [finding('source-silent', `Node ${source}, which has guest ${vmid}, gives no answer`)];
  }
  return sourceSide === 'unasked' ? [] : sourceSide.findings;
}

function checkPair(facts: MigrationFacts): readonly Finding[] {
  const { sourceSide, targetSide, targetStorage, vmid } = facts;
  if (typeof sourceSide === 'string' || typeof targetSide === 'string') return [];
  const { guest } = sourceSide;
  const hosts: HostPair = { source: sourceSide.inventory, target: targetSide.inventory };
  const { target } = hosts;
  const always = [...checkClusters(hosts), ...checkKedgeVersion(hosts), ...checkWork(hosts, vmid)];
  if (guest === null) return [...always, ...checkQemuVersion(hosts)];
  const networks = checkNetworks({ bridges: guest.bridges, ...(guest.needs === undefined ? {} : { nets: guest.needs.nets }) }, hosts);
  const room = checkRoom({ memoryBytes: guest.memoryBytes, cores: guest.needs?.cores }, target);
  if (!isLive(facts)) {
    return [
      ...always,
      ...checkPinnedMachine(guest.needs?.machine ?? null, target),
      ...(guest.movement === 'restart' ? room : []),
      ...networks,
      ...checkStorages(
        guest.storages.filter(({ shared }) => shared),
        target,
      ),
      // A guest whose disks are all on shared storages needs none.
      ...(guest.volumes.length === 0 ? [] : [...checkRsync(hosts.source.node, sourceSide.rsync), ...checkRsync(target.node, targetSide.rsync)]),
      ...checkCopies(guest.volumes, { target, targetStorage, ...(targetSide.volumes === undefined ? {} : { taken: targetSide.volumes }) }),
    ];
  }
  return [
    ...always,
    ...checkQemuVersion(hosts),
    ...checkProcessor(hosts, guest.config),
    ...checkMachine(guest.runningMachine, target),
    ...room,
    ...networks,
    ...checkStorages(guest.storages, target),
    ...checkStorageMapOfLive(guest.storages, targetStorage),
  ];
}

function unique(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter((one, at) => findings.findIndex((other) => other.id === one.id && other.text === one.text) === at);
}
