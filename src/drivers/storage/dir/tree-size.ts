import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../../host/storage-error.js';

/**
 * How much the folder and all below it take on this file system, a file with several names counted once. Files that vanish meanwhile
 * don't count; other file systems that are mounted inside aren't entered.
 */
export async function treeSize(folder: string): Promise<{ readonly allocatedBytes: number; readonly files: number }> {
  const { dev } = await lstat(folder);
  const seen = new Set<number>();
  let allocatedBytes = 0;
  let files = 0;
  const pending = [folder];
  for (let current = pending.pop(); current !== undefined; current = pending.pop()) {
    const stat = await lstatIfThere(current);
    if (stat === null || stat.dev !== dev || seen.has(stat.ino)) continue;
    // Only these can be met again.
    if (stat.nlink > 1 && !stat.isDirectory()) seen.add(stat.ino);
    allocatedBytes += stat.blocks * 512;
    files += 1;
    if (stat.isDirectory()) pending.push(...(await namesBelow(current)));
  }
  return { allocatedBytes, files };
}

async function namesBelow(folder: string): Promise<readonly string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of await opendir(folder)) names.push(join(folder, name));
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
  return names;
}

async function lstatIfThere(path: string) {
  try {
    return await lstat(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}
