/**
 * Writes the in-doubt table as Promela: the constants of the view and one side-effect-free macro `DECIDE`.
 *
 * The model knows guests that are wanted running on shared disks; rows for other guests are left out.
 */
import type { Decision } from '../src/domain/decide.js';
import { ATTEMPT_STATES, SOURCE_RECORD_STATES, STREAM_STATES, TARGET_RECORD_STATES } from '../src/domain/in-doubt.js';
import type { InDoubtRow } from '../src/domain/in-doubt-row.js';
import { IN_DOUBT_TABLE } from '../src/domain/in-doubt-table.js';
import { QEMU_STATES } from '../src/domain/ownership.js';

/** The complete text of `model/decide.pml`. */
export function promelaTable(): string {
  const rows = IN_DOUBT_TABLE.filter(concernsTheModel);
  const actions: readonly Decision['do'][] = [...new Set<Decision['do']>(['needs-evidence', ...rows.map((row) => row.action.do)])];
  const sections = [
    '/* Generated from src/domain/in-doubt-table.ts by model/generate.ts: edit the table, then generate again. */',
    constants('Q', QEMU_STATES),
    constants('SR', SOURCE_RECORD_STATES),
    constants('TR', TARGET_RECORD_STATES),
    constants('AT', ATTEMPT_STATES),
    constants('ST', STREAM_STATES),
    constants('DO', actions),
    decideMacro(rows),
  ];
  return `${sections.join('\n\n')}\n`;
}

function concernsTheModel(row: InDoubtRow): boolean {
  return row.sharedDisks !== false && (row.wanted === undefined || row.wanted.includes('running'));
}

function constants(prefix: string, names: readonly string[]): string {
  return names.map((name, index) => `#define ${nameOf(prefix, name)} ${index}`).join('\n');
}

function nameOf(prefix: string, name: string): string {
  return `${prefix}_${name.toUpperCase().replaceAll('-', '_')}`;
}

/** Nested conditional expressions in the order of the table: the first row that matches decides. */
function decideMacro(rows: readonly InDoubtRow[]): string {
  const lines = rows.map((row) => `  (${conditionOf(row)} -> ${nameOf('DO', row.action.do)} : /* ${row.id} */`);
  return [
    '#define DECIDE(sq,sr,tr,tq,at,st,fz) \\',
    ...lines.map((line) => `${line} \\`),
    `  ${nameOf('DO', 'needs-evidence')}${')'.repeat(rows.length)}`,
  ].join('\n');
}

function conditionOf(row: InDoubtRow): string {
  const conditions = [
    memberOf('sq', row.sourceQemu, QEMU_STATES),
    memberOf('sr', row.sourceRecord, SOURCE_RECORD_STATES),
    memberOf('tr', row.targetRecord, TARGET_RECORD_STATES),
    memberOf('tq', row.targetQemu, QEMU_STATES),
    memberOf('at', row.attempt, ATTEMPT_STATES),
    memberOf('st', row.stream, STREAM_STATES),
    row.frozen === undefined ? null : row.frozen ? 'fz' : '!fz',
  ].filter((condition) => condition !== null);
  return conditions.length === 0 ? '1' : `(${conditions.join(' && ')})`;
}

/** Membership in a set of states as a test of one bit. */
function memberOf<T>(variable: string, allowed: readonly T[] | undefined, domain: readonly T[]): string | null {
  if (allowed === undefined) return null;
  const mask = allowed.reduce((bits, value) => bits | (1 << domain.indexOf(value)), 0);
  return `((1 << ${variable}) & ${mask})`;
}
