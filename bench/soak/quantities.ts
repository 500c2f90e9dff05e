import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { KedgeError } from '../../src/domain/kedge-error.js';
import { errnoOf } from '../../src/drivers/host/storage-error.js';
import type { BenchMachine, BenchNode } from '../live/bench-node.js';
import { collectMemory, collectSocket, type CollectedMemory } from './collected-memory.js';
import type { Limit } from './judge.js';

export interface Soaked {
  readonly client: Client;
  readonly nodes: readonly BenchNode[];
  readonly control: BenchMachine;
}

/** One quantity that is measured after every some migrations. */
export interface Quantity {
  readonly name: string;
  readonly unit: string;
  readonly limit: Limit;
  measure(): Promise<number>;
}

/** 300 migrations may cost 6 MiB of objects: compiled code and caches still fill, and any leak of a guest's worth is far above. */
const HEAP: Limit = { perMigration: 20, settles: true };
/** 300 migrations may cost 18 MiB: less than the allocators keep to and fro, more than any leak outside of the heap would stay below. */
const MEMORY: Limit = { perMigration: 60, settles: true };
/** One that is left open in every fiftieth migration is found. */
const DESCRIPTORS: Limit = { perMigration: 0.02, most: 400 };
/** Entities go on as new executions: what they hold is bounded, whatever they gain meanwhile. */
const ENTITY: Limit = { perMigration: Infinity, most: 6_000 };
/** Records and journals of one guest are as many after the last migration as after the first. */
const FOLDER: Limit = { perMigration: 0.05 };
/** The server keeps the history of every migration for as long as its retention says: this much for each, and no more. */
const DATABASE: Limit = { perMigration: 600, settles: true };

/** All that must not grow. */
export function quantitiesOf({ client, nodes, control }: Soaked): readonly Quantity[] {
  const processes = [
    ...nodes.map((machine) => ({ machine, component: 'worker', name: `worker of ${machine.name}` })),
    { machine: control, component: 'control', name: 'control worker' },
  ];
  return [
    ...processes.flatMap(({ machine, component, name }): readonly Quantity[] => [
      { name: `heap, ${name}`, unit: 'KiB', limit: HEAP, measure: async () => (await collected(machine, component)).heapBytes / 1_024 },
      { name: `memory, ${name}`, unit: 'KiB', limit: MEMORY, measure: async () => (await collected(machine, component)).residentBytes / 1_024 },
      { name: `open files, ${name}`, unit: '', limit: DESCRIPTORS, measure: async () => descriptorsOf(machine, component) },
    ]),
    ...[...nodes.map(({ name }) => `node-${name}`), 'admission'].map((id): Quantity => {
      return { name: `history, ${id}`, unit: 'events', limit: ENTITY, measure: async () => (await client.workflow.getHandle(id).describe()).historyLength };
    }),
    ...nodes.map((machine): Quantity => {
      return { name: `state of ${machine.name}`, unit: 'KiB', limit: FOLDER, measure: async () => kibibytesBelow(machine.fileOf('/var/lib/kedge')) };
    }),
    ...nodes.map((machine): Quantity => {
      return {
        name: `run files of ${machine.name}`,
        unit: 'KiB',
        limit: FOLDER,
        measure: async () => kibibytesBelow(machine.fileOf('/run/kedge'), ['lab', 'crash']),
      };
    }),
    { name: 'Temporal database', unit: 'KiB', limit: DATABASE, measure: async () => databaseOf(control) },
  ];
}

function collected(machine: BenchMachine, component: string): Promise<CollectedMemory> {
  return collectMemory(machine.fileOf(collectSocket(pidOf(machine, component))));
}

function descriptorsOf(machine: BenchMachine, component: string): number {
  return readdirSync(machine.fileOf(`/proc/${pidOf(machine, component)}/fd`)).length;
}

/** As the machine itself counts: its /proc is that of its own processes. @throws KedgeError `lab-failed` */
function pidOf(machine: BenchMachine, component: string): number {
  const pid = Number(readFileSync(machine.fileOf(`/run/kedge/lab/${component}.pid`), 'utf8'));
  if (!Number.isInteger(pid)) throw new KedgeError('lab-failed', `Cannot measure: nobody knows the process of ${component}`);
  return pid;
}

/** The lengths of all files below, so that a file system's blocks don't hide small ones; images are the guest's own. */
function kibibytesBelow(folder: string, except: readonly string[] = ['images']): number {
  const sizeOf = (path: string): number => {
    try {
      const stat = statSync(path);
      if (!stat.isDirectory()) return stat.size;
      return readdirSync(path).reduce((sum, name) => sum + (except.includes(name) ? 0 : sizeOf(join(path, name))), 0);
    } catch (error) {
      // Removed since it was listed.
      if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENXIO') return 0;
      throw error;
    }
  };
  return sizeOf(folder) / 1_024;
}

/** With its log of writes, which is emptied into it now and then. */
function databaseOf(control: BenchMachine): number {
  const folder = control.fileOf('/var/lib/kedge');
  return readdirSync(folder)
    .filter((name) => name.startsWith('temporal.db'))
    .reduce((sum, name) => sum + statSync(join(folder, name)).size / 1_024, 0);
}
