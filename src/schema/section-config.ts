/**
 * PVE's files of sections: `type: id` at column 0, then indented `key value` lines; a blank line ends a section, `#` lines are ignored.
 */
import type { ConfigProblem } from './config-problem.js';

/** One `key value` line; `column` is the value's, or the key's when it has none. */
export interface SectionProperty {
  readonly key: string;
  /** null: the key stands alone, as a flag that is set. */
  readonly value: string | null;
  readonly line: number;
  readonly column: number;
}

export interface Section {
  readonly type: string;
  readonly id: string;
  /** Line of its header. */
  readonly line: number;
  readonly properties: readonly SectionProperty[];
}

type SectionInWork = Section & { readonly properties: SectionProperty[] };

const HEADER = /^(\S+):[ \t]*(\S+)[ \t]*$/;
const PROPERTY = /^([ \t]+)(\S+)(?:([ \t]+)(.*[^ \t]))?[ \t]*$/;

/** Splits a file into its sections and collects all that PVE could not read or would leave out. */
export function readSectionConfig(source: string): { readonly sections: readonly Section[]; readonly problems: readonly ConfigProblem[] } {
  const sections: SectionInWork[] = [];
  const problems: ConfigProblem[] = [];
  let current: SectionInWork | undefined;
  for (const [index, raw] of source.split('\n').entries()) {
    const text = raw.replace(/\r$/, '');
    const line = index + 1;
    const complain = (severity: ConfigProblem['severity'], message: string, column = 1): void => void problems.push({ severity, line, column, message });
    if (text.trim() === '') {
      if (text !== '') complain('warning', 'a line of blanks ends no section for PVE: make it empty');
      current = undefined;
    } else if (/^[ \t]*#/.test(text)) continue;
    else if (/^[ \t]/.test(text)) {
      const property = readProperty(text, line);
      if (property === undefined) complain('error', `"${text.trim()}" is no "key value"`);
      else if (current === undefined) complain('error', `"${text.trim()}" stands outside of a section`);
      else if (current.properties.some(({ key }) => key === property.key)) complain('error', `"${property.key}" is given twice`);
      else current.properties.push(property);
    } else {
      const [, type, id] = HEADER.exec(text) ?? [];
      if (current !== undefined) complain('error', 'an empty line must stand before a new section');
      if (type === undefined || id === undefined) {
        complain('error', `"${text}" is no "type: id"`);
        continue;
      }
      if (sections.some((section) => section.id === id)) complain('error', `"${id}" is defined twice`, text.lastIndexOf(id) + 1);
      current = { type: type.toLowerCase(), id, line, properties: [] };
      sections.push(current);
    }
  }
  return { sections, problems };
}

/** Prints sections as PVE does: a tab before each property, an empty line after each section. */
export function printSectionConfig(sections: readonly Section[]): string {
  return sections
    .map(({ type, id, properties }) => {
      const lines = properties.map(({ key, value }) => `\t${key}${value === null ? '' : ` ${value}`}\n`);
      return `${type}: ${id}\n${lines.join('')}\n`;
    })
    .join('');
}

function readProperty(text: string, line: number): SectionProperty | undefined {
  const [, indent, key, gap, value] = PROPERTY.exec(text) ?? [];
  if (indent === undefined || key === undefined) return undefined;
  const column = indent.length + 1;
  return value === undefined || gap === undefined ? { key, value: null, line, column } : { key, value, line, column: column + key.length + gap.length };
}
