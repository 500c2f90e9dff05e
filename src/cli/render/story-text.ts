import type { Span } from '../../domain/forecast.js';
import { formatBytes } from '../../domain/format-bytes.js';
import { formatDuration } from '../../domain/format-duration.js';
import type { CopyProgress, CopyRound, MigrationOptions, MigrationStory, StepReport } from '../../domain/migration.js';
import { copyTexts } from './progress-text.js';
import { bytesSpan, durationSpan, judgeSpan } from './span-text.js';
import { renderTable, type Column } from './table.js';

const STEP_COLUMNS: readonly Column<StepReport>[] = [
  { heading: 'STEP', cell: (step) => step.step },
  { heading: 'OUTCOME', cell: (step) => step.outcome },
  { heading: 'STARTED', cell: (step) => clockTime(step.startedAt) },
  { heading: 'TOOK', cell: (step) => formatDuration(step.durationMs), align: 'right' },
  { heading: 'FAILURE', cell: (step) => (step.failure === undefined ? '' : `${step.failure.code}: ${step.failure.message}`) },
];

const SENT: Column<CopyRound> = { heading: 'SENT', cell: (round) => formatBytes(round.bytesSent), align: 'right' };
const TOOK: Column<CopyRound> = { heading: 'TOOK', cell: (round) => formatDuration(round.durationMs), align: 'right' };

const ROUND_COLUMNS: readonly Column<CopyRound>[] = [
  { heading: 'ROUND', cell: (round) => String(round.round), align: 'right' },
  SENT,
  { heading: 'LEFT', cell: (round) => formatBytes(round.bytesLeft), align: 'right' },
  TOOK,
];

/** What a guest has written since a pass over its disks, only the next pass finds: nothing is known of what is left. */
const PASS_COLUMNS: readonly Column<CopyRound>[] = [{ heading: 'PASS', cell: (round) => String(round.round), align: 'right' }, SENT, TOOK];

export interface StoryTextOptions {
  readonly nowMs: number;
  /** The longest gap that an observer outside saw. */
  readonly witnessGapMs?: number;
  /** Its workflow failed. */
  readonly failed?: boolean;
  /** How far the copy or the comparison is that is made now. */
  readonly progress?: CopyProgress | null;
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
    sentFact(story),
    standstillFact(story, options.witnessGapMs),
    ...progressFacts(options.progress ?? null),
  ];
  return [
    `Migration ${story.id ?? `of guest ${String(story.vmid)}`}: ${story.outcome ?? (options.failed === true ? 'failed' : story.phase)}\n`,
    ...facts.map(([name, text]) => `  ${name.padEnd(9)} ${text}\n`),
    ...forecastFacts(story).map(([name, text]) => `  ${name.padEnd(9)} ${text}\n`),
    ...story.warnings.map((warning) => `  warning   ${warning}\n`),
    ...(options.repeated ?? []).map((call) => `  repeated  ${call}\n`),
    story.steps.length > 0 ? `\n${renderTable(STEP_COLUMNS, story.steps)}` : '',
    story.rounds.length > 0 ? `\n${renderTable(copiesDisks(story) ? PASS_COLUMNS : ROUND_COLUMNS, story.rounds)}` : '',
    questionText(story),
  ].join('');
}

function progressFacts(progress: CopyProgress | null): readonly (readonly [string, string])[] {
  return progress === null ? [] : [['now', [progress.phase, ...copyTexts(progress)].join(' · ')]];
}

function tookText(story: MigrationStory, nowMs: number): string {
  const startedMs = Date.parse(story.startedAt);
  return story.endedAt === null ? `runs for ${formatDuration(nowMs - startedMs)}` : `took ${formatDuration(Date.parse(story.endedAt) - startedMs)}`;
}

/** Not live: what moves are disks, and the guest is off when it changes hands. */
export function copiesDisks({ kind }: Pick<MigrationStory, 'kind'>): boolean {
  return kind === 'restart' || kind === 'offline';
}

