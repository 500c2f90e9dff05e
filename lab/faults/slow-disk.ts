/** A slow disk: the kernel lets the programs of a node write to it only so often a second. */
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KedgeError } from '../../src/domain/kedge-error.js';
import type { Machine, ProcessIdentity } from '../lab-state.js';
import { insidePath } from '../status.js';

/** Version 1: what waits is who calls fsync, or writes past the cache; `0` lifts the limit. Source: kernel, blk-throttle.c. */
const WRITES_V1 = 'blkio.throttle.write_iops_device';
/** Version 2: hierarchical; `max` lifts the limit. */
const LIMITS_V2 = 'io.max';

/** Limits the writes of a node to its own disk, in writes a second; null lifts the limit. @throws KedgeError `unsupported` without a cgroup that can */
export function slowDisk(machine: Machine, init: ProcessIdentity, writesPerSecond: number | null): void {
  const device = deviceOf(insidePath(init, '/var/lib/kedge'));
  const v1 = machine.cgroups.map((folder) => join(folder, WRITES_V1)).find(existsSync);
  const v2 = machine.cgroups.map((folder) => join(folder, LIMITS_V2)).find(existsSync);
  if (v1 !== undefined) writeFileSync(v1, `${device} ${writesPerSecond ?? 0}`);
  else if (v2 !== undefined) writeFileSync(v2, `${device} wiops=${writesPerSecond ?? 'max'}`);
  else throw new KedgeError('unsupported', `Cannot slow the disk of ${machine.name}: no cgroup here limits writes to a device`);
}

/** `major:minor` of what a folder is on. Source: glibc, gnu_dev_major(3). */
function deviceOf(folder: string): string {
  const { dev } = statSync(folder);
  return `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`;
}
