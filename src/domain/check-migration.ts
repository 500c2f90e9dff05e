/** The checks that need both nodes' facts; the nodes' own findings are joined in. Pure: no order, no early end. */
import { compareVersions } from './compare-versions.js';
import { checkCopies } from './check-copies.js';
import type { CheckId, Finding } from './checks.js';
import { formatBytes } from './format-bytes.js';
import type { NodeName, Vmid } from './ids.js';
import type { MigrationKind } from './migration.js';
import type { MovingVolume } from './moving-volume.js';
import type { NodeInventory, NodeStatus } from './node-facts.js';

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
  readonly storages: readonly { readonly id: string; readonly shared: boolean; readonly identity: string | null }[];
}

/** What one node says of itself; `guest` is null when the source can't tell, then one of its findings says why. */
export interface NodeSide {
  readonly findings: readonly Finding[];
  readonly inventory: NodeInventory;
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
  readonly sourceSide: SourceSide | 'silent' | 'unasked';
  readonly targetSide: NodeSide | 'silent' | 'unasked';
}

/** All blockers and warnings at once, each id and text once. Empty: the migration may start. */
export function checkMigration(facts: MigrationFacts): readonly Finding[] {
  if (facts.source === facts.target) {
    return [blocker('same-node', `Target ${facts.target} is the source: guest ${facts.vmid} is there already`, 'Name another node as target')];
  }
  const findings = unique([...checkTarget(facts), ...checkSource(facts), ...checkPair(facts)]);
  return isLive(facts) ? findings : findings.filter(({ id }) => !LIVE_ONLY.includes(id));
}

/** What only a guest that runs on meanwhile needs. */
const LIVE_ONLY: readonly CheckId[] = ['certificate'];

function isLive({ sourceSide }: MigrationFacts): boolean {
  return typeof sourceSide === 'string' || (sourceSide.guest?.movement !== 'restart' && sourceSide.guest?.movement !== 'offline');
}

function checkTarget({ target, nodes, targetStatus, targetSide }: MigrationFacts): readonly Finding[] {
  if (!nodes.includes(target)) {
    return [blocker('target-unknown', `Node ${target} is not a node of this cluster: known are ${nodes.join(', ')}`, 'List the nodes with "kedge node list"')];
  }
  const findings: Finding[] = [];
  if (targetStatus?.cordoned === true) {
    findings.push(
      blocker(
        'target-cordoned',
        `Node ${target} is cordoned: it takes no new guests`,
        `End its maintenance with "kedge node uncordon ${target}", or choose another node`,
      ),
    );
  }
  if (targetSide === 'silent') {
    const since = targetStatus?.silentSince ?? null;
    findings.push(
      blocker(
        'target-silent',
        `Node ${target} gives no answer${since === null ? '' : ` since ${since}`}`,
        'Check that the node is up and that its node worker runs',
      ),
    );
    return findings;
  }
  return targetSide === 'unasked' ? findings : [...findings, ...targetSide.findings];
}

function checkSource({ vmid, source, sourceSide }: MigrationFacts): readonly Finding[] {
  if (sourceSide === 'silent') {
    return [blocker('source-silent', `Node ${source}, which has guest ${vmid}, gives no answer`, 'Check that the node is up and that its node worker runs')];
  }
  return sourceSide === 'unasked' ? [] : sourceSide.findings;
}

function checkPair(facts: MigrationFacts): readonly Finding[] {
  const { sourceSide, targetSide } = facts;
  if (typeof sourceSide === 'string' || typeof targetSide === 'string') return [];
  const { guest } = sourceSide;
  const target = targetSide.inventory;
  if (guest !== null && !isLive(facts)) {
    return [
      ...checkProtocol(sourceSide.inventory, target),
      ...(guest.movement === 'restart' ? checkMemory(guest, target) : []),
      ...checkBridges(guest, target),
      ...checkStorages({ storages: guest.storages.filter(({ shared }) => shared) }, target),
      ...checkCopies(guest.volumes, { target, targetStorage: facts.targetStorage }),
    ];
  }
  const versions = [...checkQemuVersion(sourceSide.inventory, target), ...checkProtocol(sourceSide.inventory, target)];
  if (guest === null) return versions;
  return [
    ...versions,
    ...checkProcessor(sourceSide, targetSide),
    ...checkMachine(guest, target),
    ...checkMemory(guest, target),
    ...checkBridges(guest, target),
    ...checkStorages(guest, target),
  ];
}

