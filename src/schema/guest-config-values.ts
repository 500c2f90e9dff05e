/** Readers of the values of guest config keys: each names the key, line and column of what it can't read. */
import { configError } from './config-problem.js';
import type { ConfigEntry } from './guest-config-text.js';
import { parsePropertyString, parsePveBoolean, PropertyStringError, type PropertyString } from './property-string.js';

/** The entries of the main section, looked up by key. */
export type ConfigEntries = ReadonlyMap<string, ConfigEntry>;

/** The text of `key`; quotes around it are stripped, as PVE does; null when the key is absent. */
export function readText(entries: ConfigEntries, key: string): string | null {
  const value = entries.get(key)?.value;
  return value === undefined ? null : (/^"(.*)"$/.exec(value)?.[1] ?? value);
}

/** The whole number of `key`. @throws KedgeError `bad-config` outside of `range` */
export function readInteger<Absent>(
  entries: ConfigEntries,
  key: string,
  range: { readonly min: number; readonly max: number; readonly absent: Absent },
): number | Absent {
  const entry = entries.get(key);
  if (entry === undefined) return range.absent;
  const value = /^\d+$/.test(entry.value) ? Number(entry.value) : Number.NaN;
  if (!(value >= range.min && value <= range.max)) {
    throw configError(entry, `${key} is "${entry.value}", must be a whole number from ${range.min} to ${range.max}`);
  }
  return value;
}

/** The boolean of `key`. @throws KedgeError `bad-config` */
export function readBoolean(entries: ConfigEntries, key: string, absent: boolean): boolean {
  const entry = entries.get(key);
  if (entry === undefined) return absent;
  return parsePveBoolean(entry.value) ?? fail(entry, `${key} is "${entry.value}", must be 0 or 1`);
}

/** One of a list of words. @throws KedgeError `bad-config` that names them */
export function readWord<Word extends string>(
  entry: ConfigEntry,
  written: { readonly name: string; readonly value: string; readonly words: readonly Word[] },
): Word {
  const word = written.words.find((candidate) => candidate === written.value);
  return word ?? fail(entry, `${written.name} is "${written.value}", must be one of ${written.words.join(', ')}`);
}

/** The property string of `entry`. @throws KedgeError `bad-config` at the column of the bad part */
export function readProperties(
  entry: ConfigEntry,
  options: { readonly defaultKey?: string; readonly aliases?: Readonly<Record<string, string>> },
): PropertyString {
  try {
    return parsePropertyString(entry.value, options);
  } catch (error) {
    if (!(error instanceof PropertyStringError)) throw error;
    throw configError({ line: entry.line, column: entry.column + error.offset }, `${entry.key}: ${error.message}`);
  }
}

/** Throws the complaint about the value of `entry`. */
export function fail(entry: ConfigEntry, problem: string): never {
  throw configError(entry, problem);
}
