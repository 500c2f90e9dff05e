import { sleep } from '@temporalio/workflow';
import type { FenceResult } from '../activities/interface-control.js';
import type { DoubtExamination, MigrationRole } from '../activities/interface.js';
import { doubtFacts, type DoubtSide } from '../src/domain/doubt-facts.js';
import type { NodeName } from '../src/domain/ids.js';
import type { DeathDecision } from '../src/domain/migration.js';
import { readFailure } from '../src/domain/read-failure.js';
import { judgeSuspect } from '../src/domain/suspect-node.js';
import { examine, giveUpNode, otherRole } from './dead-node.js';
import { fenceFromPlace } from './fence-from-place.js';
import { lookAtSuspect } from './look-at-suspect.js';
import type { MigrationContext } from './migration-context.js';
import type { DoubtHelp, DoubtReport } from './operator-desk.js';
import { looksBeforeFencing } from './patches.js';
import { workflowInstant } from './workflow-time.js';

/** While another node is being fenced: for about as long as a slow device takes for several. */
const WAIT_FOR_PLACE_MS = 5_000;
const MOST_WAITS = 60;

/** What was found when both nodes were looked at. */
interface Findings {
  readonly sides: readonly [DoubtSide, DoubtSide];
  readonly examined: Readonly<Record<MigrationRole, DoubtExamination | null>>;
}

/**
 * What can be found out, decided and offered when a step waits for a node that may never come back. `roles`: the nodes without which that step
 * could go on.
 */
export function doubtHelp(context: MigrationContext, roles: readonly MigrationRole[]): DoubtHelp {
  const { story, migration, controlInDoubt: control, fencing } = context;
  const { timings } = migration;
  const nameOf = (role: MigrationRole) => (role === 'source' ? story.source : migration.target);
  let fenceFailure: string | null = null;

  return { decideAlone, report, giveUp: (decision, statedBy) => giveUpNode(context, { role: roleOf(decision), statedBy, basis: 'operator', bootId: null }) };

  /** The operator is not asked where a fencing device is configured and does its work. */
  async function decideAlone(): Promise<boolean> {
    fenceFailure = null;
    const found = await look();
    const lost = roles.filter((role) => isLost(found, role));
    const [role] = lost;
    if (role === undefined || lost.length > 1) return false;
    const looks = looksBeforeFencing();
    // What it has left on the lost node can wait for that: a device would end all other guests there.
    if (looks && isOwner(found.examined[otherRole(role)])) return false;
    try {
      const result = looks ? await fenceIfSilent(nameOf(role)) : await fencing.fenceNode({ node: nameOf(role) });
      if (result.fenced) {
        await giveUpNode(context, { role, statedBy: result.agent, basis: 'fenced', bootId: result.bootId });
        return true;
      }
      fenceFailure = result.reason === null ? null : `${nameOf(role)} could not be fenced: ${result.reason}`;
    } catch (error) {
      fenceFailure = `${nameOf(role)} could not be fenced: ${readFailure(error).message}`;
    }
    return false;
  }

  /** As in a recovery: nobody is fenced who answers on any path, or while too few are heard. */
  async function fenceIfSilent(node: NodeName): Promise<FenceResult> {
    for (let tried = 1; ; tried += 1) {
      const { evidence, cluster } = await lookAtSuspect(node, { timings, control });
      const verdict = judgeSuspect(evidence);
      if (verdict.is === 'back') return { fenced: false, reason: 'it is heard again' };
      if (verdict.is !== 'silent') return { fenced: false, reason: verdict.facts.join('; ') };
      const result = await fenceFromPlace({ node, places: cluster.recovery.fencesAtOnce, timings });
      if (result.isBusy !== true || tried === MOST_WAITS) return result;
      await sleep(WAIT_FOR_PLACE_MS);
    }
  }

  async function report(): Promise<DoubtReport> {
    const found = await look();
    const facts = doubtFacts({ ...story.ref, sides: found.sides, at: workflowInstant() });
    const offered = roles.filter((role) => isLost(found, role));
    const choices = Object.fromEntries(offered.map((role) => [`${role}-dead`, riskOf(role, found)]));
    return { facts: fenceFailure === null ? facts : [...facts, fenceFailure], choices };
  }

  async function look(): Promise<Findings> {
    const survey = await control.surveyCluster({ vmid: migration.vmid, source: story.source, target: migration.target });
    const [source, target] = await Promise.all([
      examineIf('source', survey.source?.silentSince === null),
      examineIf('target', survey.target?.silentSince === null),
    ]);
    const side = (role: MigrationRole, examined: DoubtExamination | null): DoubtSide => ({
      role,
      node: nameOf(role),
      silentSince: survey[role]?.silentSince ?? null,
      view: examined?.view ?? null,
      ...(examined === null ? {} : { peer: examined.peer }),
    });
    return { sides: [side('source', source), side('target', target)], examined: { source, target } };
  }

  /** A silent node is not waited for. */
  async function examineIf(role: MigrationRole, isHeard: boolean): Promise<DoubtExamination | null> {
    return isHeard ? examine(context, role).catch(() => null) : null;
  }

  function isLost({ sides, examined }: Findings, role: MigrationRole): boolean {
    const lost = sides.find((side) => side.role === role);
    const left = examined[otherRole(role)];
    return lost?.silentSince != null && left !== null && left.peer === null && left.alone.possible;
  }

  function riskOf(role: MigrationRole, { examined }: Findings): string {
    const node = nameOf(role);
    return (
      `State that the power of ${node} is off, add --confirm ${node}: ${examined[otherRole(role)]?.alone.what ?? ''}. ` +
      `RISK: if ${node} is only cut off and still has power, guest ${migration.vmid} may run twice and destroy its disks; look at the machine first. ` +
      `When ${node} is back it finds its record void, runs nothing of this guest and cleans up`
    );
  }
}

function isOwner(examined: DoubtExamination | null): boolean {
  return examined?.view.record.kind === 'record' && examined.view.record.record.state === 'owned';
}

function roleOf(decision: DeathDecision): MigrationRole {
  return decision === 'source-dead' ? 'source' : 'target';
}