function checkQemuVersion(source: NodeInventory, target: NodeInventory): readonly Finding[] {
  if (compareVersions(target.versions.qemu, source.versions.qemu) >= 0) return [];
  return [
    blocker(
      'qemu-older',
      `QEMU ${target.versions.qemu} on ${target.node} is older than ${source.versions.qemu} on ${source.node}`,
      `Update QEMU on ${target.node}, or choose a node with the same or a newer version`,
    ),
  ];
}

function checkProtocol(source: NodeInventory, target: NodeInventory): readonly Finding[] {
  if (target.versions.protocol >= source.versions.protocol) return [];
  return [
    blocker(
      'kedge-protocol',
      `Kedge on ${target.node} speaks hand-over protocol ${target.versions.protocol}, ${source.node} speaks ${source.versions.protocol}`,
      `Update Kedge on ${target.node}`,
    ),
  ];
}

function checkProcessor(source: SourceSide, target: NodeSide): readonly Finding[] {
  const from = source.inventory.cpu;
  const to = target.inventory.cpu;
  if (from.accelerator !== to.accelerator) {
    return [
      blocker(
        'accelerator',
        `The guest runs with ${from.accelerator} on ${source.inventory.node}, ${target.inventory.node} has ${to.accelerator}`,
        'Choose a node with the same accelerator',
      ),
    ];
  }
  // An emulated processor, and every named model, is the same on both nodes; only "host" shows the guest the node's own flags.
  if (from.accelerator === 'tcg' || !/^cpu:\s*(?:[^,\n]*,)*(?:cputype=)?host(?:,|$)/m.test(source.guest?.config ?? '')) return [];
  const missing = from.flags.filter((flag) => !to.flags.includes(flag));
  if (missing.length === 0) return [];
  return [
    blocker(
      'cpu-flags',
      `The processor of ${target.inventory.node} lacks ${missing.join(', ')}, which the guest may use (cpu: host)`,
      'Choose a node with an equal or newer processor, or give the guest a named CPU model',
    ),
  ];
}

function checkMachine(guest: GuestFacts, target: NodeInventory): readonly Finding[] {
  if (guest.runningMachine === null || target.machineTypes.includes(guest.runningMachine)) return [];
  return [
    blocker(
      'machine-type',
      `QEMU on ${target.node} does not offer the machine type ${guest.runningMachine} that the guest runs with`,
      `Update QEMU on ${target.node}, or choose another node`,
    ),
  ];
}

function checkMemory(guest: GuestFacts, target: NodeInventory): readonly Finding[] {
  const free = target.memory.availableBytes;
  if (guest.memoryBytes <= free) return [];
  return [
    blocker(
      'memory-short',
      `Node ${target.node} has ${formatBytes(free)} of free memory, the guest needs ${formatBytes(guest.memoryBytes)}`,
      `Free memory on ${target.node}, or choose another node`,
    ),
  ];
}

function checkBridges(guest: GuestFacts, target: NodeInventory): readonly Finding[] {
  return guest.bridges
    .filter((bridge) => !target.bridges.includes(bridge))
    .map((bridge) =>
      blocker(
        'bridge-missing',
        `Node ${target.node} has no bridge ${bridge}, which the guest is connected to`,
        `Create the bridge ${bridge} on ${target.node}`,
      ),
    );
}

function checkStorages(guest: Pick<GuestFacts, 'storages'>, target: NodeInventory): readonly Finding[] {
  return guest.storages.flatMap(({ id, shared, identity }) => {
    const there = target.storages.find((storage) => storage.id === id);
    if (there === undefined || !there.enabled) {
      return [
        blocker(
          'storage-missing',
          `Node ${target.node} has no storage ${id}, which holds disks of the guest`,
          `Define and enable the storage ${id} on ${target.node}`,
        ),
      ];
    }
    if (!shared || !there.shared) {
      return [
        blocker(
          'storage-not-shared',
          `Storage ${id} is local: its disks can't follow a live migration`,
          'Allow a shutdown with --restart: the guest is shut down, moved with its disks and started again; or move the disks to a shared storage first',
        ),
      ];
    }
    if (identity === null || identity !== there.identity) {
      return [
        blocker(
          'storage-not-shared',
          `Storage ${id} is declared shared, but ${target.node} does not see the same files there`,
          `Check what is mounted at storage ${id} on both nodes`,
        ),
      ];
    }
    return [];
  });
}

function unique(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter((finding, at) => findings.findIndex((other) => other.id === finding.id && other.text === finding.text) === at);
}

function blocker(id: CheckId, text: string, remedy: string): Finding {
  return { id, severity: 'blocker', text, remedy };
}
