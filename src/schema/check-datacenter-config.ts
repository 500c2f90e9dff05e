import { checkValue } from './check-value.js';
import { canonicalDescription } from './config-description.js';
import type { ConfigProblem } from './config-problem.js';
import { DATACENTER_KEYS } from './datacenter-config-schema.js';
import type { ConfigEntry } from './guest-config-text.js';
import { parsePveBoolean } from './property-string.js';
import { typeOfKey } from './value-type.js';

export interface DatacenterConfigText {
  /** PVE since 6 writes an empty line before the keys even when there is no description. */
  readonly startsEmpty: boolean;
  readonly descriptionLines: readonly string[];
  readonly entries: readonly ConfigEntry[];
}

/** Reads datacenter.cfg and everything that is wrong with it, in the order of its lines. Never throws. */
export function checkDatacenterConfig(source: string): DatacenterConfigText & { readonly problems: readonly ConfigProblem[] } {
  const { problems, ...text } = readDatacenterConfig(source);
  const found = [...problems, ...text.entries.flatMap(checkDatacenterEntry)];
  return { ...text, problems: found.toSorted((left, right) => left.line - right.line || left.column - right.column) };
}

/** Splits datacenter.cfg into its lines and collects those that PVE could not read; the values are not judged. */
export function readDatacenterConfig(source: string): DatacenterConfigText & { readonly problems: readonly ConfigProblem[] } {
  const descriptionLines: string[] = [];
  const entries: ConfigEntry[] = [];
  const problems: ConfigProblem[] = [];
  for (const [index, raw] of source.split('\n').entries()) {
    const text = raw.replace(/[ \t\r\f\v]+$/, '');
    const line = index + 1;
    if (raw.startsWith('#')) descriptionLines.push(raw.slice(1).replace(/\r$/, ''));
    if (text === '' || /^[ \t]*#/.test(text)) continue;
    const [, indent, key, gap, value] = /^([ \t]*)(\S+?):([ \t]*)(.*)$/.exec(text) ?? [];
    if (indent === undefined || key === undefined || gap === undefined || value === undefined) {
      problems.push({ severity: 'error', line, column: 1, message: `"${text}" is no "key: value"` });
      continue;
    }
    const entry = { key, value, line, column: indent.length + key.length + gap.length + 2 };
    if (entries.some((other) => other.key === key))
      problems.push({ severity: 'error', line, column: indent.length + 1, message: `key "${key}" is given twice` });
    else entries.push(entry);
  }
  return { startsEmpty: /^\r?\n/.test(source), descriptionLines, entries, problems };
}

/**
 * Prints as PVE does: description and an empty line, keys. PVE writes keys in no order of its own, and property strings as they were given or in
 * order: both stay as they are, so that what PVE wrote is not changed.
 */
export function printDatacenterConfig({ startsEmpty, descriptionLines, entries }: DatacenterConfigText): string {
  const lines = entries.map(({ key, value }) => `${key}: ${canonicalValue(key, value)}\n`);
  const description = canonicalDescription(descriptionLines).map((line) => `#${line}\n`);
  return [...description, ...(description.length > 0 || startsEmpty ? ['\n'] : []), ...lines].join('');
}

/** All that is wrong with one key. */
export function checkDatacenterEntry({ key, value, line, column }: ConfigEntry): readonly ConfigProblem[] {
  const type = typeOfKey(DATACENTER_KEYS, key);
  if (type === undefined) return [{ severity: 'warning', line, column: 1, message: `key "${key}" is unknown, it is kept as it is` }];
  if (key === 'description') return [{ severity: 'warning', line, column: 1, message: 'PVE reads the description from lines that begin with # only' }];
  return checkValue(key, type, value).map(({ offset, message }) => ({ severity: 'error', line, column: column + offset, message }));
}

function canonicalValue(key: string, value: string): string {
  const flag = typeOfKey(DATACENTER_KEYS, key)?.type === 'boolean' ? parsePveBoolean(value) : undefined;
  return flag === undefined ? value : flag ? '1' : '0';
}
