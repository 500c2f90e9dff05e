/** `storage.cfg` in PVE's grammar, as far as Kedge uses it: storages of type `dir` in full, others kept and reported. */
import type { BandwidthLimits } from '../domain/bandwidth-limit.js';
import { splitPveList } from '../domain/split-pve-list.js';
import { parseBandwidthLimits } from './bandwidth-limits.js';
import { checkStorage } from './check-storage-config.js';
import { configError, throwFirstError } from './config-problem.js';
import { parsePveBoolean } from './property-string.js';
import { readSectionConfig, type Section } from './section-config.js';

/** A storage of a type that Kedge has a driver for. */
export interface DirStorageConfig {
  readonly id: string;
  readonly type: 'dir';
  /** Absolute path of the folder. */
  readonly path: string;
  /** What may lie there: `images`, `rootdir`, `iso`, … */
  readonly content: readonly string[];
  readonly shared: boolean;
  /** The nodes that have it; null: all. */
  readonly nodes: readonly string[] | null;
  readonly disabled: boolean;
}

/** The same with all other options that PVE has for a folder. */
export interface FullDirStorageConfig extends DirStorageConfig {
  /** Format of new images. */
  readonly format: string;
  /** How much of a new image is allocated at once; null: as PVE does by default, `metadata` for qcow2 and `off` for raw. */
  readonly preallocation: string | null;
  /** Folders below the path that replace the usual ones, by content. */
  readonly contentDirs: Readonly<Record<string, string>>;
  /** Path that must be a mount point before the storage is used; null: none. */
  readonly mountPoint: string | null;
  readonly createBasePath: boolean;
  readonly createSubdirs: boolean;
  /** KiB/s by operation; null: the storage limits nothing. */
  readonly bandwidthLimits: BandwidthLimits | null;
  readonly snapshotAsVolumeChain: boolean;
}

/** A storage of another type: kept and reported, never used. */
export interface UnknownStorageConfig {
  readonly id: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, string>>;
}

export interface StorageConfig {
  readonly storages: readonly FullDirStorageConfig[];
  readonly unknown: readonly UnknownStorageConfig[];
}

/**
 * Parses a storage.cfg; of storages that Kedge has no driver for it judges the lines, not the values.
 * @throws KedgeError `bad-config` with line and column
 */
export function parseStorageConfig(text: string): StorageConfig {
  const { sections, problems } = readSectionConfig(text);
  throwFirstError([...problems, ...sections.filter(({ type }) => type === 'dir').flatMap(checkStorage)], 'storage.cfg');
  return {
    storages: sections.filter(({ type }) => type === 'dir').map(readDir),
    unknown: sections.filter(({ type }) => type !== 'dir').map(({ id, type, properties }) => ({ id, type, properties: valuesOf(properties) })),
  };
}

function readDir({ id, line, properties }: Section): FullDirStorageConfig {
  const values = new Map(Object.entries(valuesOf(properties)));
  const flag = (name: string, absent: boolean): boolean => parsePveBoolean(values.get(name) ?? '') ?? absent;
  const path = values.get('path') ?? '';
  // What lies outside of the folder that the operator named is none of the storage's.
  if (path.split('/').includes('..')) throw configError({ line, column: 1 }, `path of storage "${id}" is "${path}", must be without ".."`, 'storage.cfg');
  const nodes = values.get('nodes');
  const limits = values.get('bwlimit');
  return {
    id,
    type: 'dir',
    path,
    content: splitPveList(values.get('content') ?? 'images,rootdir'),
    shared: flag('shared', false),
    nodes: nodes === undefined ? null : splitPveList(nodes),
    disabled: flag('disable', false),
    format: values.get('format') ?? 'raw',
    preallocation: values.get('preallocation') ?? null,
    contentDirs: Object.fromEntries(splitPveList(values.get('content-dirs') ?? '').map((entry) => [entry.replace(/=.*/, ''), entry.replace(/^[^=]*=/, '')])),
    mountPoint: readMountPoint(values.get('is_mountpoint'), path),
    createBasePath: flag('create-base-path', flag('mkdir', true)),
    createSubdirs: flag('create-subdirs', flag('mkdir', true)),
    bandwidthLimits: limits === undefined ? null : parseBandwidthLimits(limits),
    snapshotAsVolumeChain: flag('snapshot-as-volume-chain', false),
  };
}

function readMountPoint(value: string | undefined, path: string): string | null {
  if (value === undefined) return null;
  const flag = parsePveBoolean(value);
  return flag === undefined ? value : flag ? path : null;
}

/** A key alone is a flag that is set, such as `disable`. */
function valuesOf(properties: Section['properties']): Readonly<Record<string, string>> {
  return Object.fromEntries(properties.map(({ key, value }) => [key, value ?? '1']));
}
