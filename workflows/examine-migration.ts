import { isCancellation, sleep, type LocalActivityInterfaceFor } from '@temporalio/workflow';
import type { ControlActivities } from '../activities/interface-control.js';
import type { SourceInspection } from '../activities/interface.js';
import { checkMigration } from '../src/domain/check-migration.js';
import { finding, isBlocker, type CheckId, type Finding } from '../src/domain/checks.js';
import { checkForecast, forecastMigration, type CopyLimits, type Forecast } from '../src/domain/forecast.js';
import type { NodeName } from '../src/domain/ids.js';
import { DEFAULT_MAX_DOWNTIME_MS, type MigrationOptions } from '../src/domain/migration.js';
import type { NodeStatus } from '../src/domain/node-facts.js';
import { readFailure } from '../src/domain/read-failure.js';
import type { ResolvedMigration } from '../src/domain/resolve-migration-options.js';
import { onNode } from './on-node.js';
import { instantMs, workflowTimeMs } from './workflow-time.js';

/** A migration that is thought about. */
export interface Question {
  readonly migration: Omit<ResolvedMigration, 'requestedBy'>;
  readonly control: LocalActivityInterfaceFor<ControlActivities>;
  /** Is told as soon as the source is known. */
  readonly found: (source: NodeName) => void;
}

export interface Examination {
  readonly findings: readonly Finding[];
  readonly guest: SourceInspection['guest'];
  readonly forecast: Forecast | null;
  /** Storages that the target says all nodes share. */
  readonly sharedStorages: readonly string[];
}

/**
 * What an inventory that is older than the guest's last move or start looks like. Inventories come with heartbeats, so they tell
 * of a moment one or two seconds ago: a guest that has just arrived would be refused as being where it was.
 */
const OLD_NEWS: readonly CheckId[] = ['guest-unknown', 'same-node', 'record-unsettled'];
const LOOKS = 4;

/** Finds the guest, asks both nodes, and judges what they say; looks again where that may rest on old news. Changes nothing. */
export async function examineMigration(question: Question): Promise<Examination> {
  for (let looks = 1; ; looks += 1) {
    const { certain, ...examination } = await examineOnce(question);
    const mayBeOld = !certain && examination.findings.some((found) => isBlocker(found) && OLD_NEWS.includes(found.id));
    if (!mayBeOld || looks === LOOKS) return examination;
    await sleep(question.migration.timings.lookAgainMs);
  }
}

/** `certain`: the source was named by the user, or the node itself said that it has the guest. */
async function examineOnce(question: Question): Promise<Examination & { readonly certain: boolean }> {
  const { migration, control } = question;
  const { vmid, target, options, timings } = migration;
  const survey = await control.surveyCluster({ vmid, source: migration.source, target });
  const source = migration.source ?? survey.holders[0]?.node ?? null;
  if (source === null) return { findings: [guestUnknown(vmid)], guest: null, forecast: null, sharedStorages: [], certain: false };
  question.found(source);

  const known = {
    vmid,
    source,
    target,
    targetStorage: options.targetStorage,
    nodes: survey.nodes,
    targetStatus: survey.target,
    blackouts: survey.blackouts,
    // What saves guests is never held back.
    pressing: options.ignoreBlackout || migration.priority === 'failure',
  };
  if (source === target || !survey.nodes.includes(target)) {
    const findings = checkMigration({ ...known, sourceSide: 'unasked', targetSide: 'unasked' });
    return {
      findings,
      guest: null,
      forecast: null,
      sharedStorages: [],
      certain: migration.source !== null || source !== target || (await ownsGuest(question)),
    };
  }
  const [sourceSide, targetSide] = await Promise.all([
    answerUnlessSilent(question, survey.source, () => namingKind(onNode(source, timings).ping.inspectSource({ vmid, target, options }))),
    answerUnlessSilent(question, survey.target, () => onNode(target, timings).ping.inspectTarget({ vmid, source, options })),
  ]);
  const findings = checkMigration({ ...known, sourceSide, targetSide });
  const limits = limitsOf(sourceSide, migration);
  const forecast = sourceSide === 'silent' ? null : forecastOf(sourceSide, { options, limits });
  return {
    findings: forecast === null ? findings : [...findings, ...checkForecast(forecast, { timeoutMs: options.timeoutMs, ...limits })],
    guest: sourceSide === 'silent' ? null : sourceSide.guest,
    forecast,
    sharedStorages: targetSide === 'silent' ? [] : targetSide.inventory.storages.filter(({ shared }) => shared).map(({ id }) => id),
    certain: migration.source !== null,
  };
}

/** An older node, or one that can't tell, leaves it at the options. */
function limitsOf(side: SourceInspection | 'silent', { options }: Question['migration']): CopyLimits {
  const told = side === 'silent' ? undefined : side.guest?.limits;
  return told ?? { bandwidthLimit: options.bandwidthLimit ?? 0, maxDowntimeMs: options.maxDowntimeMs ?? DEFAULT_MAX_DOWNTIME_MS };
}

function forecastOf({ guest, link }: SourceInspection, { options, limits }: { options: MigrationOptions; limits: CopyLimits }): Forecast | null {
  if (guest === null) return null;
  const { movement = null, memoryBytes, touchedBytes = null, volumes } = guest;
  if (movement === null) return null;
  return forecastMigration({ kind: movement, memoryBytes, touchedBytes, volumes, link: link ?? null, options, limits });
}

/** Nodes, and histories, from before there was another kind than live name none. */
async function namingKind(asked: Promise<SourceInspection>): Promise<SourceInspection> {
  const side = await asked;
  if (side.guest === null || Object.hasOwn(side.guest, 'movement')) return side;
  return { ...side, guest: { ...side.guest, movement: 'live' } };
}

/** A frozen worker may be handed the question and never answer; one that has been silent for long is not asked. */
async function answerUnlessSilent<Answer>({ migration }: Question, status: NodeStatus | null, ask: () => Promise<Answer>): Promise<Answer | 'silent'> {
  const since = status?.silentSince ?? null;
  const isLongSilent = since !== null && workflowTimeMs() - instantMs(since) > migration.timings.silentAfterMs;
  return isLongSilent ? 'silent' : answerOf(ask);
}

/** Does the target itself say that the guest is there already? */
async function ownsGuest({ migration }: Question): Promise<boolean> {
  const { vmid, target, options, timings } = migration;
  const answer = await answerOf(() => onNode(target, timings).ping.inspectTarget({ vmid, source: target, options }));
  return answer !== 'silent' && answer.view.record.kind === 'record' && answer.view.record.record.state === 'owned';
}

async function answerOf<Answer>(ask: () => Promise<Answer>): Promise<Answer | 'silent'> {
  try {
    return await ask();
  } catch (error) {
    if (!isCancellation(error) && readFailure(error).answer !== 'given') return 'silent';
    throw error;
  }
}

function guestUnknown(vmid: number): Finding {
  return finding(
    'guest-unknown',
    `No node that answers has a guest ${vmid}`,
    'List the guests with "kedge guest list", or name the source if its node is silent',
  );
}
