import type { Span } from '../../domain/forecast.js';
import { formatBytes } from '../../domain/format-bytes.js';
import { formatDuration } from '../../domain/format-duration.js';
import type { CopyRound, MigrationStory, StepReport } from '../../domain/migration.js';
import { bytesSpan, durationSpan, judgeSpan } from './span-text.js';
import { renderTable, type Column } from './table.js';

const STEP_COLUMNS: readonly Column<StepReport>[] = [
  { heading: 'STEP', cell: (step) => step.step },
  { heading: 'OUTCOME', cell: (step) => step.outcome },
  { heading: 'STARTED', cell: (step) => clockTime(step.startedAt) },
  { heading: 'TOOK', cell: (step) => formatDuration(step.durationMs), align: 'right' },
  { heading: 'FAILURE', cell: (step) => (step.failure === undefined ? '' : `${step.failure.code}: ${step.failure.message}`) },
];

const ROUND_COLUMNS: readonly Column<CopyRound>[] = [
  { heading: 'ROUND', cell: (round) => String(round.round), align: 'right' },
  { heading: 'SENT', cell: (round) => formatBytes(round.bytesSent), align: 'right' },
  { heading: 'LEFT', cell: (round) => formatBytes(round.bytesLeft), align: 'right' },
  { heading: 'TOOK', cell: (round) => formatDuration(round.durationMs), align: 'right' },
];

export interface StoryTextOptions {
  readonly nowMs: number;
  /** The longest gap that an observer outside saw. */
  readonly witnessGapMs?: number;
  /** Its workflow failed. */
  readonly failed?: boolean;
  /** Calls that are being repeated now, each with the reason. */
  readonly repeated?: readonly string[];
}

/** The whole story of one migration for people. */
export function storyText(story: MigrationStory, options: StoryTextOptions): string {
  const facts: readonly (readonly [string, string])[] = [
    ['guest', String(story.vmid)],
    ['way', `${story.source ?? '?'} → ${story.target}`],
    ['asked by', story.requestedBy],
    ['started', `${story.startedAt}, ${tookText(story, options.nowMs)}`],
    ['settings', settingsText(story)],
    ['RAM sent', `${formatBytes(story.bytesSent)} in ${String(story.rounds.length)} ${story.rounds.length === 1 ? 'round' : 'rounds'}`],
    ['blackout', blackoutText(story, options.witnessGapMs)],
  ];
  return [
    `Migration ${story.id ?? `of guest ${String(story.vmid)}`}: ${story.outcome ?? (options.failed === true ? 'failed' : story.phase)}\n`,
    ...facts.map(([name, text]) => `  ${name.padEnd(9)} ${text}\n`),
    ...forecastFacts(story).map(([name, text]) => `  ${name.padEnd(9)} ${text}\n`),
    ...story.warnings.map((warning) => `  warning   ${warning}\n`),
    ...(options.repeated ?? []).map((call) => `  repeated  ${call}\n`),
    story.steps.length > 0 ? `\n${renderTable(STEP_COLUMNS, story.steps)}` : '',
    story.rounds.length > 0 ? `\n${renderTable(ROUND_COLUMNS, story.rounds)}` : '',
    questionText(story),
  ].join('');
}

function tookText(story: MigrationStory, nowMs: number): string {
  const startedMs = Date.parse(story.startedAt);
  return story.endedAt === null ? `runs for ${formatDuration(nowMs - startedMs)}` : `took ${formatDuration(Date.parse(story.endedAt) - startedMs)}`;
}

function settingsText({ kind, options }: MigrationStory): string {
  return [
    ...(kind === null ? [] : [kind]),
    options.type,
    ...(options.network == null ? [] : [`over ${options.network}`]),
    bandwidthText(options.bandwidthLimit),
    options.maxDowntimeMs === null ? "downtime as the guest's config has it" : `downtime up to ${formatDuration(options.maxDowntimeMs)}`,
    options.timeoutMs === 0 ? 'no timeout' : `timeout ${formatDuration(options.timeoutMs)}`,
    `when it stalls: ${options.onStall}`,
    ...(options.hold ? [`held ${options.holdUntil === undefined ? 'until released' : `until ${options.holdUntil}`}`] : []),
  ].join(', ');
}

function bandwidthText(limit: number | null): string {
  if (limit === null) return 'bandwidth as the storages and datacenter.cfg have it';
  return limit === 0 ? 'no bandwidth limit' : `at most ${formatBytes(limit)}/s`;
}

function blackoutText(story: MigrationStory, witnessGapMs: number | undefined): string {
  const witness = witnessGapMs === undefined ? '' : `; the witness outside saw a gap of ${formatDuration(witnessGapMs)}`;
  if (story.blackout === null) return `none measured${witness}`;
  const { stopToResumeMs, qemuDowntimeMs } = story.blackout;
  return `${formatDuration(stopToResumeMs)} from STOP to RESUME, QEMU's own count ${formatDuration(qemuDowntimeMs)}${witness}`;
}

/** What the checks foresaw beside what happened; the latter only once it has. */
function forecastFacts(story: MigrationStory): readonly (readonly [string, string])[] {
  const forecast = story.forecast ?? null;
  if (forecast === null) return [];
  // A hold takes as long as its operator wants.
  const tookMs = story.endedAt === null || story.options.hold ? null : Date.parse(story.endedAt) - Date.parse(story.startedAt);
  const stoodStillMs = story.kind === 'live' ? (story.blackout?.stopToResumeMs ?? null) : story.downtimeMs;
  const isOver = story.outcome === 'migrated';
  return [
    ['foreseen', compared('takes', { span: forecast.durationMs, actual: isOver ? tookMs : null, format: 'duration' })],
    ...(forecast.downtimeMs === null
      ? []
      : [['', compared('stands still for', { span: forecast.downtimeMs, actual: isOver ? stoodStillMs : null, format: 'duration' })] as const]),
    ['', compared('sends', { span: forecast.bytes, actual: isOver ? story.bytesSent : null, format: 'bytes' })],
  ];
}

function compared(what: string, { span, actual, format }: { span: Span; actual: number | null; format: 'duration' | 'bytes' }): string {
  const [spanText, valueText] = format === 'duration' ? [durationSpan(span), formatDuration] : [bytesSpan(span), formatBytes];
  return `${what} ${spanText}${actual === null ? '' : `; it was ${valueText(actual)}, ${judgeSpan(span, actual)}`}`;
}

function questionText(story: MigrationStory): string {
  if (story.question === null) return '';
  const { step, code, message, since, choices } = story.question;
  const id = story.id ?? String(story.vmid);
  return [
    `\nA decision is needed since ${since}, at the step ${step}: ${message} [${code}]\n`,
    ...Object.entries(choices).map(([decision, effect]) => `  kedge migration decide ${id} ${decision.padEnd(8)} ${effect}\n`),
  ].join('');
}

/** Time of day with milliseconds, as the workflow wrote it (UTC). */
function clockTime(instant: string): string {
  return /T([\d:.]+)/.exec(instant)?.[1] ?? instant;
}
