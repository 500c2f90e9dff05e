import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { NodeAudit } from '../../../activities/interface.js';
import { journalFolder, recordFolder } from '../../../src/config/paths.js';
import type { Vmid } from '../../../src/domain/ids.js';
import { listNftTables } from '../../../src/drivers/host/nft-tables.js';
import { listTaps } from '../../../src/drivers/host/tap.js';
import { scanQemu } from '../../../src/drivers/qemu/scan-qemu.js';
import { lookAtGuest } from '../guests/look-at-guest.js';
import type { NodeContext } from '../node-context.js';
import { summarizeGuest } from '../presence/read-inventory.js';
import { listeningPortsOf } from './listening-ports.js';

/** Collects everything of this node that could be left behind. Read-only; judged by src/domain/audit.ts. */
export async function auditNode(node: NodeContext): Promise<NodeAudit> {
  const processes = scanQemu();
  const vmids = new Set<Vmid>([...(await node.records.list()), ...(await node.guestConfigs.list())]);
  const views = await Promise.all([...vmids].map(async (vmid) => ({ vmid, look: await lookAtGuest(node, vmid) })));
  const summaries = await Promise.all([...vmids].map((vmid) => summarizeGuest(node, vmid)));
  const streams = await listJournal(node);
  return {
    node: node.node,
    bootId: node.bootId,
    views: views.map(({ look }) => look.view),
    guests: summaries.filter((guest) => guest !== null),
    processes: processes.map(({ pid, vmid, command, incoming }) => ({ pid, vmid, command: command.join(' ').slice(0, 500), incoming })),
    sockets: await listRunFiles(node),
    files: [...(await listStages(recordFolder(node.paths))), ...(await node.guestConfigs.list()).map((vmid) => `qemu-server/${vmid}.conf`)],
    interfaces: (await listTaps()).map(({ name }) => name),
    nftTables: await listNftTables(),
    ports: await listeningPortsOf(processes.map(({ pid }) => pid)),
    journalOpen: streams,
  };
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
