/**
 * The lines of a guest's config file in PVE's grammar (`qemu-server/<vmid>.conf`), before any key gets a meaning.
 * Nothing is lost: keys that Kedge doesn't know, sections and descriptions are printed back as they were read.
 */
import { KedgeError } from '../domain/kedge-error.js';

/** One `key: value` of the main section, with its place in the file for messages (both from 1; `column` is the value's). */
export interface ConfigEntry {
  readonly key: string;
  readonly value: string;
  readonly line: number;
  readonly column: number;
}

/** A `[name]` section (snapshot, PENDING, special:…) with its lines as they are. */
export interface ConfigSection {
  readonly name: string;
  readonly lines: readonly string[];
}

export interface ConfigText {
  /** Lines after `#`, percent-encoded as PVE writes them. */
  readonly descriptionLines: readonly string[];
  readonly entries: readonly ConfigEntry[];
  readonly sections: readonly ConfigSection[];
}

/** Splits a config file into its parts. @throws KedgeError `bad-config` with line and column */
export function parseConfigText(text: string): ConfigText {
  const descriptionLines: string[] = [];
  const entries: ConfigEntry[] = [];
  const sections: { name: string; lines: string[] }[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trimEnd();
    const section = sections.at(-1);
    const header = /^\[([^\]]*)\]\s*$/.exec(line)?.[1];
    if (header !== undefined) sections.push({ name: header, lines: [] });
    else if (line === '') continue;
    else if (section !== undefined) section.lines.push(line);
    else if (line.startsWith('#')) descriptionLines.push(line.slice(1));
    else {
      const entry = parseEntry(line, index + 1);
      if (entry.key === 'description') descriptionLines.push(entry.value);
      else if (entries.some(({ key }) => key === entry.key)) throw configError({ line: index + 1, column: 1 }, `key "${entry.key}" is given twice`);
      else entries.push(entry);
    }
  }
  return { descriptionLines, entries, sections };
}

/** Prints as PVE does: description, keys by name, sections in their order; always with an end of line. */
export function printConfigText(config: ConfigText): string {
  const lines = [
    ...config.descriptionLines.map((line) => `#${line}`),
    ...config.entries.map(({ key, value }) => `${key}: ${value}`.trimEnd()).sort(compareText),
    ...config.sections.flatMap(({ name, lines }) => ['', `[${name}]`, ...lines]),
  ];
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

/** A complaint about one place of a config file. */
export function configError(place: { readonly line: number; readonly column: number }, problem: string): KedgeError {
  return new KedgeError('bad-config', `Cannot read guest config at line ${place.line}, column ${place.column}: ${problem}`, {
    details: { line: place.line, column: place.column },
  });
}

/** Description as people read it: decoded, a newline after each line. */
export function decodeDescription(lines: readonly string[]): string {
  return lines.map((line) => `${percentDecode(line)}\n`).join('');
}

/** The lines of a description as PVE writes them: UTF-8, everything but printable ASCII, and `%` and `:`, percent-encoded. */
export function encodeDescription(text: string): readonly string[] {
  const lines = text.split('\n');
  while (lines.at(-1) === '') lines.pop();
  return lines.map((line) => [...Buffer.from(line, 'utf8')].map(percentEncode).join(''));
}

function parseEntry(line: string, number: number): ConfigEntry {
  const match = /^([a-z][a-z_-]*\d*):(\s*)(.*)$/.exec(line);
  if (match?.[1] === undefined || match[2] === undefined || match[3] === undefined) {
    throw configError({ line: number, column: 1 }, `"${line}" is no "key: value"`);
  }
  const [, key, gap, value] = match;
  // Only `args` may be empty: it is raw text.
  if (value === '' && key !== 'args') throw configError({ line: number, column: line.length + 1 }, `key "${key}" has no value`);
  return { key, value, line: number, column: key.length + gap.length + 2 };
}

function percentDecode(text: string): string {
  return text.replace(/(?:%[0-9a-fA-F]{2})+/g, (codes) => Buffer.from(codes.replaceAll('%', ''), 'hex').toString('utf8'));
}

function percentEncode(byte: number): string {
  const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25 && byte !== 0x3a;
  return plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
