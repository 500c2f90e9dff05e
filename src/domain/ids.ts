/**
 * The branded identifiers of Kedge: minted and parsed here and nowhere else.
 *
 * Grammar of vmids and node names: Proxmox VE (`[1-9][0-9]{2,8}`, a DNS label).
 */
import { KedgeError } from './kedge-error.js';

declare const brand: unique symbol;
type Brand<Base, Name extends string> = Base & { readonly [brand]: Name };

/** Number of a guest, unique over VMs and containers of a cluster: 100 to 999999999. */
export type Vmid = Brand<number, 'Vmid'>;

/** Name of a node: one DNS label. */
export type NodeName = Brand<string, 'NodeName'>;

/** What users see and type: `<vmid>-<generation>`, the generation being the one that the claim issued. */
export type MigrationId = Brand<string, 'MigrationId'>;

/** Fencing counter of a guest's ownership; never used twice for the same guest. */
export type Generation = Brand<number, 'Generation'>;

const NODE_NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/;
const MIGRATION_ID = /^([1-9][0-9]{2,8})-([1-9][0-9]*)$/;

/** Parses a vmid. @throws KedgeError `bad-input` that names the value. */
export function parseVmid(value: string | number): Vmid {
  const text = String(value);
  if (!/^[1-9][0-9]{2,8}$/.test(text)) {
    throw new KedgeError('bad-input', `Cannot read vmid: current value is "${text}", must be a number from 100 to 999999999`);
  }
  return Number(text) as Vmid;
}

/** Parses a node name. @throws KedgeError `bad-input` that names the value. */
export function parseNodeName(value: string): NodeName {
  if (!NODE_NAME.test(value)) {
    throw new KedgeError('bad-input', `Cannot read node name: current value is "${value}", must be up to 63 letters, digits and inner hyphens`);
  }
  return value as NodeName;
}

/** Parses a generation. @throws KedgeError `bad-input` that names the value. */
export function parseGeneration(value: number): Generation {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new KedgeError('bad-input', `Cannot read generation: current value is "${String(value)}", must be a positive integer`);
  }
  return value as Generation;
}

/** The generation `steps` after `generation`: of the source's: 1 for a claim, 2 for a roll-back; of the migration's: 1 for a roll-back, 2 for a take-over. */
export function laterGeneration(generation: Generation, steps: 1 | 2): Generation {
  return (generation + steps) as Generation;
}

/** Names the migration of `vmid` that moves it under `generation`. */
export function migrationIdOf(vmid: Vmid, generation: Generation): MigrationId {
  return `${vmid}-${generation}` as MigrationId;
}

/** Parses `<vmid>-<generation>`. @throws KedgeError `bad-input` that names the value. */
export function parseMigrationId(value: string): { id: MigrationId; vmid: Vmid; generation: Generation } {
  const match = MIGRATION_ID.exec(value);
  if (match === null) {
    throw new KedgeError('bad-input', `Cannot read migration id: current value is "${value}", must be <vmid>-<generation> like 101-7`);
  }
  return { id: value as MigrationId, vmid: Number(match[1]) as Vmid, generation: Number(match[2]) as Generation };
}
