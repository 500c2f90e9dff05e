import { ApplicationFailure, isCancellation, sleep } from '@temporalio/workflow';
import type { SourceInspection } from '../activities/interface.js';
import { checkMigration } from '../src/domain/check-migration.js';
import type { CheckId, Finding } from '../src/domain/checks.js';
import { KedgeError } from '../src/domain/kedge-error.js';
import type { MigrationKind } from '../src/domain/migration.js';
import type { NodeStatus } from '../src/domain/node-facts.js';
import { readFailure } from '../src/domain/read-failure.js';
import type { MigrationContext } from './migration-context.js';
import { instantMs, workflowTimeMs } from './workflow-time.js';

/** The guest of a migration that may start, and how it will move. */
export type ValidGuest = NonNullable<SourceInspection['guest']> & { readonly movement: MigrationKind };

/**
 * What an inventory that is older than the guest's last move or start looks like. Inventories come with heartbeats, so they tell
 * of a moment one or two seconds ago: a guest that has just arrived would be refused as being where it was.
 */
const OLD_NEWS: readonly CheckId[] = ['guest-unknown', 'same-node', 'record-unsettled'];
const LOOKS = 4;

/**
 * Finds the guest, asks both nodes, and judges what they say. Changes nothing. Answers what the guest is, as its source sees it.
 * @throws ApplicationFailure `migration-refused` with `details[0].findings`: all blockers at once.
 */
export async function validateMigration(context: MigrationContext): Promise<ValidGuest> {
  const { migration, story } = context;
  for (let looks = 1; ; looks += 1) {
    const { findings, guest, certain } = await examine(context);
    const blockers = findings.filter((finding) => finding.severity === 'blocker');
    if (blockers.length === 0) {
      const movement = guest?.movement === undefined ? 'live' : guest.movement;
      if (guest === null || movement === null)
        throw new KedgeError('internal', `Cannot migrate guest ${migration.vmid}: its source named neither the guest nor a reason`);
      for (const { text, remedy } of findings) story.warn(`${text}. ${remedy}`);
      story.ownedUnder(guest.generation);
      story.movesAs(movement);
      return { ...guest, movement };
    }
    const mayBeOld = !certain && blockers.some(({ id }) => OLD_NEWS.includes(id));
    if (!mayBeOld || looks === LOOKS) throw refusal(context, findings);
    await sleep(migration.timings.lookAgainMs);
  }
}

interface Examination {
  readonly findings: readonly Finding[];
  readonly guest: SourceInspection['guest'];
  /** Was the source named by the user, or did the node itself say that it has the guest? */
  readonly certain: boolean;
}

async function examine(context: MigrationContext): Promise<Examination> {
  const { migration, story } = context;
  const { vmid, target, options } = migration;
  const survey = await context.control.surveyCluster({ vmid, source: migration.source, target });
  const source = migration.source ?? survey.holders[0]?.node ?? null;
  if (source === null) return { findings: [guestUnknown(vmid)], guest: null, certain: false };
  story.foundOn(source);

  const known = { vmid, source, target, targetStorage: options.targetStorage, nodes: survey.nodes, targetStatus: survey.target };
  if (source === target || !survey.nodes.includes(target)) {
    const findings = checkMigration({ ...known, sourceSide: 'unasked', targetSide: 'unasked' });
    return { findings, guest: null, certain: migration.source !== null || source !== target || (await ownsGuest(context)) };
  }
  const [sourceSide, targetSide] = await Promise.all([
    answerUnlessSilent(context, survey.source, async () => namingKind(await context.source().ping.inspectSource({ vmid, target, options }))),
    answerUnlessSilent(context, survey.target, () => context.target().ping.inspectTarget({ vmid, source, options })),
  ]);
  const findings = checkMigration({ ...known, sourceSide, targetSide });
  return { findings, guest: sourceSide === 'silent' ? null : sourceSide.guest, certain: migration.source !== null };
}

/** Nodes, and histories, from before there was another kind than live name none. */
function namingKind(side: SourceInspection): SourceInspection {
  if (side.guest === null || Object.hasOwn(side.guest, 'movement')) return side;
  return { ...side, guest: { ...side.guest, movement: 'live' } };
}

/** A frozen worker may be handed the question and never answer; one that has been silent for long is not asked. */
async function answerUnlessSilent<Answer>({ migration }: MigrationContext, status: NodeStatus | null, ask: () => Promise<Answer>): Promise<Answer | 'silent'> {
  const since = status?.silentSince ?? null;
  const isLongSilent = since !== null && workflowTimeMs() - instantMs(since) > migration.timings.silentAfterMs;
  return isLongSilent ? 'silent' : answerOf(ask);
}

/** Does the target itself say that the guest is there already? */
async function ownsGuest(context: MigrationContext): Promise<boolean> {
  const { vmid, target, options } = context.migration;
  const answer = await answerOf(() => context.target().ping.inspectTarget({ vmid, source: target, options }));
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

function refusal({ migration }: MigrationContext, findings: readonly Finding[]): ApplicationFailure {
  const blockers = findings.filter((finding) => finding.severity === 'blocker');
  const listed = blockers.map((finding) => finding.text).join('; ');
  return ApplicationFailure.create({
    type: 'migration-refused',
    nonRetryable: true,
    message: `Cannot migrate guest ${migration.vmid} to ${migration.target}: ${listed}`,
    details: [{ findings }],
  });
}

function guestUnknown(vmid: number): Finding {
  return {
    id: 'guest-unknown',
    severity: 'blocker',
    text: `No node that answers has a guest ${vmid}`,
    remedy: 'List the guests with "kedge guest list", or name the source if its node is silent',
  };
}
