import { readFile } from 'node:fs/promises';
import { guestRunFolder, storageConfigFile } from '../../../src/config/paths.js';
import type { Vmid } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { createTap } from '../../../src/drivers/host/tap.js';
import { detectAccelerator } from '../../../src/drivers/qemu/accelerator.js';
import type { ResolvedVolume } from '../../../src/drivers/qemu/disk-arguments.js';
import { qemuArguments, tapName } from '../../../src/drivers/qemu/qemu-arguments.js';
import { readQemuFacts } from '../../../src/drivers/qemu/qemu-facts.js';
import { resolveMachineType } from '../../../src/drivers/qemu/resolve-machine-type.js';
import { startQemu } from '../../../src/drivers/qemu/start-qemu.js';
import { openStorage } from '../../../src/drivers/storage/open-storage.js';
import { parseVolumeId } from '../../../src/drivers/storage/volume-id.js';
import type { QmpConnection } from '../../../src/drivers/qmp/qmp-connection.js';
import type { GuestConfig } from '../../../src/schema/guest-config.js';
import { parseStorageConfig, type StorageConfig } from '../../../src/schema/storage-config.js';
import type { NodeContext } from '../node-context.js';

export const QEMU_PROGRAM = 'qemu-system-x86_64';

/** The storages that storage.cfg of this node defines. @throws KedgeError `bad-config` */
export async function readStorageConfig(node: NodeContext): Promise<StorageConfig> {
  const file = storageConfigFile(node.paths);
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new KedgeError('bad-config', `Cannot read configuration file "${file}": ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  });
  return parseStorageConfig(text);
}

/**
 * Starts the QEMU of a guest with its network devices; its vCPUs stand still until somebody with a record sends `cont`.
 * The caller holds the guest's lock, and names the crash point.
 * @throws KedgeError `unsupported`, `not-found`, `guest-state`, `qemu-start-failed`
 */
export async function launchGuest(node: NodeContext, vmid: Vmid, guest: { config: GuestConfig; incoming: boolean }): Promise<QmpConnection> {
  const { config, incoming } = guest;
  const facts = await readQemuFacts(QEMU_PROGRAM);
  const folder = guestRunFolder(node.paths, vmid);
  const args = qemuArguments({
    vmid,
    config,
    folder,
    volumes: await resolveVolumes(node, config),
    machineType: resolveMachineType(config, facts),
    accelerator: await detectAccelerator(facts.binary),
    incoming,
  });
  await crashPoint('node.create-taps', async () => {
    for (const net of config.nets) await createTap({ name: tapName(vmid, net.index), bridge: net.bridge });
  });
  const opening = startQemu({ vmid, folder, binary: facts.binary, args }).then(({ qmp }) => qmp);
  node.monitors.adopt(vmid, opening);
  return opening;
}

async function resolveVolumes(node: NodeContext, config: GuestConfig): Promise<ReadonlyMap<string, ResolvedVolume>> {
  const storages = await readStorageConfig(node);
  return new Map(
    config.drives.map((drive) => {
      const { storage } = parseVolumeId(drive.volume);
      return [drive.key, openStorage(storages, { id: storage, node: node.node }).imagePath(drive.volume)] as const;
    }),
  );
}
