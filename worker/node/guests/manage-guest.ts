import type { GuestCommand, GuestCommandResult } from '../../../activities/interface.js';
import { assertNever } from '../../../src/domain/assert-never.js';
import type { Vmid } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { GuestKind, OwnershipRecord, Wanted } from '../../../src/domain/ownership.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { cont, stop } from '../../../src/drivers/qemu/migration-commands.js';
import { openStorage } from '../../../src/drivers/storage/open-storage.js';
import { parseVolumeId } from '../../../src/drivers/storage/volume-id.js';
import { parseGuestConfig, printGuestConfig, type GuestConfig } from '../../../src/schema/guest-config.js';
import { unsupportedSettings } from '../../../src/schema/guest-config-unsupported.js';
import type { NodeContext } from '../node-context.js';
import { forgetNote, markNewGuest } from '../notes/keep-note.js';
import { endCopy } from '../offline/end-copy.js';
import { settleDeadCopy } from '../offline/settle-dead-copy.js';
import { summarizeGuest } from '../presence/read-inventory.js';
import { createContainerVolumes } from './container-volumes.js';
import { quitGuestCopy } from './end-guest.js';
import { readStorageConfig } from './launch-guest.js';
import { findGuestProcess, lookAtGuest } from './look-at-guest.js';
import { checkContainerConfig, destroyContainer, refuseContainer, shutDownContainer } from './manage-container.js';
import { newGuestGeneration } from './new-guest-generation.js';
import { startGuestFromDisk } from './start-guest.js';

const SHUTDOWN_TIMEOUT_MS = 60_000;

/**
 * The guest verbs of the CLI, on the node that owns the guest. All are refused while a migration claims it.
 * @throws KedgeError `not-owner`, `guest-locked`, `already-exists`, `guest-state`, `unsupported`, `bad-config`, …
 */
export async function manageGuest(node: NodeContext, command: GuestCommand): Promise<GuestCommandResult> {
  const { vmid } = command;
  // Whoever asks for a guest to be started has made sure that none of its migrations runs.
  if (command.verb === 'start') await settleDead(node, vmid);
  if (command.verb === 'create') await createGuest(node, vmid, { kind: command.kind ?? 'qemu', text: command.config ?? '' });
  else if (command.verb !== 'show') await node.locks.withLock(vmid, () => actOn(node, command));
  return { guest: await summarizeGuest(node, vmid), config: await node.guestConfigs.read(vmid).catch(() => null) };
}

async function settleDead(node: NodeContext, vmid: Vmid): Promise<void> {
  const view = await node.records.read(vmid);
  if (view.kind === 'record') await settleDeadCopy(node, view.record);
}

async function actOn(node: NodeContext, command: GuestCommand): Promise<void> {
  const { vmid, verb } = command;
  const record = await ownRecord(node, vmid);
  // What an operator asks for now is newer than what a migration asked for.
  await node.shutdowns.end(vmid);
  await node.dueStarts.end(vmid);
  switch (verb) {
    case 'start':
      await want(node, record, 'running');
      return startGuestFromDisk(node, vmid);
    case 'stop':
      await want(node, record, 'stopped');
      return quitGuestCopy(node, vmid);
    case 'shutdown':
      await want(node, record, 'stopped');
      return record.kind === 'lxc' ? shutDownContainer(node, vmid, command.timeoutMs ?? SHUTDOWN_TIMEOUT_MS) : shutDown(node, command);
    case 'pause':
      refuseContainer(record, 'pause');
      await want(node, record, 'paused');
      return crashPoint('node.pause', async () => stop(await runningMonitor(node, vmid)));
    case 'resume':
      refuseContainer(record, 'resume');
      await want(node, record, 'running');
      await crashPoint('node.resume', async () => cont(await runningMonitor(node, vmid), 'source'));
      return;
    case 'destroy':
      return destroyGuest(node, record);
    case 'create':
    case 'show':
      return;
    default:
      assertNever(verb);
  }
}

/** Writes the config, the volumes it names and the first record; a volume that exists is kept. Safe to repeat. */
async function createGuest(node: NodeContext, vmid: Vmid, guest: { readonly kind: GuestKind; readonly text: string }): Promise<void> {
  const { kind } = guest;
  const text = kind === 'lxc' ? checkContainerConfig(vmid, guest.text) : checkVmConfig(vmid, guest.text);
  await node.locks.withLock(vmid, async () => {
    const present = await node.records.read(vmid);
    if (present.kind === 'unreadable') throw new KedgeError('record-unreadable', `Cannot create guest ${vmid}: ${present.reason}`);
    const left = present.kind === 'record' ? present.record : null;
    if (left !== null && left.state !== 'released' && left.state !== 'revoked') {
      throw new KedgeError('already-exists', `Cannot create guest ${vmid}: ${node.node} has it already`);
    }
    const generation = await newGuestGeneration(node, vmid, left?.generation ?? 0);
    // Before its volumes: a copy that a migration has left here under a final name would be taken for one of them.
    await endCopy(node, vmid);
    if (kind === 'lxc') await createContainerVolumes(node, vmid, text);
    else await createVolumes(node, vmid, parseGuestConfig(text));
    await crashPoint('node.created-config', () => node.guestConfigs.write(vmid, kind, text));
    await markNewGuest(node, { vmid, generation });
    await crashPoint('node.created-record', () => node.records.write({ vmid, kind, generation, wanted: 'stopped', bootId: node.bootId, state: 'owned' }));
  });
}

