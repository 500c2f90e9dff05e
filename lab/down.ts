import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { KedgeError } from '../src/domain/kedge-error.js';
import { takeFileLock } from '../src/drivers/host/file-lock.js';
import { cgroupProcesses, freezeCgroup, labCgroups, removeCgroups } from './cgroups.js';
import { labFolder, labRoot, type LabFolder } from './lab-folder.js';
import type { ProcessIdentity } from './lab-state.js';
import { findLab } from './lab-store.js';
import { MARKER } from './machine.js';
import { isAlive, processesWithEnvironment, sendSignal, waitUntil } from './processes.js';
import { run } from './run.js';

const GONE_TIMEOUT_MS = 15_000;

/**
 * Removes a lab, however much of it is there: processes, loop devices, cgroups, folder. Namespaces, mounts and
 * interfaces end with the last process inside. Nothing that isn't the lab's own is touched: processes are taken from the
 * lab's cgroups, from `lab.json` (pid and start time), and from the marker in their environment.
 * @returns false when there was nothing
 * @throws KedgeError `lab-failed` that names what would not go
 */
export async function labDown(name: string): Promise<boolean> {
  const folder = labFolder(name);
  if (!existsSync(folder.path) && labCgroups(name).length === 0) return false;
  const lock = await takeFileLock(folder.lockFile, { waitMs: 60_000 });
  try {
    await endProcesses(folder);
    await detachDisks(folder);
    await waitUntil('removal of the cgroups', () => removeCgroups(labCgroups(name)).length === 0, { timeoutMs: GONE_TIMEOUT_MS });
    rmSync(folder.path, { recursive: true, force: true });
  } finally {
    lock.release();
  }
  rmSync(folder.lockFile, { force: true });
  removeIfEmpty(labRoot());
  return true;
}

async function endProcesses(folder: LabFolder): Promise<void> {
  await waitUntil(
    `end of all processes of lab "${folder.name}"`,
    () => {
      const alive = labProcesses(folder);
      for (const process of alive) sendSignal(process, 'SIGKILL');
      // A frozen process dies only when it is thawed.
      for (const group of labCgroups(folder.name)) for (const machine of foldersBelow(group)) freezeCgroup([machine], false);
      return alive.length === 0;
    },
    { timeoutMs: GONE_TIMEOUT_MS },
  );
}

function labProcesses(folder: LabFolder): ProcessIdentity[] {
  const recorded = recordedProcesses(folder).filter(isAlive);
  return [...recorded, ...cgroupProcesses(labCgroups(folder.name)), ...processesWithEnvironment(`${MARKER}=${folder.path}`)];
}

function recordedProcesses(folder: LabFolder): ProcessIdentity[] {
  try {
    return (findLab(folder)?.machines ?? []).flatMap((machine) => [machine.init, machine.launcher].flatMap((process) => process ?? []));
  } catch (error) {
    // An unreadable lab.json must not keep the lab alive: cgroups and marker find the same processes.
    if (error instanceof KedgeError) return [];
    throw error;
  }
}

/** Loop devices go with their mounts, a moment after the last process; one that was left by a crash in between is detached here. */
async function detachDisks(folder: LabFolder): Promise<void> {
  const images = foldersBelow(join(folder.path, 'nodes'))
    .map((node) => join(node, 'disk.img'))
    .filter(existsSync);
  for (const image of images) {
    await waitUntil(
      `detachment of ${image}`,
      async () => {
        const devices = await loopDevices(image);
        for (const device of devices) await run(['losetup', '--detach', device]).catch(() => undefined);
        return devices.length === 0;
      },
      { timeoutMs: GONE_TIMEOUT_MS },
    );
  }
}

/** Loop devices that have this image open. */
export async function loopDevices(image: string): Promise<string[]> {
  const text = await run(['losetup', '--noheadings', '--output', 'NAME', '--associated', image]);
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
}

function foldersBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(folder, entry.name));
}

function removeIfEmpty(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder);
}
