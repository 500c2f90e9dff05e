import type { ConfigPart, ConfigSection, ConfigText } from './guest-config-text.js';

const SECTION_ORDER = ['pending', 'special', 'snapshot', 'unknown'] as const;

/** Prints as PVE does: description, keys by name, raw lines; pending changes, special sections, snapshots by name; always with an end of line. */
export function printConfigText(config: ConfigText): string {
  const lines = [
    ...partLines(config),
    ...sortSections(config.sections).flatMap((section) => ['', `[${section.name}]`, ...partLines(section), ...section.lines]),
  ];
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function partLines({ descriptionLines, entries, rawEntries }: ConfigPart): readonly string[] {
  return [
    ...descriptionLines.map((line) => `#${line}`),
    ...entries.toSorted((left, right) => compareText(left.key, right.key)).map(({ key, value }) => `${key}: ${value}`),
    ...rawEntries.map(({ key, value }) => `${key}: ${value}`),
  ];
}

function sortSections(sections: readonly ConfigSection[]): readonly ConfigSection[] {
  return SECTION_ORDER.flatMap((kind) => {
    const ofKind = sections.filter((section) => section.kind === kind);
    return kind === 'unknown' ? ofKind : ofKind.toSorted((left, right) => compareText(left.name, right.name));
  });
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
