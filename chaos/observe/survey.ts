/** What lies and runs on the nodes now, read from outside: /proc, the nodes' file systems, their network namespaces, Temporal's own CLI. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inNetwork } from '../../lab/network.js';
import { processesInside } from '../../lab/processes.js';
import { run } from '../../lab/run.js';
import { containersOf } from '../../lab/status.js';
import { temporalProgram } from '../../lab/temporal-program.js';
import { isRecord } from '../../src/domain/is-record.js';
import type { NodeSurvey, Survey } from '../judge/survey-types.js';
import type { ChaosLab } from '../run/chaos-lab.js';

/** Folders of a node that are looked through, with how deep. Below the images of containers lie their own files. */
const FOLDERS: readonly (readonly [path: string, depth: number])[] = [
  ['/etc/kedge/qemu-server', 9],
  ['/etc/kedge/lxc', 9],
  ['/var/lib/kedge/records', 9],
  ['/var/lib/kedge/journal', 9],
  ['/var/lib/kedge/images/images', 2],
  ['/run/kedge', 9],
];

export async function survey(lab: ChaosLab): Promise<Survey> {
  const [nodes, workflows] = await Promise.all([Promise.all(lab.nodes.map((node) => surveyNode(lab, node))), runningWorkflows(lab)]);
  return { nodes, shared: listBelow(lab.state.sharedFolder, { depth: 3 }), workflows };
}

async function surveyNode(lab: ChaosLab, node: string): Promise<NodeSurvey> {
  const init = lab.initOf(node);
  if (init === null) return { node, files: [], records: [], processes: [], copies: [], interfaces: [], ports: [], nftTables: [] };
  const inside = (path: string): string => lab.inside(node, path) ?? '';
  const processes = processesInside(init);
  const machines = processes.flatMap(({ command }) => {
    const vmid = /^(\d+)-/.exec(command[command.indexOf('-name') + 1] ?? '')?.[1];
    return (command[0] ?? '').includes('qemu-system') ? [{ vmid: vmid === undefined ? 0 : Number(vmid) }] : [];
  });
  return {
    node,
    files: FOLDERS.flatMap(([path, depth]) => listBelow(inside(path), { depth }).map((name) => `${path}/${name}`)),
    records: readRecords(inside('/var/lib/kedge/records')),
    processes: processes.map(({ command }) => command.join(' ').slice(0, 120)),
    copies: [...machines, ...containersOf(processes).map(({ vmid }) => ({ vmid }))].map(({ vmid }) => vmid),
    interfaces: interfacesOf(init.pid),
    ports: listeningPorts(init.pid),
    nftTables: (await inNetwork(init.pid, ['nft', 'list', 'tables'])).split('\n').filter(Boolean),
  };
}

/** Files and sockets, and folders at the deepest level, relative to `folder`. */
function listBelow(folder: string, { depth, prefix = '' }: { readonly depth: number; readonly prefix?: string }): string[] {
  return entriesOf(folder).flatMap((entry) => {
    const name = `${prefix}${entry.name}`;
    return entry.isDirectory() && depth > 1 ? listBelow(join(folder, entry.name), { depth: depth - 1, prefix: `${name}/` }) : [name];
  });
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function readRecords(folder: string): NodeSurvey['records'] {
  return entriesOf(folder)
    .filter(({ name }) => /^\d+\.json$/.test(name))
    .map(({ name }) => {
      const content: unknown = parseFile(join(folder, name));
      const record = isRecord(content) ? content : {};
      return { vmid: Number.parseInt(name, 10), state: String(record['state']), isClaimed: record['state'] === 'owned' && record['migrationId'] !== undefined };
    });
}

function parseFile(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

/** proc(5): a name ends at its colon. */
function interfacesOf(pid: number): string[] {
  return [...readFileSync(`/proc/${pid}/net/dev`, 'utf8').matchAll(/^\s*([^\s:]+):/gm)].flatMap(([, name]) => name ?? []);
}

/** proc(5): the port in hexadecimal, state 0A is LISTEN. */
function listeningPorts(pid: number): number[] {
  const lines = ['tcp', 'tcp6'].map((file) => readFileSync(`/proc/${pid}/net/${file}`, 'utf8')).join('\n');
  return [...lines.matchAll(/:([0-9A-F]{4}) [0-9A-F]+:0000 0A /g)].map(([, port]) => Number.parseInt(port ?? '', 16));
}

/** Ids of all workflows that have not ended, by Temporal's own list. */
async function runningWorkflows(lab: ChaosLab): Promise<readonly string[]> {
  const query = `ExecutionStatus='Running'`;
  const text = await run([temporalProgram(), 'workflow', 'list', '--address', lab.state.temporal.hostAddress, '--query', query, '--output', 'json']);
  const list: unknown = JSON.parse(text === '' ? '[]' : text);
  return (Array.isArray(list) ? list : []).map(workflowId);
}

function workflowId(entry: unknown): string {
  const execution = isRecord(entry) ? entry['execution'] : null;
  return isRecord(execution) ? String(execution['workflowId']) : JSON.stringify(entry);
}
