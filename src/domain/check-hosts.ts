/** Checks that compare the two machines: cluster, versions, processors, memory, work. */
import { checkProtocol } from './check-protocol.js';
import { finding, type Finding } from './checks.js';
import { compareVersions } from './compare-versions.js';
import { formatBytes } from './format-bytes.js';
import type { Vmid } from './ids.js';
import type { NodeInventory } from './node-facts.js';

export interface HostPair {
  readonly source: NodeInventory;
  readonly target: NodeInventory;
}

/** A load per core above which a guest would be noticeably slower. */
const HIGH_LOAD_PER_CORE = 2;

export function checkClusters({ source, target }: HostPair): readonly Finding[] {
  if (source.cluster === undefined || target.cluster === undefined) return [];
  const [here, there] = [source.cluster, target.cluster];
  if (here.name !== there.name) return [finding('other-cluster', `Node ${target.node} is of the cluster ${there.name}, ${source.node} of ${here.name}`)];
  if (here.authority === null || there.authority === null || here.authority === there.authority) return [];
  return [
    finding(
      'other-cluster',
      `Node ${target.node} has another certificate authority than ${source.node}: it is of another cluster that is named ${here.name}, too`,
      `Choose a node of the same cluster, or issue the certificates of ${target.node} anew with "kedge pki issue"`,
    ),
  ];
}

export function checkQemuVersion({ source, target }: HostPair): readonly Finding[] {
  if (compareVersions(target.versions.qemu, source.versions.qemu) >= 0) return [];
  return [
    finding(
      'qemu-older',
      `QEMU ${target.versions.qemu} on ${target.node} is older than ${source.versions.qemu} on ${source.node}`,
      `Update QEMU on ${target.node}, or choose a node with the same or a newer version`,
    ),
  ];
}

export function checkKedgeVersion({ source, target }: HostPair): readonly Finding[] {
  const [here, there] = [source.versions, target.versions];
  const mismatch = checkProtocol(
    { node: source.node, protocol: { version: here.protocol, oldest: here.protocolOldest } },
    { node: target.node, protocol: { version: there.protocol, oldest: there.protocolOldest } },
  );
  if (mismatch.length > 0) return mismatch;
  if (compareVersions(there.kedge, here.kedge) >= 0) return [];
  return [finding('kedge-older', `Kedge ${there.kedge} on ${target.node} is older than ${here.kedge} on ${source.node}`, `Update Kedge on ${target.node}`)];
}

/** For a guest that runs on; `config` in PVE's grammar. */
export function checkProcessor({ source, target }: HostPair, config: string): readonly Finding[] {
  const [from, to] = [source.cpu, target.cpu];
  if (from.accelerator !== to.accelerator) {
    return [finding('accelerator', `The guest runs with ${from.accelerator} on ${source.node}, ${target.node} has ${to.accelerator}`)];
  }
  // An emulated processor, and every named model, is the same on both nodes; only "host" shows the guest the node's own flags.
  if (from.accelerator === 'tcg' || !/^cpu:\s*(?:[^,\n]*,)*(?:cputype=)?host(?:,|$)/m.test(config)) return [];
  const missing = from.flags.filter((flag) => !to.flags.includes(flag));
  if (missing.length === 0) return [];
  return [
    finding(
      'cpu-flags',
      `The processor of ${target.node} lacks ${missing.join(', ')}, which the guest may use (cpu: host)`,
      'Choose a node with an equal or newer processor, or give the guest a named CPU model',
    ),
  ];
}

/** For a guest that runs on. */
export function checkMachine(runningMachine: string | null, target: NodeInventory): readonly Finding[] {
  if (runningMachine === null || target.machineTypes.includes(runningMachine)) return [];
  return [
    finding(
      'machine-type',
      `QEMU on ${target.node} does not offer the machine type ${runningMachine} that the guest runs with`,
      `Update QEMU on ${target.node}, or choose another node`,
    ),
  ];
}

/** What every QEMU for these guests has, each in its newest version: a guest that starts anew takes that. */
const MACHINE_ALIASES: readonly string[] = ['pc', 'q35'];

/** For a guest that starts anew on the target, at once or later. An older QEMU is no obstacle then, only a machine type that it lacks. */
export function checkPinnedMachine(machine: string | null, target: NodeInventory): readonly Finding[] {
  if (machine === null || MACHINE_ALIASES.includes(machine) || target.machineTypes.includes(machine)) return [];
  return [
    finding(
      'machine-type',
      `QEMU ${target.versions.qemu} on ${target.node} does not have the machine type ${machine} that the guest is pinned to`,
      `Update QEMU on ${target.node}, choose another node, or set "machine" of the guest to a type that ${target.node} has`,
    ),
  ];
}

/** For a guest that will run on the target. */
export function checkRoom({ memoryBytes, cores }: { memoryBytes: number; cores?: number | undefined }, target: NodeInventory): readonly Finding[] {
  const free = target.memory.availableBytes;
  return [
    ...(memoryBytes <= free
      ? []
      : [
          finding(
            'memory-short',
            `Node ${target.node} has ${formatBytes(free)} of free memory, the guest needs ${formatBytes(memoryBytes)}`,
            `Free memory on ${target.node}, or choose another node`,
          ),
        ]),
    ...(cores !== undefined && cores > target.cpu.cores
      ? [finding('cores-short', `The guest has ${cores} processors, node ${target.node} has ${target.cpu.cores}`)]
      : []),
    ...(target.load > target.cpu.cores * HIGH_LOAD_PER_CORE
      ? [
          finding(
            'target-loaded',
            `Node ${target.node} is busy: its load is ${target.load.toFixed(1)} on ${target.cpu.cores} ${target.cpu.cores === 1 ? 'core' : 'cores'}`,
          ),
        ]
      : []),
  ];
}

/** Other migrations at either end. */
export function checkWork({ source, target }: HostPair, vmid: Vmid): readonly Finding[] {
  return [source, target].flatMap(({ node, guests, slots }) => {
    const moving = guests.filter(
      (guest) => guest.vmid !== vmid && guest.migrationId !== null && ['owned', 'incoming', 'armed', 'releasing'].includes(guest.record),
    );
    if (moving.length === 0) return [];
    return [
      finding(
        'node-busy',
        `${moving.length === 1 ? 'A migration runs' : `${moving.length} migrations run`} on ${node} (guest ${moving.map((guest) => guest.vmid).join(', ')}), which has ${slots.bulk} slots`,
      ),
    ];
  });
}
