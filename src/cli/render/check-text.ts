import { SEVERITIES, type Finding, type Severity } from '../../domain/checks.js';
import type { MigrationCheck, TargetCheck } from '../../domain/migration-check.js';
import { bytesSpan, durationSpan } from './span-text.js';
import { renderTable, type Column } from './table.js';

const TARGETS: readonly Column<TargetCheck>[] = [
  { heading: 'TARGET', cell: ({ target }) => target },
  { heading: 'VERDICT', cell: ({ possible }) => (possible ? 'possible' : 'refused') },
  { heading: 'BLOCKERS', cell: ({ findings }) => count(findings, 'blocker'), align: 'right' },
  { heading: 'WARNINGS', cell: ({ findings }) => count(findings, 'warning'), align: 'right' },
  { heading: 'MOVES', cell: ({ kind }) => kind ?? '-' },
  { heading: 'TAKES', cell: ({ forecast }) => (forecast === null ? '-' : durationSpan(forecast.durationMs)) },
  { heading: 'STANDS STILL', cell: ({ forecast }) => downtimeText(forecast) },
  { heading: 'SENDS', cell: ({ forecast }) => (forecast === null ? '-' : bytesSpan(forecast.bytes)) },
];

const FINDINGS: readonly Column<Finding>[] = [
  { heading: 'SEVERITY', cell: ({ severity }) => severity },
  { heading: 'ID', cell: ({ id }) => id },
  { heading: 'FINDING', cell: ({ text }) => text },
  { heading: 'WHAT TO DO', cell: ({ remedy }) => remedy },
];

/** A check for people: all targets side by side, then what was found of each, the worst first. */
export function checkText({ vmid, source, targets }: MigrationCheck): string {
  return [
    `Guest ${String(vmid)} on ${source ?? 'no node that answers'}\n\n`,
    targets.length === 0 ? 'There is no other node\n' : renderTable(TARGETS, targets),
    ...targets.filter(({ findings }) => findings.length > 0).map(({ target, findings }) => `\n${target}\n${renderTable(FINDINGS, worstFirst(findings))}`),
  ].join('');
}

function downtimeText(forecast: TargetCheck['forecast']): string {
  if (forecast === null) return '-';
  return forecast.downtimeMs === null ? 'is off' : durationSpan(forecast.downtimeMs);
}

const count = (findings: readonly Finding[], severity: Severity): string => String(findings.filter((found) => found.severity === severity).length);

function worstFirst(findings: readonly Finding[]): readonly Finding[] {
  return SEVERITIES.flatMap((severity) => findings.filter((found) => found.severity === severity));
}
