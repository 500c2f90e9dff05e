/** Faults inside a machine: files that its programs read, and its disk. All reached through /proc/<init>/root. */
import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync, statfsSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse, stringify } from 'yaml';
import { KedgeError } from '../../src/domain/kedge-error.js';
import type { Break, Fault, LabState, Machine, ProcessIdentity } from '../lab-state.js';
import { sendSignal, processesInside } from '../processes.js';
import { tryRun } from '../run.js';
import { componentsOf, insidePath, pidFolder } from '../status.js';
import { slowDisk } from './slow-disk.js';

const CLAIMS = '/run/kedge/claims.yaml';
/** On the node's disk, outside of what its programs see. */
const FILL_FILE = '/run/.lab/disk/lab-fill';
const MIB = 1024 * 1024;
const BLOCK = 4096;

/** Writes all claims of a machine; none removes the file. */
export function writeClaims(lab: LabState, machine: Machine, init: ProcessIdentity): void {
  const claims = faultsOf(lab, machine.name, 'claim').map(({ key, value }) => [key, parse(value)] as const);
  const file = insidePath(init, CLAIMS);
  if (claims.length === 0) rmSync(file, { force: true });
  else writeWhole(file, stringify(Object.fromEntries(claims)));
}

/** Shifts the clock of the node worker, or takes the shift back; it holds from the worker's restart on, which is asked for here. */
export function writeClock(machine: Machine, init: ProcessIdentity, shift: string | null): void {
  const file = join(pidFolder(machine, init), 'worker.clock');
  if (shift === null) rmSync(file, { force: true });
  else writeWhole(file, shift);
  const worker = componentsOf(machine, processesInside(init))['worker'];
  if (worker) sendSignal(worker, 'SIGTERM');
}

/** File that arms a crash point; the program removes it as it dies. */
export function crashFile(init: ProcessIdentity, point: string): string {
  return insidePath(init, `/run/kedge/crash/${point}`);
}

/** Arms a crash point of the node's programs. */
export function armCrash(init: ProcessIdentity, fault: Extract<Fault, { kind: 'crash-at' }>): void {
  writeWhole(crashFile(init, fault.point), fault.moment);
}

/** Fills the node's own disk but for `leaveBytes`. @throws KedgeError `lab-failed` when the file system refuses */
export async function fillDisk(init: ProcessIdentity, leaveBytes: number): Promise<void> {
  const file = insidePath(init, FILL_FILE);
  const disk = statfsSync(dirname(file));
  let wanted = disk.bavail * disk.bsize - leaveBytes;
  while (wanted > 0) {
    const { code, stderr } = await tryRun(['fallocate', '--length', String(wanted), file]);
    if (code === 0) break;
    if (!stderr.includes('No space left')) throw new KedgeError('lab-failed', `Cannot fill the disk: ${stderr.trim()}`);
    // The file's own metadata needs blocks, too.
    rmSync(file, { force: true });
    wanted -= 2 * MIB;
  }
  fillRest(file, leaveBytes);
}

/** The last blocks: a record of some hundred bytes would still fit into what `fallocate` leaves. */
function fillRest(file: string, leaveBytes: number): void {
  // Synchronous writes: what is only reserved would be more than what is used in the end.
  const descriptor = openSync(file, 'as');
  try {
    // From large to small: single blocks alone would take seconds on a busy machine, and what is broken has often to be broken at once.
    for (const size of [64 * BLOCK, 8 * BLOCK, BLOCK]) writeWhileFits(descriptor, { file, size, leaveBytes });
  } finally {
    closeSync(descriptor);
  }
}

function writeWhileFits(descriptor: number, { file, size, leaveBytes }: { file: string; size: number; leaveBytes: number }): void {
  const block = Buffer.alloc(size);
  try {
    for (let disk = statfsSync(file); disk.bavail * disk.bsize >= leaveBytes + size; disk = statfsSync(file)) writeSync(descriptor, block);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
  }
}

/** Gives the disk its space back. */
export function emptyDisk(init: ProcessIdentity): void {
  rmSync(insidePath(init, FILL_FILE), { force: true });
}

/** After a power cut a machine's /run is new, and its disk is another device: what breaks in it is made again, before its components start. */
export function restoreLocalFaults(lab: LabState, machine: Machine): void {
  if (machine.init === null) return;
  if (machine.role === 'node') writeClaims(lab, machine, machine.init);
  for (const { writesPerSecond } of faultsOf(lab, machine.name, 'slow-disk')) slowDisk(machine, machine.init, writesPerSecond);
  for (const { shift } of faultsOf(lab, machine.name, 'clock')) writeWhole(join(pidFolder(machine, machine.init), 'worker.clock'), shift);
}

/** Drops armed crash points that struck: they are no break any more. */
export function withoutStruckCrashes(lab: LabState): LabState {
  const struck = ({ machine: name, fault }: Break): boolean => {
    if (fault.kind !== 'crash-at') return false;
    const init = lab.machines.find((machine) => machine.name === name)?.init ?? null;
    return init === null || !existsSync(crashFile(init, fault.point));
  };
  return { ...lab, breaks: lab.breaks.filter((each) => !struck(each)) };
}

function faultsOf<Kind extends Fault['kind']>(lab: LabState, machine: string, kind: Kind): Extract<Fault, { kind: Kind }>[] {
  const isKind = (fault: Fault): fault is Extract<Fault, { kind: Kind }> => fault.kind === kind;
  return lab.breaks
    .filter((each) => each.machine === machine)
    .map((each) => each.fault)
    .filter(isKind);
}

/** In one rename: a program that reads at this moment sees the old or the new file. */
function writeWhole(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}
