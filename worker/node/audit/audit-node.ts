import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { NodeAudit } from '../../../activities/interface.js';
import { journalFolder, lxcFolder, recordFolder } from '../../../src/config/paths.js';
import { parseVmid, type Vmid } from '../../../src/domain/ids.js';
import { listNftTables } from '../../../src/drivers/host/nft-tables.js';
import { listTaps } from '../../../src/drivers/host/tap.js';
import { listVeths } from '../../../src/drivers/host/veth.js';
import { containerProcesses } from '../../../src/drivers/lxc/container-processes.js';
import { scanQemu } from '../../../src/drivers/qemu/scan-qemu.js';
import { containerOf } from '../guests/container-of.js';
import { lookAtGuest } from '../guests/look-at-guest.js';
import type { NodeContext } from '../node-context.js';
import { summarizeGuest } from '../presence/read-inventory.js';
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
    files: [...(await listStages(recordFolder(node.paths))), ...(await node.guestConfigs.listFiles()).map(({ name }) => name)],
    interfaces: [...(await listTaps()), ...(await listVeths())].map(({ name }) => name),
    nftTables: await listNftTables(),
    ports: await listeningPortsOf(qemus.map(({ pid }) => pid)),
    journalOpen: streams,
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

async function listJournal(node: NodeContext): Promise<NodeAudit['journalOpen']> {
  const names = await readdir(journalFolder(node.paths));
  return names.flatMap((name) => {
    const vmid = /^(\d+)\.(?:stream|release)\.json$/.exec(name)?.[1];
    return vmid === undefined ? [] : [{ vmid: Number(vmid), migrationId: '', what: 'stream' }];
  });
}