/** Answers the config as Kedge writes it. @throws KedgeError `bad-config`, `unsupported` */
function checkVmConfig(vmid: Vmid, text: string): string {
  const config = parseGuestConfig(text);
  const unsupported = unsupportedSettings(config);
  if (unsupported.length > 0)
    throw new KedgeError('unsupported', `Cannot create guest ${vmid}: its config has settings that Kedge does not support: ${unsupported.join(', ')}`);
  return printGuestConfig(config);
}

async function createVolumes(node: NodeContext, vmid: Vmid, config: GuestConfig): Promise<void> {
  const storages = await readStorageConfig(node);
  for (const drive of config.drives) {
    const volume = parseVolumeId(drive.volume);
    const driver = openStorage(storages, { id: volume.storage, node: node.node });
    const isThere = async (): Promise<boolean> => (await driver.list(vmid)).some(({ volumeId }) => volumeId === drive.volume);
    if (await isThere()) continue;
    const index = /-disk-(\d+)\./.exec(volume.name)?.[1];
    if (drive.sizeBytes === null || index === undefined) {
      throw new KedgeError(
        'bad-config',
        `Cannot create ${drive.key} of guest ${vmid}: "${drive.volume}" does not exist and needs size= and a name like vm-${vmid}-disk-0.raw`,
      );
    }
    const { sizeBytes } = drive;
    await crashPoint('node.create-volume', async () => {
      if (!(await isThere())) await driver.allocate({ vmid, format: volume.format, sizeBytes, index: Number(index) });
    });
  }
}

async function destroyGuest(node: NodeContext, record: OwnershipRecord & { state: 'owned' }): Promise<void> {
  const { vmid, kind } = record;
  if ((await lookAtGuest(node, vmid)).view.qemu !== 'gone') throw new KedgeError('guest-state', `Cannot destroy guest ${vmid}: it runs; stop it first`);
  // First: no other node may start a guest whose disks are being removed.
  await forgetNote(node, record);
  // Without a config an attempt before has removed it, and the volumes before that.
  if (node.guestConfigs.kindOf(vmid) !== null) {
    const text = await node.guestConfigs.read(vmid, kind);
    if (kind === 'lxc') await destroyContainer(node, vmid, text);
    else await removeVolumes(node, parseGuestConfig(text));
  }
  await node.guestConfigs.remove(vmid);
  await node.volumes.remove(vmid);
  await node.steps.forget(vmid);
  await node.records.remove(vmid);
}

async function removeVolumes(node: NodeContext, config: GuestConfig): Promise<void> {
  const storages = await readStorageConfig(node);
  for (const drive of config.drives) {
    await crashPoint('node.remove-volume', () => openStorage(storages, { id: parseVolumeId(drive.volume).storage, node: node.node }).remove(drive.volume));
  }
}

/** ACPI power button; QEMU ends by itself when the guest has shut down. Never a silent kill. */
async function shutDown(node: NodeContext, command: GuestCommand): Promise<void> {
  const { vmid } = command;
  if (findGuestProcess(node, vmid) === null) return;
  const qmp = await node.monitors.of(vmid);
  await crashPoint('node.power-button', () => qmp.execute('system_powerdown'));
  const timeoutMs = command.timeoutMs ?? SHUTDOWN_TIMEOUT_MS;
  const timer = new Promise<'late'>((resolve) => setTimeout(() => resolve('late'), timeoutMs).unref());
  if ((await Promise.race([qmp.closed, timer])) === 'late') {
    throw new KedgeError(
      'deadline-exceeded',
      `Cannot shut guest ${vmid} down: it still runs after ${Math.round(timeoutMs / 1_000)} s; use "kedge guest stop" to end it`,
    );
  }
  await quitGuestCopy(node, vmid);
}

async function runningMonitor(node: NodeContext, vmid: Vmid): ReturnType<NodeContext['monitors']['of']> {
  if (findGuestProcess(node, vmid) === null) throw new KedgeError('guest-state', `Cannot act on guest ${vmid}: it is off`);
  return node.monitors.of(vmid);
}

async function want(node: NodeContext, record: OwnershipRecord & { state: 'owned' }, wanted: Wanted): Promise<void> {
  if (record.wanted !== wanted) await crashPoint('node.wanted-record', () => node.records.write({ ...record, wanted }));
}

/** @throws KedgeError unless this node owns the guest in this boot and no migration claims it */
async function ownRecord(node: NodeContext, vmid: Vmid): Promise<OwnershipRecord & { state: 'owned' }> {
  const view = await node.records.read(vmid);
  if (view.kind === 'missing') throw new KedgeError('not-found', `Cannot act on guest ${vmid}: ${node.node} does not have it`);
  if (view.kind === 'unreadable') throw new KedgeError('record-unreadable', `Cannot act on guest ${vmid}: ${view.reason}`);
  const { record } = view;
  if (record.state !== 'owned')
    throw new KedgeError('not-owner', `Cannot act on guest ${vmid}: its record on ${node.node} is ${record.state}(${record.generation})`);
  if (record.migrationId !== undefined) throw new KedgeError('guest-locked', `Cannot act on guest ${vmid}: migration ${record.migrationId} has claimed it`);
  if (record.bootId !== node.bootId) throw new KedgeError('not-owner', `Cannot act on guest ${vmid}: this boot of ${node.node} has not been confirmed yet`);
  return record;
}
