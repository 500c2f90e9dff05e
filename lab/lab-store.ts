import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KedgeError } from '../src/domain/kedge-error.js';
import { labFolder, labRoot, type LabFolder } from './lab-folder.js';
import { labStateSchema, type LabState, type Machine } from './lab-state.js';

/** Reads `lab.json`; undefined when there is none. @throws KedgeError `lab-failed` when it can't be read as one */
export function findLab(folder: LabFolder): LabState | undefined {
  if (!existsSync(folder.stateFile)) return undefined;
  try {
    return labStateSchema.parse(JSON.parse(readFileSync(folder.stateFile, 'utf8')));
  } catch (error) {
    throw new KedgeError('lab-failed', `Cannot read the state of lab "${folder.name}" from ${folder.stateFile}`, { cause: error });
  }
}

/** As `findLab`, for commands that need a lab. @throws KedgeError `not-found` with the labs that exist */
export function readLab(name: string): LabState {
  const state = findLab(labFolder(name));
  if (state !== undefined) return state;
  const others = labNames();
  throw new KedgeError('not-found', `Cannot find lab "${name}": ${others.length === 0 ? 'no lab is on this machine' : `labs here are ${others.join(', ')}`}`, {
    details: { remedy: others.length === 0 ? 'Build one with "kedge lab up"' : 'Name one of them with --name' },
  });
}

/** Writes `lab.json` in one rename, so that a reader sees the old or the new one. */
export function writeLab(state: LabState): void {
  const { stateFile } = labFolder(state.name);
  const temporary = `${stateFile}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, stateFile);
}

/** Names of all labs that have a folder, half-built ones too. */
export function labNames(): string[] {
  if (!existsSync(labRoot())) return [];
  return readdirSync(labRoot(), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(labRoot(), entry.name)))
    .map((entry) => entry.name)
    .sort();
}

/** The machine `name` of a lab. @throws KedgeError `not-found` that lists the machines */
export function machineOf(state: LabState, name: string): Machine {
  const machine = state.machines.find((each) => each.name === name);
  if (machine !== undefined) return machine;
  throw new KedgeError('not-found', `Cannot find "${name}" in lab "${state.name}": it has ${state.machines.map((each) => each.name).join(', ')}`, {
    details: { remedy: 'Name one of these machines' },
  });
}

/** A copy of `state` with the machine of the same name replaced. */
export function withMachine(state: LabState, machine: Machine): LabState {
  return { ...state, machines: state.machines.map((each) => (each.name === machine.name ? machine : each)) };
}
