/**
 * The lines of a guest's config file in PVE's grammar, before any key gets a meaning.
 * Nothing is lost: keys that Kedge doesn't know, sections and descriptions are printed back as they were read.
 * A line may end with CR LF; PVE takes the CR for a blank, too, but keeps it in descriptions, where nobody wants it.
 */
import { throwFirstError, type ConfigProblem } from './config-problem.js';
import { VM_DIALECT, type ConfigDialect, type SectionKind } from './guest-config-dialect.js';

/** One `key: value`, with its place in the file for messages (both from 1; `column` is the value's). */
export interface ConfigEntry {
  readonly key: string;
  readonly value: string;
  readonly line: number;
  readonly column: number;
}

/** What the main section and every other one hold. */
export interface ConfigPart {
  /** Lines after `#`, percent-encoded as PVE writes them. */
  readonly descriptionLines: readonly string[];
  readonly entries: readonly ConfigEntry[];
  /** `lxc.…` lines of a container in their order; a key may repeat. */
  readonly rawEntries: readonly ConfigEntry[];
}

/** A `[name]` section: a snapshot, the pending changes, … */
export interface ConfigSection extends ConfigPart {
  readonly name: string;
  readonly kind: SectionKind;
  /** Line of its header. */
  readonly line: number;
  /** All lines as they are, of an unknown section only. */
  readonly lines: readonly string[];
}

export interface ConfigText extends ConfigPart {
  readonly sections: readonly ConfigSection[];
}

interface PartInWork {
  readonly descriptionLines: string[];
  readonly entries: ConfigEntry[];
  readonly rawEntries: ConfigEntry[];
  /** PVE appends what follows a `description:` to its text, without a new line. */
  openDescription: boolean;
}

type SectionInWork = PartInWork & { readonly name: string; readonly kind: SectionKind; readonly line: number; readonly lines: string[] };

/** Blanks as PVE knows them; `\s` of JavaScript has more, such as the no-break space. */
const BLANK = '[ \\t\\r\\f\\v]';
const HEADER = new RegExp(`^\\[([^\\]]*)\\]${BLANK}*$`);
const ENTRY = new RegExp(`^([^:]*):(${BLANK}*)(.*)$`);

/** Splits a VM's config file into its parts. @throws KedgeError `bad-config` with line and column of the first error */
export function parseConfigText(source: string): ConfigText {
  const { text, problems } = readConfigText(source, VM_DIALECT);
  throwFirstError(problems, VM_DIALECT.what);
  return text;
}

/** Splits a config file into its parts and collects all that PVE could not read. */
export function readConfigText(source: string, dialect: ConfigDialect): { readonly text: ConfigText; readonly problems: readonly ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const main = newPart();
  const sections: SectionInWork[] = [];
  for (const [index, raw] of source.split('\n').entries()) {
    const line = raw.replace(/\r$/, '');
    const place = { line: index + 1, column: 1 };
    const section = sections.at(-1);
    if (trimEnd(line) === '') continue;
    const name = HEADER.exec(line)?.[1];
    const header = name === undefined ? undefined : dialect.section(name);
    if (header !== undefined) {
      if (sections.some((other) => other.name === header.name)) {
        problems.push({ severity: 'error', ...place, message: `section [${header.name}] is given twice` });
      }
      if (header.kind === 'unknown') problems.push({ severity: 'warning', ...place, message: `section [${header.name}] is unknown` });
      sections.push({ ...newPart(), ...header, line: place.line, lines: [] });
    } else if (section?.kind === 'unknown') section.lines.push(trimEnd(line));
    else {
      const problem = readLine(section ?? main, { line, number: place.line, dialect, isPending: section?.kind === 'pending' });
      if (problem !== undefined) problems.push({ severity: 'error', line: place.line, ...problem });
    }
  }
  return { text: { ...closePart(main), sections: sections.map(closeSection) }, problems };
}

type Complaint = { readonly column: number; readonly message: string } | undefined;

function readLine(
  part: PartInWork,
  { line, number, dialect, isPending }: { readonly line: string; readonly number: number; readonly dialect: ConfigDialect; readonly isPending: boolean },
): Complaint {
  if (line.startsWith('#')) {
    addDescription(part, line.slice(1));
    return undefined;
  }
  const raw = dialect.rawLine?.exec(line)?.groups;
  if (raw?.['key'] !== undefined && raw['value'] !== undefined) {
    part.rawEntries.push({ key: raw['key'], value: trimEnd(raw['value']), line: number, column: line.length - raw['value'].length + 1 });
    return undefined;
  }
  const [, key, gap, rest] = ENTRY.exec(line) ?? [];
  if (key === undefined || gap === undefined || rest === undefined || !dialect.key.test(key)) {
    return { column: 1, message: `"${shorten(line)}" is no "key: value"` };
  }
  const value = trimEnd(rest);
  const column = key.length + gap.length + 2;
  // With a blank it is an empty value, as PVE itself writes it for a boot order of nothing.
  if (value === '' && gap === '') return { column: key.length + 2, message: `key "${key}" has no value` };
  if (key === 'description') {
    addDescription(part, value);
    part.openDescription = true;
    return undefined;
  }
  if (part.entries.some((entry) => entry.key === key)) return { column: 1, message: `key "${key}" is given twice` };
  part.entries.push({ key, value, line: number, column });
  return key === 'delete' && !isPending ? { column: 1, message: 'key "delete" may only stand in the section of pending changes' } : undefined;
}

function addDescription(part: PartInWork, text: string): void {
  const last = part.openDescription ? part.descriptionLines.pop() : undefined;
  part.descriptionLines.push(`${last ?? ''}${text}`);
  part.openDescription = false;
}

function newPart(): PartInWork {
  return { descriptionLines: [], entries: [], rawEntries: [], openDescription: false };
}

function closePart({ descriptionLines, entries, rawEntries }: PartInWork): ConfigPart {
  return { descriptionLines, entries, rawEntries };
}

function closeSection({ name, kind, line, lines, ...part }: SectionInWork): ConfigSection {
  return { name, kind, line, lines, ...closePart(part) };
}

function trimEnd(text: string): string {
  return text.replace(/[ \t\r\f\v]+$/, '');
}

function shorten(line: string): string {
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
}
