import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { NodeAudit } from '../../../activities/interface.js';
import { guestRunFolder, lxcFolder, recordFolder } from '../../../src/config/paths.js';
import { parseVmid, type Vmid } from '../../../src/domain/ids.js';
import { isIdleLink, readLinks } from '../../../src/drivers/host/links.js';
import { listNftTables } from '../../../src/drivers/host/nft-tables.js';
import { listTaps } from '../../../src/drivers/host/tap.js';
import { listVeths } from '../../../src/drivers/host/veth.js';
import { containerProcesses } from '../../../src/drivers/lxc/container-processes.js';
import type { QemuProcess } from '../../../src/drivers/qemu/qemu-process.js';
import { runFiles } from '../../../src/drivers/qemu/run-files.js';
import { scanQemu } from '../../../src/drivers/qemu/scan-qemu.js';
import { openStorage } from '../../../src/drivers/storage/open-storage.js';
import { parseVolumeId } from '../../../src/drivers/storage/volume-id.js';
import { containerOf } from '../guests/container-of.js';
import { readStorageConfig } from '../guests/launch-guest.js';
import { lookAtGuest, type GuestLook } from '../guests/look-at-guest.js';
import type { NodeContext } from '../node-context.js';
import { summarizeGuest } from '../presence/read-inventory.js';
import { listJournals } from './list-journals.js';
import { listNotes } from './list-notes.js';
import { listVolumes } from './list-volumes.js';
import { listeningPortsOf } from './listening-ports.js';
import { configDigest } from './repair-things.js';

/** Collects everything of this node that could be left behind. Read-only; judged by src/domain/audit.ts. */
export async function auditNode(node: NodeContext): Promise<NodeAudit> {
  const qemus = scanQemu();
  const containers = await runningContainers(node);
  const vmids = new Set<Vmid>([...(await node.records.list()), ...(await node.guestConfigs.list())]);
  const views = await Promise.all([...vmids].map(async (vmid) => ({ vmid, look: await lookAtGuest(node, vmid) })));
  const summaries = await Promise.all([...vmids].map((vmid) => summarizeGuest(node, vmid)));
  const incoming = await listIncoming(node);
  return {
    node: node.node,
    bootId: node.bootId,
    views: views.map(({ look }) => look.view),
    guests: summaries.filter((guest) => guest !== null),
    processes: [...qemus.map((qemu) => processOf(node, qemu, views)), ...containers],
    sockets: await listRunFiles(node),
    files: [
      ...(await listStages(recordFolder(node.paths))),
      ...(await node.guestConfigs.listFiles()).map(({ name }) => name),
      ...incoming.map(({ path }) => path),
    ],
    configs: await listConfigs(node),
    incoming,
    ...(await listInterfaces()),
    nftTables: await listNftTables(),
    ports: await listeningPortsOf(qemus.map(({ pid }) => pid)),
    journalOpen: await listJournals(node),
    ...(await listVolumes(node)),
    ...(await listNotes(node)),
  };
}

/** Containers of this node's folder that have any process, whatever their records say. */
async function runningContainers(node: NodeContext): Promise<NodeAudit['processes']> {
  const names = await readdir(lxcFolder(node.paths)).catch(() => []);
  const vmids = names.flatMap((name) => (/^[1-9][0-9]{2,8}$/.test(name) ? [parseVmid(name)] : []));
  return vmids.flatMap((vmid) => {
    const [first] = containerProcesses(containerOf(node, vmid));
    return first === undefined ? [] : [{ ...first, vmid, command: `container ${String(vmid)}`, incoming: false, own: true }];
  });
}

function processOf(
  node: NodeContext,
  qemu: QemuProcess,
  views: readonly { readonly vmid: number; readonly look: GuestLook }[],
): NodeAudit['processes'][number] {
  const { pid, startTime, vmid, command, incoming } = qemu;
  const look = views.find((view) => view.vmid === vmid)?.look;
  const own = qemu.pidFile === runFiles(guestRunFolder(node.paths, vmid)).pidFile;
  return { pid, startTime, vmid, command: command.join(' ').slice(0, 500), incoming, own, waiting: own && look?.view.qemu === 'inmigrate' };
}

async function listConfigs(node: NodeContext): Promise<NonNullable<NodeAudit['configs']>> {
  const vmids = await node.guestConfigs.list();
  const texts = await Promise.all(vmids.map(async (vmid) => ({ vmid, text: await node.guestConfigs.read(vmid).catch(() => null) })));
  return texts.flatMap(({ vmid, text }) => (text === null ? [] : [{ vmid, digest: configDigest(text) }]));
}

async function listInterfaces(): Promise<Pick<NodeAudit, 'interfaces' | 'idleInterfaces'>> {
  const interfaces = [...(await listTaps()), ...(await listVeths())].map(({ name }) => name);
  const idle = (await readLinks()).filter(isIdleLink).map(({ ifname }) => ifname);
  return { interfaces, idleInterfaces: interfaces.filter((name) => idle.includes(name)) };
}

async function listRunFiles(node: NodeContext): Promise<readonly string[]> {
  const root = join(node.paths.run, 'qemu');
  const folders = await readdir(root).catch(() => []);
  const files = await Promise.all(folders.map(async (folder) => (await readdir(join(root, folder)).catch(() => [])).map((name) => `qemu/${folder}/${name}`)));
  return files.flat();
}

async function listStages(folder: string): Promise<readonly string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith('.stage')).map((name) => `records/${name}`);
}

/** Copies of volumes that are under way, on storages that are there. */
async function listIncoming(node: NodeContext): Promise<NonNullable<NodeAudit['incoming']>> {
  // What is wrong with storage.cfg, the inventory and the checks tell.
  const storages = await readStorageConfig(node).catch(() => null);
  if (storages === null) return [];
  const found = await Promise.all(
    storages.storages.map(({ id }) =>
      Promise.resolve()
        .then(() => openStorage(storages, { id, node: node.node }).incoming.list())
        .catch(() => []),
    ),
  );
  return found.flat().map(({ volumeId, migrationId, path }) => ({ vmid: parseVmid(parseVolumeId(volumeId).vmid), volumeId, migrationId, path }));
}
