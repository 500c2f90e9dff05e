import { assertNever } from '../../domain/assert-never.js';
import { formatDuration } from '../../domain/format-duration.js';
import type { Occurrence, WindowDefinition } from '../../domain/window/window.js';
import type { UnreadableWindow, WindowView } from '../../client/window/window-verbs.js';
import { renderTable } from './table.js';

/** A window with its next occurrences. */
export type ShownWindow = WindowView & { readonly next: readonly Occurrence[] };

/** All windows, also those that can't be read. */
export function windowTable(rows: readonly (ShownWindow | UnreadableWindow)[]): string {
  const cell = (show: (row: ShownWindow) => string) => (row: ShownWindow | UnreadableWindow) => ('problem' in row ? '-' : show(row));
  const table = renderTable(
    [
      { heading: 'WINDOW', cell: (row) => ('problem' in row ? row.name : row.definition.name) },
      { heading: 'STATE', cell: (row) => ('problem' in row ? 'unreadable' : stateOf(row)) },
      { heading: 'NODES', cell: cell(({ definition }) => definition.nodes?.join(',') ?? 'all') },
      { heading: 'WORK', cell: cell(({ definition }) => definition.work.kind) },
      { heading: 'NEXT', cell: cell(({ next }) => next[0]?.opensAt ?? 'never') },
      { heading: 'LAST', cell: cell(({ report }) => report?.end ?? '-') },
    ],
    rows,
  );
  return table + rows.flatMap((row) => ('problem' in row ? [`  ${row.name}: ${row.problem}\n`] : [])).join('');
}

/** One window: what it does, what it is at, how its last opening went, and when it opens next. */
export function windowText(shown: ShownWindow): string {
  const { definition, skipped, report, upkeep, next } = shown;
  const { zone } = definition;
  return [
    windowTable([shown]),
    ...plan(definition).map((line) => `  ${line}\n`),
    ...(report?.warning == null ? [] : [`Warning: ${report.warning}\n`]),
    ...upkeep.map(({ node, phase, question }) => `  ${node}: ${phase}${question === null ? '' : `: ${question}`}\n`),
    ...(report?.outcomes ?? []).flatMap(({ node, result, reason, output }) => [
      `  ${node}: ${result}${reason === null ? '' : `: ${reason}`}\n`,
      ...(result === 'failed' ? linesOf(output) : []),
    ]),
    ...skipped.map((opensAt) => `Left out: ${localTime(opensAt, zone)} (${opensAt})\n`),
    `Next in ${zone}, and in UTC:\n`,
    ...next.map(({ opensAt, closesAt }) => `  ${localTime(opensAt, zone)}  ${opensAt} to ${closesAt}\n`),
  ].join('');
}

function stateOf({ running, paused }: WindowView): string {
  return running !== null ? 'open' : paused ? 'paused' : 'waiting';
}

function plan(definition: WindowDefinition): readonly string[] {
  const { start, rule, durationMs, lateMs, atOnce, healthCheck: check, onFailure, restore, force, parallel } = definition;
  return [
    `Opens: ${rule === null ? `once, at ${start}` : `${rule}, from ${start} on`}; for ${formatDuration(durationMs)}, at most ${formatDuration(lateMs)} late`,
    `Work: ${workText(definition)}`,
    ...(check === null ? [] : [`Check: ${check.command} (for up to ${formatDuration(check.timeoutMs)})`]),
    `Drain: ${parallel === null ? '' : `${String(parallel)} moves at a time; `}guests that it waits for are, halfway to the end, ${FORCED[force]}`,
    `Nodes: ${atOnce} at a time; failed work ${onFailure === 'stop' ? 'stops it' : 'does not stop it'}; guests ${restore ? 'come home' : 'stay away'}`,
  ];
}

const FORCED: Readonly<Record<WindowDefinition['force'], string>> = { offline: 'moved switched off', shutdown: 'shut down', skip: 'left' };

function workText({ work }: WindowDefinition): string {
  switch (work.kind) {
    case 'command':
      return `${work.command} (for up to ${formatDuration(work.timeoutMs)}${work.repeatable ? ', may run twice' : ''})`;
    case 'reboot':
      return `${work.command}, then a boot (each for up to ${formatDuration(work.timeoutMs)})`;
    case 'human':
      return `by a human: ${work.note}`;
    default:
      return assertNever(work);
  }
}

/** What a command printed, without what a terminal would take for its own. */
function linesOf(output: string | null): readonly string[] {
  return (output ?? '').split(/\r?\n/).flatMap((line) => (line.trim() === '' ? [] : [`    ${line.replace(/\p{Cc}/gu, '?')}\n`]));
}

/** `Tue 2099-06-02 22:00`. */
function localTime(instant: string, zone: string): string {
  const at = new Date(instant);
  const day = new Intl.DateTimeFormat('en', { timeZone: zone, weekday: 'short' }).format(at);
  return `${day} ${new Intl.DateTimeFormat('sv', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' }).format(at)}`;
}
