import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NodePressure } from '../../domain/node-facts.js';

/** How much had to wait for memory and processors in the last minute; null where the kernel does not tell (no CONFIG_PSI, or `psi=0`). */
export async function readPressure(proc = '/proc'): Promise<NodePressure | null> {
  const [memory, cpu] = await Promise.all(['memory', 'cpu'].map((name) => readSome(join(proc, 'pressure', name))));
  return memory == null || cpu == null ? null : { memory, cpu };
}

async function readSome(file: string): Promise<number | null> {
  // With psi=0 the files are there and can't be read.
  const text = await readFile(file, 'utf8').catch(() => '');
  const value = /^some .*\bavg60=([\d.]+)/m.exec(text)?.[1];
  return value === undefined ? null : Number(value);
}