function settingsText(story: MigrationStory): string {
  const { kind, options } = story;
  return [
    ...(kind === null ? [] : [kind]),
    ...(copiesDisks(story) ? [] : [options.type]),
    ...(options.network == null ? [] : [`over ${options.network}`]),
    bandwidthText(options.bandwidthLimit),
    ...(copiesDisks(story) ? diskSettings(story) : ramSettings(options)),
    options.timeoutMs === 0 ? 'no timeout' : `timeout ${formatDuration(options.timeoutMs)}`,
    ...(copiesDisks(story) ? [] : [`when it stalls: ${options.onStall}`]),
    ...(options.hold ? [`held ${options.holdUntil === undefined ? 'until released' : `until ${options.holdUntil}`}`] : []),
  ].join(', ');
}

function ramSettings({ maxDowntimeMs }: MigrationOptions): readonly string[] {
  return [maxDowntimeMs === null ? "downtime as the guest's config has it" : `downtime up to ${formatDuration(maxDowntimeMs)}`];
}

function diskSettings({ kind, options }: MigrationStory): readonly string[] {
  return [
    ...(options.targetStorage === '' ? [] : [`storages ${options.targetStorage}`]),
    ...(kind === 'restart' ? [`shutdown within ${formatDuration(options.shutdownTimeoutMs)}, else ${options.onShutdownTimeout}`] : []),
    ...(options.presync ? [] : ['no pre-sync']),
    ...(options.keepSource ? ['disks kept on the source'] : []),
  ];
}

function bandwidthText(limit: number | null): string {
  if (limit === null) return 'bandwidth as the storages and datacenter.cfg have it';
  return limit === 0 ? 'no bandwidth limit' : `at most ${formatBytes(limit)}/s`;
}

function sentFact(story: MigrationStory): readonly [string, string] {
  const { length } = story.rounds;
  const sent = formatBytes(story.bytesSent);
  if (copiesDisks(story)) return ['disks', `${sent} sent in ${String(length)} ${length === 1 ? 'pass' : 'passes'}`];
  return ['RAM sent', `${sent} in ${String(length)} ${length === 1 ? 'round' : 'rounds'}`];
}

/** How long the guest stood still, or was off. */
function standstillFact(story: MigrationStory, witnessGapMs: number | undefined): readonly [string, string] {
  const witness = witnessGapMs === undefined ? '' : `; the witness outside saw a gap of ${formatDuration(witnessGapMs)}`;
  if (story.kind === 'offline') return ['downtime', `none counted: it was off before${witness}`];
  if (story.kind === 'restart') return ['downtime', `${downtimeText(story)}${witness}`];
  return ['blackout', `${blackoutText(story)}${witness}`];
}

function downtimeText({ downtimeMs }: MigrationStory): string {
  return downtimeMs === null ? 'none measured' : `${formatDuration(downtimeMs)} from its shutdown to its start`;
}

function blackoutText({ blackout }: MigrationStory): string {
  if (blackout === null) return 'none measured';
  return `${formatDuration(blackout.stopToResumeMs)} from STOP to RESUME, QEMU's own count ${formatDuration(blackout.qemuDowntimeMs)}`;
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
  const { step, code, message, since, choices, facts = [] } = story.question;
  const widest = Math.max(...Object.keys(choices).map(({ length }) => length), 8);
  const id = story.id ?? String(story.vmid);
  return [
    `\nA decision is needed since ${since}, at the step ${step}: ${message} [${code}]\n`,
    ...facts.map((fact) => `  ${fact}\n`),
    ...Object.entries(choices).map(([decision, effect]) => `  kedge migration decide ${id} ${decision.padEnd(widest)} ${effect}\n`),
  ].join('');
}

/** Time of day with milliseconds, as the workflow wrote it (UTC). */
function clockTime(instant: string): string {
  return /T([\d:.]+)/.exec(instant)?.[1] ?? instant;
}
