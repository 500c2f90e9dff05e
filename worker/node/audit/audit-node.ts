import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { NodeAudit } from '../../../activities/interface.js';
import { journalFolder, lxcFolder, recordFolder, rsyncGrantFolder } from '../../../src/config/paths.js';
import { parseVmid, type Vmid } from '../../../src/domain/ids.js';
import { listNftTables } from '../../../src/drivers/host/nft-tables.js';
import { listTaps } from '../../../src/drivers/host/tap.js';
import { listVeths } from '../../../src/drivers/host/veth.js';
import { containerProcesses } from '../../../src/drivers/lxc/container-processes.js';
import { listGrants } from '../../../src/drivers/rsync/grant-store.js';
import { openStorage } from '../../../src/drivers/storage/open-storage.js';
import { scanQemu } from '../../../src/drivers/qemu/scan-qemu.js';
import { containerOf } from '../guests/container-of.js';
import { readStorageConfig } from '../guests/launch-guest.js';
import { lookAtGuest } from '../guests/look-at-guest.js';
import type { NodeContext } from '../node-context.js';
import { summarizeGuest } from '../presence/read-inventory.js';
import { listVolumes } from './list-volumes.js';
import { listeningPortsOf } from './listening-ports.js';

/** Collects everything of this node that could be left behind. Read-only; judged by src/domain/audit.ts. */
export async function auditNode(node: NodeContext): Promise<NodeAudit> {
  const qemus = scanQemu();
  const containers = await runningContainers(node);
  const vmids = new Set<Vmid>([...(await node.records.list()), ...(await node.guestConfigs.list())]);
  const views = await Promise.all([...vmids].map(async (vmid) => ({ vmid, look: await lookAtGuest(node, vmid) })));
  const summaries = await Promise.all([...vmids].map((vmid) => summarizeGuest(node, vmid)));
  const streams = await listJournal(node);
  return {
    node: node.node,
    bootId: node.bootId,
    views: views.map(({ look }) => look.view),
    guests: summaries.filter((guest) => guest !== null),
    processes: [...qemus.map(({ pid, vmid, command, incoming }) => ({ pid, vmid, command: command.join(' ').slice(0, 500), incoming })), ...containers],
    sockets: await listRunFiles(node),
    files: [...(await listStages(recordFolder(node.paths))), ...(await node.guestConfigs.listFiles()).map(({ name }) => name), ...(await listIncoming(node))],
    interfaces: [...(await listTaps()), ...(await listVeths())].map(({ name }) => name),
    nftTables: await listNftTables(),
    ports: await listeningPortsOf(qemus.map(({ pid }) => pid)),
    journalOpen: [...streams, ...(await listVolumeJournals(node)), ...(await listOpenGrants(node))],
    ...(await listVolumes(node)),
  };
}

/** Containers of this node's folder that have any process, whatever their records say. */
async function runningContainers(node: NodeContext): Promise<NodeAudit['processes']> {
  const names = await readdir(lxcFolder(node.paths)).catch(() => []);
  const vmids = names.flatMap((name) => (/^[1-9][0-9]{2,8}$/.test(name) ? [parseVmid(name)] : []));
  return vmids.flatMap((vmid) => {
    const [first] = containerProcesses(containerOf(node, vmid));
    return first === undefined ? [] : [{ pid: first.pid, vmid, command: `container ${String(vmid)}`, incoming: false }];
  });
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
async function listIncoming(node: NodeContext): Promise<readonly string[]> {
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
  return found.flat().map(({ path }) => path);
}

async function listVolumeJournals(node: NodeContext): Promise<NodeAudit['journalOpen']> {
  const names = await readdir(journalFolder(node.paths));
  const vmids = names.flatMap((name) => /^([1-9]\d{2,8})\.volumes\.json$/.exec(name)?.[1] ?? []);
  return Promise.all(
    vmids.map(async (text) => {
      const vmid = parseVmid(Number(text));
      const entry = await node.volumes.read(vmid).catch(() => null);
      return { vmid, migrationId: entry?.migrationId ?? '', what: 'copy of volumes' };
    }),
  );
}

/** What a peer may write to: each belongs to a copy under way. */
async function listOpenGrants(node: NodeContext): Promise<NodeAudit['journalOpen']> {
  const { grants } = await listGrants(rsyncGrantFolder(node.paths));
  return grants.map(({ path, peer }) => {
    const [, vmid = '0', migrationId = ''] = /\/(\d+)\/\.incoming-(\d+-\d+)-/.exec(path) ?? [];
    return { vmid: Number(vmid), migrationId, what: `permission of ${peer} to write to ${path}` };
  });
}

async function listJournal(node: NodeContext): Promise<NodeAudit['journalOpen']> {
  const names = await readdir(journalFolder(node.paths));
  return names.flatMap((name) => {
    const vmid = /^(\d+)\.(?:stream|release)\.json$/.exec(name)?.[1];
    return vmid === undefined ? [] : [{ vmid: Number(vmid), migrationId: '', what: 'stream' }];
  });
}
