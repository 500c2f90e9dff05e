import { readdir, readFile, readlink } from 'node:fs/promises';

const LISTEN = '0A';

/** TCP ports on which these processes listen, from /proc (net/tcp lists the sockets of the process's network namespace). */
export async function listeningPortsOf(pids: readonly number[]): Promise<readonly number[]> {
  const ports = await Promise.all(pids.map((pid) => portsOf(pid).catch(() => [])));
  return [...new Set(ports.flat())].sort((left, right) => left - right);
}

async function portsOf(pid: number): Promise<readonly number[]> {
  const inodes = new Set(await socketInodes(pid));
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => readFile(`/proc/${pid}/net/${name}`, 'utf8').catch(() => '')));
  return tables
    .flatMap((table) => table.split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === LISTEN && inodes.has(fields[9] ?? ''))
    .map((fields) => Number.parseInt((fields[1] ?? '').split(':').at(-1) ?? '', 16));
}

async function socketInodes(pid: number): Promise<readonly string[]> {
  const names = await readdir(`/proc/${pid}/fd`);
  const links = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')));
  return links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []);
}
