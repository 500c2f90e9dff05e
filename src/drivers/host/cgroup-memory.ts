import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Limit and use of this process's memory cgroup; the page cache that can be dropped at once does not count as used. */
export interface CgroupMemory {
  readonly limitBytes: number;
  readonly usedBytes: number;
}

/** Reads the memory limit of this process's cgroup, version 1 or 2; null when there is none or it can't be seen from here. */
export async function readCgroupMemory({ proc, sys }: { readonly proc: string; readonly sys: string }): Promise<CgroupMemory | null> {
  const own = await readFile(join(proc, 'self/cgroup'), 'utf8').catch(() => '');
  // cgroups(7): "<id>:<controllers>:<path>"; version 2 has id 0 and no controllers.
  const v1 = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m.exec(own)?.[1];
  if (v1 !== undefined) {
    return readGroup(join(sys, 'fs/cgroup/memory', v1), { limit: 'memory.limit_in_bytes', used: 'memory.usage_in_bytes', cache: 'total_inactive_file' });
  }
  const v2 = /^0::(.*)$/m.exec(own)?.[1];
  if (v2 === undefined) return null;
  return readGroup(join(sys, 'fs/cgroup', v2), { limit: 'memory.max', used: 'memory.current', cache: 'inactive_file' });
}

/** Version 1 writes "no limit" as the largest page-aligned number. */
const NO_LIMIT_BYTES = 2 ** 60;

async function readGroup(folder: string, names: { readonly limit: string; readonly used: string; readonly cache: string }): Promise<CgroupMemory | null> {
  try {
    const [limit, used, stat] = await Promise.all([names.limit, names.used, 'memory.stat'].map((name) => readFile(join(folder, name), 'utf8')));
    const limitBytes = Number(limit);
    if (!Number.isFinite(limitBytes) || limitBytes >= NO_LIMIT_BYTES) return null;
    const cache = Number(new RegExp(`^${names.cache} (\\d+)$`, 'm').exec(stat ?? '')?.[1] ?? 0);
    return { limitBytes, usedBytes: Math.max(0, Number(used) - cache) };
  } catch {
    return null;
  }
}
