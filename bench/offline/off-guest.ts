/** Guests that are off and move by copy: what is in them is known, and a part of it can be rewritten from outside. */
import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createWitnessContainer } from '../../lab/create-witness-container.js';
import { run } from '../../lab/run.js';
import { witnessVolume } from '../../lab/witness/witness-container-config.js';
import { parseVmid } from '../../src/domain/ids.js';
import type { BenchLab } from '../live/bench-lab.js';
import type { BenchNode } from '../live/bench-node.js';

const MIB = 1024 ** 2;
const IMAGES = '/var/lib/kedge/images/images';
const STORAGE = 'local';
const TOOL_TIMEOUT_MS = 300_000;

export interface OffGuest {
  readonly vmid: number;
  readonly kind: 'file' | 'tree';
  /** Its only volume, a path of the node that has it. */
  readonly path: string;
  /** Creates it on `node` with all of its content. */
  create(bench: BenchLab, node: BenchNode): Promise<void>;
  /** Gives a part of the content new, random bytes. */
  rewrite(node: BenchNode, percent: number): Promise<void>;
}

/** A virtual machine with one disk full of random bytes, rewritten by pieces of 1 MiB that lie evenly apart. */
export function offMachine({ vmid, format, mebibytes }: { vmid: number; format: 'raw' | 'qcow2'; mebibytes: number }): OffGuest {
  const path = `${IMAGES}/${vmid}/vm-${vmid}-disk-0.${format}`;
  const rewrite = (node: BenchNode, percent: number): Promise<void> =>
    inTemporaryFolder(async (folder) => {
      const image = node.fileOf(path);
      const offsets = evenly(mebibytes, percent).map((piece) => piece * MIB);
      if (format === 'raw') {
        writePieces(image, offsets);
        return;
      }
      const commands = offsets.map((offset, index) => {
        const piece = join(folder, String(index));
        writeFileSync(piece, randomBytes(MIB));
        return `write -q -s ${piece} ${offset} ${MIB}`;
      });
      await run(['qemu-io', '-f', format, ...commands.flatMap((command) => ['-c', command]), image], { timeoutMs: TOOL_TIMEOUT_MS });
    });
  return {
    vmid,
    kind: 'file',
    path,
    create: async (bench, node) => {
      const config = `name: bench-${format}\nmemory: 64\nvirtio0: ${STORAGE}:${vmid}/vm-${vmid}-disk-0.${format},size=${mebibytes}M\n`;
      await bench.kedge.manageGuest({ node: node.name, command: { verb: 'create', vmid: parseVmid(vmid), config } });
      await rewrite(node, 100);
    },
    rewrite,
  };
}

/** An unprivileged container with many small files, of which every so many get new content. */
export function offContainer({ vmid, files }: { vmid: number; files: number }): OffGuest {
  const path = `${IMAGES}/${witnessVolume({ storage: STORAGE, vmid }, 0).slice(STORAGE.length + 1)}`;
  return {
    vmid,
    kind: 'tree',
    path,
    create: ({ lab }, node) => {
      const container = { vmid, name: 'bench-tree', memoryMiB: 64, unprivileged: true, storage: STORAGE, tickMs: 1_000, files, mountPoints: 0 };
      return createWitnessContainer(lab, container, { node: node.name, start: false });
    },
    rewrite: async (node, percent) => {
      const folder = node.fileOf(join(path, 'srv'));
      const all = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
      for (const index of evenly(all.length, percent)) {
        const entry = all[index];
        if (entry === undefined) continue;
        const file = join(entry.parentPath, entry.name);
        writeFileSync(file, randomBytes(statSync(file).size));
      }
    },
  };
}

/** So many percent of the numbers below `count`. */
function evenly(count: number, percent: number): readonly number[] {
  const chosen = Math.round((count * percent) / 100);
  return Array.from({ length: chosen }, (_, index) => Math.floor((index * count) / chosen));
}

function writePieces(image: string, offsets: readonly number[]): void {
  const file = openSync(image, 'r+');
  try {
    for (const offset of offsets) writeSync(file, randomBytes(MIB), 0, MIB, offset);
  } finally {
    closeSync(file);
  }
}

async function inTemporaryFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'kedge-bench-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
