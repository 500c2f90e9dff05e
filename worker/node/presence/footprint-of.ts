import type { Vmid } from '../../../src/domain/ids.js';
import type { GuestFootprint } from '../../../src/domain/node-facts.js';
import type { GuestKind } from '../../../src/domain/ownership.js';
import { readCpuSeconds } from '../../../src/drivers/host/process-cpu.js';
import { payloadCpuSeconds } from '../../../src/drivers/lxc/container-cgroups.js';
import type { QemuProcess } from '../../../src/drivers/qemu/qemu-process.js';
import { spaceForCopy } from '../../../src/drivers/storage/space-estimate.js';
import { containerOf } from '../guests/container-of.js';
import type { NodeContext } from '../node-context.js';
import { storageOf } from '../offline/storage-of.js';
import type { ConfigFacts } from './config-facts.js';
import type { CpuReading } from './cpu-loads.js';

/** A guest whose process, if it is a VM that runs, is `process`. */
export interface FootprintOf {
  readonly vmid: Vmid;
  readonly kind: GuestKind;
  readonly running: boolean;
  readonly process: QemuProcess | null;
  readonly config: ConfigFacts;
}

/** What the planner needs of a guest. Costs at most three small reads: everything else is kept between two looks. */
export function footprintOf(node: NodeContext, guest: FootprintOf): GuestFootprint {
  const { vmid, process, config } = guest;
  const { onboot, lock, media, bridges, hostCpu, localDevices } = config;
  const load = node.cpuLoads.of(vmid, readCpu(node, guest));
  return {
    onboot,
    lock,
    disks: config.volumes.map(({ id, storage }) => ({ storage, bytes: node.volumeSizes.of(id, () => sizeOfCopy(node, id)) })),
    media,
    bridges,
    hostCpu,
    machineType: (process === null ? null : runningMachine(process)) ?? config.pinnedMachine,
    localDevices,
    cpuLoad: load === null ? null : Math.round(load * 1_000) / 1_000,
  };
}

/** As the checks of a migration reckon it, on a storage of the same name and so of the same kind. */
async function sizeOfCopy(node: NodeContext, volumeId: string): Promise<number> {
  const storage = await storageOf(node, volumeId);
  const { format } = storage.path(volumeId);
  return spaceForCopy({ ...(await storage.size(volumeId)), format }, storage.capabilities);
}

function readCpu(node: NodeContext, { vmid, kind, running, process }: FootprintOf): CpuReading | null {
  if (process !== null) {
    const seconds = readCpuSeconds(process.pid);
    return seconds === null ? null : { life: `${process.pid}:${process.startTime}`, seconds };
  }
  if (kind !== 'lxc' || !running) return null;
  const seconds = payloadCpuSeconds(containerOf(node, vmid));
  return seconds === null ? null : { life: 'container', seconds };
}

/** Kedge starts every QEMU with a versioned type, so that its command line tells it without a question to its monitor. */
function runningMachine({ command }: QemuProcess): string | null {
  const at = command.indexOf('-machine');
  return at === -1 ? null : (command[at + 1]?.split(',')[0] ?? null);
}
