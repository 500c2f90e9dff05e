import { readFile, readdir } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeInventory } from '../../domain/node-facts.js';
import type { Claims } from '../../schema/claims.js';
import { readCgroupMemory } from './cgroup-memory.js';

/** What the host itself tells; QEMU's part of the inventory comes from the QEMU driver. */
export interface HostFacts {
  readonly cpu: Pick<NodeInventory['cpu'], 'model' | 'flags' | 'cores'>;
  readonly memory: NodeInventory['memory'];
  /** 1-minute load average of the kernel. */
  readonly load: number;
  readonly bridges: readonly string[];
}

/** What decides beside the kernel. */
export interface HostFactsOptions {
  /** Size from node.yaml: a lab's node is smaller than the machine that it runs on. */
  readonly declared?: { readonly memoryBytes?: number | undefined; readonly cores?: number | undefined };
  /** Facts that a lab overrides; they win over everything. */
  readonly claims?: Claims;
  /** Roots of procfs and sysfs, for tests. */
  readonly proc?: string;
  readonly sys?: string;
}

/** Reads CPU, memory, load and bridges of this node. Costs a few small reads, no process. @throws the errors of `readFile` when procfs is missing */
export async function readHostFacts(options: HostFactsOptions = {}): Promise<HostFacts> {
  const { declared = {}, claims = {}, proc = '/proc', sys = '/sys' } = options;
  const [cpuinfo, meminfo, loadavg, bridges, cgroup] = await Promise.all([
    readFile(join(proc, 'cpuinfo'), 'utf8'),
    readFile(join(proc, 'meminfo'), 'utf8'),
    readFile(join(proc, 'loadavg'), 'utf8'),
    listBridges(sys),
    readCgroupMemory({ proc, sys }),
  ]);
  const cpu = parseCpuinfo(cpuinfo);
  const limit = Math.min(declared.memoryBytes ?? Infinity, cgroup?.limitBytes ?? Infinity);
  const total = Math.min(kibField(meminfo, 'MemTotal'), limit);
  const unused = cgroup === null ? total : total - cgroup.usedBytes;
  const available = Math.max(0, Math.min(kibField(meminfo, 'MemAvailable'), unused));
  return {
    cpu: { model: cpu.model, flags: claims.cpuFlags ?? cpu.flags, cores: Math.min(declared.cores ?? Infinity, cpu.cores) },
    memory: { totalBytes: total, availableBytes: claims.memoryAvailable ?? available },
    load: Number(loadavg.split(' ')[0]),
    bridges: claims.bridges ?? bridges,
  };
}

/** First processor's model and flags (`Features` on ARM), and the number of processors. */
function parseCpuinfo(text: string): { model: string; flags: readonly string[]; cores: number } {
  const value = (names: string): string => new RegExp(`^(?:${names})\\s*: (.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
  return {
    model: value('model name|Hardware|cpu model') || 'unknown',
    flags: value('flags|Features')
      .split(' ')
      .filter((flag) => flag !== ''),
    cores: Math.max(1, text.match(/^processor\s*:/gm)?.length ?? 1),
  };
}

/** A field of /proc/meminfo, whose "kB" are KiB, in bytes. */
function kibField(meminfo: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(meminfo)?.[1] ?? 0) * 1024;
}

/** Linux bridges are the interfaces that have a folder `bridge`. */
async function listBridges(sys: string): Promise<readonly string[]> {
  const folder = join(sys, 'class/net');
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => existsSync(join(folder, name, 'bridge'))).sort();
}
