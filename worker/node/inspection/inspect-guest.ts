import type { SourceInspection } from '../../../activities/interface.js';
import { checkGuestNeeds } from '../../../src/domain/check-guest-needs.js';
import { checkConfigRead } from '../../../src/domain/check-guest-state.js';
import type { GuestStorage } from '../../../src/domain/check-storages.js';
import { checkVolumes } from '../../../src/domain/check-volumes.js';
import { chooseMigrationKind } from '../../../src/domain/choose-migration-kind.js';
import type { GuestNeeds } from '../../../src/domain/guest-needs.js';
import { laterGeneration, type Vmid } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { MigrationOptions } from '../../../src/domain/migration.js';
import type { NodeInventory } from '../../../src/domain/node-facts.js';
import type { OwnershipRecord } from '../../../src/domain/ownership.js';
import { readMachineType } from '../../../src/drivers/qemu/read-machine-type.js';
import { readQemuVersion } from '../../../src/drivers/qemu/read-qemu-version.js';
import { readTouchedBytes } from '../../../src/drivers/qemu/touched-bytes.js';
import { guestNeeds } from '../../../src/schema/guest-needs.js';
import { parseContainerConfig, rootOf } from '../../../src/schema/container-config.js';
import type { ConfigText } from '../../../src/schema/guest-config-text.js';
import { parseGuestConfig } from '../../../src/schema/guest-config.js';
import type { GuestLook } from '../guests/look-at-guest.js';
import type { NodeContext } from '../node-context.js';
import { readCopyLimits } from './read-copy-limits.js';
import { lookAtVolumes, type SeenVolume } from './look-at-volumes.js';

export interface InspectGuestRequest {
  readonly look: GuestLook;
  readonly inventory: NodeInventory;
  readonly options: MigrationOptions;
}

/** The guest as its source knows it, how it would move, and what of its own keeps it. No guest: other findings tell why. */
export async function inspectGuest(
  node: NodeContext,
  { look, inventory, options }: InspectGuestRequest,
): Promise<Pick<SourceInspection, 'findings' | 'guest'>> {
  if (look.view.record.kind !== 'record') return { findings: [], guest: null };
  const { record } = look.view.record;
  const read = await readConfig(node, record);
  if ('reason' in read) return { findings: checkConfigRead({ vmid: record.vmid, node: node.node, reason: read.reason }), guest: null };
  const { source, text, name, memoryMiB, needs } = read;
  const { vmid, kind, wanted } = record;
  const choice = chooseMigrationKind({ vmid, guestKind: kind, wanted, isOn: look.process !== null, options });
  const movement = 'kind' in choice ? choice.kind : null;
  const copied = movement === 'restart' || movement === 'offline';
  const volumes = await lookAtVolumes(node, { vmid, kind: kind === 'lxc' ? 'ct' : 'vm', text, copied });
  const moving = volumes.flatMap((volume) => volume.moving ?? []);
  const limits = await readCopyLimits(node, { vmid, movement, volumes: moving, options });
  const running = await askQemu(node, look, vmid);
  return {
    findings: [
      ...('refusal' in choice ? [choice.refusal] : []),
      ...checkGuestNeeds(needs, { kind: movement, runningMachine: running.machine }),
      ...checkVolumes(
        volumes.map((volume) => volume.look),
        { vmid, movement },
      ),
    ],
    guest: {
      name: name ?? `${kind === 'lxc' ? 'ct' : 'vm'}${vmid}`,
      // A dead claim has issued the next generation already: it is settled to the one after, from which we go on.
      generation: record.state === 'owned' && record.migrationId !== undefined ? laterGeneration(record.generation, 2) : record.generation,
      wanted,
      config: source,
      qemuVersion: running.version ?? inventory.versions.qemu,
      runningMachine: running.machine,
      memoryBytes: memoryMiB * 2 ** 20,
      touchedBytes: look.process === null || kind === 'lxc' ? null : await readTouchedBytes(look.process.pid),
      bridges: needs.nets.flatMap(({ bridge }) => (bridge === null ? [] : [bridge])),
      storages: storagesOf(volumes, inventory),
      needs,
      kind,
      movement,
      volumes: moving,
      limits,
    },
  };
}

type ReadConfig =
  | { readonly source: string; readonly text: ConfigText; readonly name: string | null; readonly memoryMiB: number; readonly needs: GuestNeeds }
  | { readonly reason: string };

async function readConfig(node: NodeContext, { vmid, kind }: OwnershipRecord): Promise<ReadConfig> {
  try {
    const source = await node.guestConfigs.read(vmid, kind);
    if (kind === 'lxc') {
      const config = parseContainerConfig(source);
      // Without one, no node could start it again.
      rootOf(config);
      return { source, text: config.text, name: config.hostname, memoryMiB: config.memoryMiB, needs: guestNeeds({ kind: 'ct', config }) };
    }
    const config = parseGuestConfig(source);
    return { source, text: config.text, name: config.name, memoryMiB: config.memoryMiB, needs: guestNeeds({ kind: 'vm', config }) };
  } catch (error) {
    if (!(error instanceof KedgeError)) throw error;
    return { reason: error.message };
  }
}

/** Null while the guest is off or its monitor is silent. */
async function askQemu(node: NodeContext, look: GuestLook, vmid: Vmid): Promise<{ version: string | null; machine: string | null }> {
  if (look.process === null || look.reading === null) return { version: null, machine: null };
  const qmp = await node.monitors.of(vmid).catch(() => null);
  if (qmp === null) return { version: null, machine: null };
  const [version, machine] = await Promise.all([readQemuVersion(qmp).catch(() => null), readMachineType(qmp).catch(() => null)]);
  return { version, machine };
}

/** The storages whose volumes stay where they are, or would have to. A medium of this node alone has a finding of its own. */
function storagesOf(volumes: readonly SeenVolume[], inventory: NodeInventory): readonly GuestStorage[] {
  const looks = volumes.map(({ look }) => look).filter(({ place, role }) => place === 'shared' || (place === 'local' && role !== 'cdrom'));
  return inventory.storages
    .filter(({ id }) => looks.some(({ storage }) => storage === id))
    .map(({ id, shared, identity, enabled }) => {
      const here = looks.filter(({ storage }) => storage === id).map(({ volume }) => volume);
      return { id, shared, identity, enabled, volumes: [...new Set(here)] };
    });
}
