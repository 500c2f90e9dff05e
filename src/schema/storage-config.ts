/** `storage.cfg` in PVE's grammar: `type: id` at column 0, then indented `key value` lines, a blank line ends a section. */
import { KedgeError } from '../domain/kedge-error.js';
import { parsePveBoolean } from './property-string.js';

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

/** A storage of another type: kept and reported, never used. */
export interface UnknownStorageConfig {
  readonly id: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, string>>;
}

export interface StorageConfig {
  readonly storages: readonly DirStorageConfig[];
  readonly unknown: readonly UnknownStorageConfig[];
}

interface Section {
  readonly id: string;
  readonly type: string;
  readonly line: number;
  readonly properties: Map<string, string>;
}

/** Parses a storage.cfg. @throws KedgeError `bad-config` with the line */
export function parseStorageConfig(text: string): StorageConfig {
  const sections = parseSections(text);
  return {
    storages: sections.filter(({ type }) => type === 'dir').map(readDir),
    unknown: sections.filter(({ type }) => type !== 'dir').map(({ id, type, properties }) => ({ id, type, properties: Object.fromEntries(properties) })),
  };
}

function parseSections(text: string): readonly Section[] {
  const sections: Section[] = [];
  let current: Section | undefined;
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trimEnd();
    const number = index + 1;
    if (line === '') current = undefined;
    else if (line.startsWith('#')) continue;
    else if (/^\s/.test(line)) addProperty(current, { line, number });
    else {
      current = parseHeader(line, number);
      const { id } = current;
      if (sections.some((section) => section.id === id)) throw configError(number, `storage "${id}" is defined twice`);
      sections.push(current);
    }
  }
  return sections;
}

function parseHeader(line: string, number: number): Section {
  const match = /^([a-z][a-z0-9_-]*):\s*([A-Za-z][A-Za-z0-9_.-]*[A-Za-z0-9])$/.exec(line);
  if (match?.[1] === undefined || match[2] === undefined) throw configError(number, `"${line}" is no "type: id"`);
  return { type: match[1], id: match[2], line: number, properties: new Map() };
}

function addProperty(section: Section | undefined, { line, number }: { line: string; number: number }): void {
  if (section === undefined) throw configError(number, `"${line.trim()}" stands outside of a storage`);
  const [, key, value] = /^\s+(\S+)\s*(.*)$/.exec(line) ?? [];
  if (key === undefined) throw configError(number, `"${line}" is no "key value"`);
  if (section.properties.has(key)) throw configError(number, `"${key}" is given twice`);
  // A key alone is a flag that is set, such as `disable`.
  section.properties.set(key, value === undefined || value === '' ? '1' : value);
}

function readDir({ id, line, properties }: Section): DirStorageConfig {
  const path = properties.get('path');
  if (path === undefined || !path.startsWith('/') || path.split('/').includes('..')) {
    throw configError(line, `storage "${id}" needs an absolute path, current value is "${path ?? ''}"`);
  }
  const nodes = properties.get('nodes');
  return {
    id,
    type: 'dir',
    path,
    content: listOf(properties.get('content') ?? 'images,rootdir'),
    shared: flagOf('shared', { id, line, properties }),
    nodes: nodes === undefined ? null : listOf(nodes),
    disabled: flagOf('disable', { id, line, properties }),
  };
}

function listOf(text: string): readonly string[] {
  return text.split(/[,;\s]+/).filter((item) => item !== '');
}

function flagOf(name: string, { id, line, properties }: Omit<Section, 'type'>): boolean {
  const text = properties.get(name) ?? '0';
  const flag = parsePveBoolean(text);
  if (flag === undefined) throw configError(line, `${name} of storage "${id}" is "${text}", must be 0 or 1`);
  return flag;
}

function configError(line: number, problem: string): KedgeError {
  return new KedgeError('bad-config', `Cannot read storage.cfg at line ${line}: ${problem}`, { details: { line } });
}
